/* SPDX-License-Identifier: MIT */
/* /proc/kallsyms and perf-PID.map. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"
#include "symbol/radix.h"
#include "symbol/table.h"

enum {
	HUGE_PAGE = 1 << 21,
	PROC_SIZE = 4 * HUGE_PAGE,
	SHORT_LINE = 40,
	/* No map of a real program comes near; a forged one ends here. */
	MAX_TEXT = 1 << 26,
	MAX_LINES = 1 << 20,
};

/*
 * Memory that is filled once from end to end, on huge pages where there are
 * any: taking the page faults of 122,000 symbols one by one costs several
 * times what parsing does.
 */
static void *
alloc_large(size_t size)
{
	void *p;

	if (size < HUGE_PAGE)
		return xmalloc(size);
	size = (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
	p = aligned_alloc(HUGE_PAGE, size);
	if (!p)
		die("out of memory");
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

/* How much to make room for at first; files in /proc do not tell. */
static size_t
expected_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size <= 0)
		return PROC_SIZE;
	return (size_t)(st.st_size < MAX_TEXT ? st.st_size : MAX_TEXT) + 1;
}

/* FD as t->text, whole or at least the first MAX_TEXT + 1 bytes. */
static bool
read_text(struct symbol_table *t, int fd, struct slice *text)
{
	size_t len = 0, cap = expected_size(fd);
	ssize_t got;

	t->text = alloc_large(cap);
	do {
		if (len == cap) {
			cap *= 2;
			t->text = xreallocarray(t->text, cap, 1);
		}
		got = read(fd, t->text + len, cap - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len <= MAX_TEXT) || (got < 0 && errno == EINTR));
	*text = (struct slice){ t->text, len };
	return got >= 0;
}

/* Room for the symbols that a text of SIZE bytes is likely to hold. */
static void
reserve_symbols(struct symbol_table *t, size_t size)
{
	t->cap = size / SHORT_LINE + 1;
	t->symbols = alloc_large(t->cap * sizeof *t->symbols);
}

/* Hexadecimal digits by their value and one; 0 for other bytes. */
static const unsigned char hex_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The number LINE begins with, cut off together with the space behind it. */
static bool
cut_hex(struct slice *line, uint64_t *out)
{
	const char *p = line->ptr, *end = p + line->len;
	uint64_t v = 0;

	for (; p < end && hex_value[(unsigned char)*p]; p++) {
		if (v >> 60)
			return false;
		v = v << 4 | (hex_value[(unsigned char)*p] - 1u);
	}
	if (p == line->ptr || p == end || *p != ' ')
		return false;
	line->ptr = p + 1;
	line->len = (size_t)(end - line->ptr);
	*out = v;
	return true;
}

static uint32_t
find_module(struct symbol_table *t, struct slice name, uint64_t addr)
{
	size_t i;

	/* Modules come one after the other, so the last one is likely. */
	for (i = t->n_modules; i-- > 0;)
		if (slice_eq(t->modules[i], name))
			break;
	if (i == SIZE_MAX) {
		size_t cap = t->cap_modules;

		i = t->n_modules++;
		GROW(t->modules, t->cap_modules, t->n_modules);
		GROW(t->module_start, cap, t->n_modules);
		t->modules[i] = name;
		t->module_start[i] = addr;
	}
	if (addr < t->module_start[i])
		t->module_start[i] = addr;
	return (uint32_t)i;
}

/* LINE behind the address and the type: NAME, or NAME\t[MODULE]. */
static void
add_kernel_symbol(struct symbol_table *t, uint64_t addr, char type,
		  struct slice line)
{
	struct slice name = slice_cut(&line, '\t');
	uint32_t flags = SYMBOL_GLOBAL;

	if (type == 't')
		flags = SYMBOL_LOCAL;
	else if (type != 'T')
		flags = SYMBOL_WEAK;
	symbol_table_add_symbol(
		t, (struct table_symbol){
			   .addr = addr,
			   .size = UINT64_MAX,
			   .name = name,
			   .module = find_module(
				   t, line.len ? line : SLICE_LIT("[kernel]"),
				   addr),
			   .flags = flags | SYMBOL_UNSIZED,
		   });
}

struct kallsyms_line {
	uint64_t addr;
	char type;
	struct slice name; /* and what is behind it */
};

/* Takes lines off TEXT until one has a symbol in code. */
static bool
next_kernel_symbol(struct slice *text, struct kallsyms_line *out)
{
	while (text->len) {
		struct slice line = slice_cut(text, '\n');

		if (!cut_hex(&line, &out->addr) || !out->addr || line.len < 3)
			continue;
		out->type = line.ptr[0];
		out->name = (struct slice){ line.ptr + 2, line.len - 2 };
		if (out->type == 't' || out->type == 'T' || out->type == 'w' ||
		    out->type == 'W')
			return true;
	}
	return false;
}

static void
parse_kallsyms(struct symbol_table *t, struct slice text)
{
	struct kallsyms_line line;
	uint64_t start = 0;

	reserve_symbols(t, text.len);
	find_module(t, SLICE_LIT("[kernel]"), UINT64_MAX);
	while (next_kernel_symbol(&text, &line)) {
		if (slice_is(line.name, "_stext"))
			start = line.addr;
		add_kernel_symbol(t, line.addr, line.type, line.name);
	}
	if (start)
		t->module_start[0] = start;
}

bool
symbol_table_read_kallsyms_text(struct symbol_table *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	struct slice text;
	bool ok;

	if (fd < 0)
		return false;
	ok = read_text(t, fd, &text);
	error = errno;
	close(fd);
	t->text_size = text.len;
	if (!ok) {
		symbol_table_free(t);
		errno = error;
	}
	return ok;
}

bool
symbol_table_read_kallsyms(struct symbol_table *t, const char *path)
{
	if (!symbol_table_read_kallsyms_text(t, path))
		return false;
	parse_kallsyms(t, (struct slice){ t->text, t->text_size });
	symbol_table_finish(t);
	if (!t->n) {
		symbol_table_free(t);
		errno = 0;
	}
	return t->n > 0;
}

/* For each address that is asked for: the symbols around it. */
struct pick {
	const uint64_t *addrs;
	size_t n, last;
	uint64_t *below; /* the highest symbol that is not above it */
	uint64_t *above; /* the lowest that is; UINT64_MAX: none */
};

/* How many of the addresses lie below ADDR. Symbols mostly ascend, so it is
 * where the last one was, or near. */
static size_t
count_below(struct pick *p, uint64_t addr)
{
	size_t low = 0, high = p->n;

	if ((!p->last || p->addrs[p->last - 1] < addr) &&
	    (p->last == p->n || p->addrs[p->last] >= addr))
		return p->last;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->addrs[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return p->last = low;
}

/* Each symbol tells the two addresses beside it; they tell their neighbours. */
static void
find_neighbours(struct pick *p, struct slice text)
{
	struct kallsyms_line line;
	size_t i;

	memset(p->above, 0xff, p->n * sizeof *p->above);
	while (next_kernel_symbol(&text, &line)) {
		i = count_below(p, line.addr);
		if (i < p->n && line.addr > p->below[i])
			p->below[i] = line.addr;
		if (i && line.addr < p->above[i - 1])
			p->above[i - 1] = line.addr;
	}
	for (i = 1; i < p->n; i++)
		if (p->below[i - 1] > p->below[i])
			p->below[i] = p->below[i - 1];
	for (i = p->n - 1; i-- > 0;)
		if (p->above[i + 1] < p->above[i])
			p->above[i] = p->above[i + 1];
}

static bool
is_picked(struct pick *p, uint64_t addr)
{
	size_t i = count_below(p, addr);

	return (i < p->n && p->below[i] == addr) ||
	       (i && p->above[i - 1] == addr);
}

void
symbol_table_pick_kallsyms(struct symbol_table *t, const uint64_t *addrs,
			   size_t n)
{
	struct slice all = { t->text, t->text_size }, text = all;
	struct pick p = { addrs, n, 0, NULL, NULL };
	struct kallsyms_line line;

	if (!n)
		return;
	p.below = xcalloc(n, sizeof *p.below);
	p.above = xcalloc(n, sizeof *p.above);
	find_neighbours(&p, text);
	find_module(t, SLICE_LIT("[kernel]"), UINT64_MAX);
	while (next_kernel_symbol(&all, &line))
		if (is_picked(&p, line.addr))
			add_kernel_symbol(t, line.addr, line.type, line.name);
	free(p.below);
	free(p.above);
	symbol_table_finish(t);
}

int
symbol_table_open_perf_map(const char *path, uint32_t uid, const char **why)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				    O_CLOEXEC);
	struct stat st;

	*why = NULL;
	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd < 0)
		*why = errno == ELOOP ? "it is a symbolic link"
				      : "it cannot be opened";
	else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		*why = "it is no regular file";
	else if (st.st_uid != uid && st.st_uid != 0)
		*why = "it belongs to another user";
	if (fd >= 0 && *why) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What is too much is left out, and *WHY says so. */
static void
parse_perf_map(struct symbol_table *t, struct slice text, const char **why)
{
	size_t lines = 0;

	if (text.len > MAX_TEXT) {
		*why = "it is larger than 64 MB";
		text.len = MAX_TEXT;
		while (text.len && text.ptr[text.len - 1] != '\n')
			text.len--;
	}
	reserve_symbols(t, text.len < MAX_LINES * SHORT_LINE
				   ? text.len
				   : MAX_LINES * SHORT_LINE);
	while (text.len) {
		struct slice line = slice_cut(&text, '\n');
		struct table_symbol s = { .flags = SYMBOL_GLOBAL };

		if (lines++ == MAX_LINES) {
			*why = "it has more than 1,048,576 lines";
			break;
		}
		if (!cut_hex(&line, &s.addr) || !cut_hex(&line, &s.size))
			continue;
		s.name = line;
		symbol_table_add_symbol(t, s);
	}
}

/* A sweep over the addresses that goes from one symbol's start or end to the
 * next. */
struct sweep {
	const struct table_symbol *symbols; /* in the order of the lines */
	struct symbol_table *out;
	uint64_t at;
	/* Symbols that began and may not have ended: a heap, the last line's
	 * on top. */
	uint32_t *heap;
	size_t n, top; /* the symbol that the last piece is of */
};

static void
push(struct sweep *w, uint32_t symbol)
{
	size_t i = w->n++;

	for (; i && w->heap[(i - 1) / 2] < symbol; i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = symbol;
}

static void
pop(struct sweep *w)
{
	uint32_t last = w->heap[--w->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->n) {
		if (child + 1 < w->n && w->heap[child + 1] > w->heap[child])
			child++;
		if (w->heap[child] <= last)
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
}

/* A piece of SYMBOL up to END. */
static void
add_piece(struct sweep *w, uint32_t symbol, uint64_t end)
{
	struct symbol_table *t = w->out;
	struct table_symbol *last = t->n ? &t->symbols[t->n - 1] : NULL;
	struct table_symbol s = w->symbols[symbol];

	if (last && w->top == symbol && last->addr + last->size == w->at) {
		last->size = end - last->addr;
		return;
	}
	w->top = symbol;
	s.addr = w->at;
	s.size = end - w->at;
	symbol_table_add_symbol(t, s);
}

static void
advance(struct sweep *w, uint64_t to)
{
	while (w->n && w->at < to) {
		const struct table_symbol *top = &w->symbols[w->heap[0]];
		uint64_t end = top->addr + top->size;

		if (end <= w->at) {
			pop(w);
			continue;
		}
		if (end > to)
			end = to;
		add_piece(w, w->heap[0], end);
		w->at = end;
	}
	w->at = to;
}

/* The last line wins where symbols overlap. */
static void
settle_overlaps(struct symbol_table *t)
{
	struct symbol_table out = { 0 };
	size_t n = t->n, i;
	struct radix_key *starts = xreallocarray(NULL, n, 2 * sizeof *starts);
	struct sweep w = { .symbols = t->symbols, .out = &out };

	w.heap = xreallocarray(NULL, n, sizeof *w.heap);
	for (i = 0; i < n; i++)
		starts[i] = (struct radix_key){ t->symbols[i].addr, i };
	radix_sort(starts, starts + n, n);
	for (i = 0; i < n; i++) {
		advance(&w, starts[i].key);
		push(&w, (uint32_t)starts[i].index);
	}
	free(starts);
	advance(&w, UINT64_MAX);
	free(w.heap);
	free(t->symbols);
	t->symbols = out.symbols;
	t->n = out.n;
	t->cap = out.cap;
}

bool
symbol_table_read_open_perf_map(struct symbol_table *t, int fd,
				const char **why)
{
	struct slice text;

	*why = NULL;
	if (lseek(fd, 0, SEEK_SET) || !read_text(t, fd, &text)) {
		symbol_table_free(t);
		*why = "it cannot be read";
		return false;
	}
	parse_perf_map(t, text, why);
	if (t->n)
		settle_overlaps(t);
	symbol_table_finish(t);
	return true;
}

bool
symbol_table_read_perf_map(struct symbol_table *t, const char *path,
			   uint32_t uid, const char **why)
{
	int fd = symbol_table_open_perf_map(path, uid, why);
	bool ok;

	if (fd < 0)
		return false;
	ok = symbol_table_read_open_perf_map(t, fd, why);
	close(fd);
	return ok;
}
