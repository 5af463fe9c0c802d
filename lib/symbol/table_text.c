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

/* All of FD, at most MAX_TEXT bytes, as t->text. */
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
	} while ((got > 0 && len < MAX_TEXT) || (got < 0 && errno == EINTR));
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

static void
parse_kallsyms(struct symbol_table *t, struct slice text)
{
	uint64_t addr, start = 0;

	reserve_symbols(t, text.len);
	find_module(t, SLICE_LIT("[kernel]"), UINT64_MAX);
	while (text.len) {
		struct slice line = slice_cut(&text, '\n');
		char type;

		if (!cut_hex(&line, &addr) || !addr || line.len < 3)
			continue;
		type = line.ptr[0];
		if (type != 't' && type != 'T' && type != 'w' && type != 'W')
			continue;
		line.ptr += 2;
		line.len -= 2;
		if (slice_is(line, "_stext"))
			start = addr;
		add_kernel_symbol(t, addr, type, line);
	}
	if (start)
		t->module_start[0] = start;
}

bool
symbol_table_read_kallsyms(struct symbol_table *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct slice text;
	bool ok;

	if (fd < 0)
		return false;
	ok = read_text(t, fd, &text);
	close(fd);
	if (!ok) {
		int error = errno;

		symbol_table_free(t);
		errno = error;
		return false;
	}
	parse_kallsyms(t, text);
	symbol_table_finish(t);
	if (!t->n) {
		symbol_table_free(t);
		errno = 0;
	}
	return t->n > 0;
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

static void
parse_perf_map(struct symbol_table *t, struct slice text)
{
	reserve_symbols(t, text.len);
	while (text.len) {
		struct slice line = slice_cut(&text, '\n');
		struct table_symbol s = { .flags = SYMBOL_GLOBAL };

		if (!cut_hex(&line, &s.addr) || !cut_hex(&line, &s.size))
			continue;
		s.name = line;
		symbol_table_add_symbol(t, s);
	}
}

/* The address space cut at every symbol's start and end. */
struct pieces {
	struct radix_key *bounds; /* distinct; the index is not used */
	size_t n;
	size_t *owner; /* of the piece from bounds[i] on: 1 + symbol */
	size_t *next;  /* first piece from here on that may be free */
};

static void
cut_pieces(struct pieces *p, const struct symbol_table *t)
{
	size_t i, n = 2 * t->n;

	p->bounds = xreallocarray(NULL, n, 2 * sizeof *p->bounds);
	for (i = 0; i < t->n; i++) {
		const struct table_symbol *s = &t->symbols[i];

		p->bounds[2 * i] = (struct radix_key){ s->addr, i };
		p->bounds[2 * i + 1] =
			(struct radix_key){ s->addr + s->size, i };
	}
	radix_sort(p->bounds, p->bounds + n, n);
	for (i = 0; i < n; i++)
		if (!p->n || p->bounds[i].key != p->bounds[p->n - 1].key)
			p->bounds[p->n++] = p->bounds[i];
	p->owner = xcalloc(p->n + 1, sizeof *p->owner);
	p->next = xcalloc(p->n + 1, sizeof *p->next);
	for (i = 0; i <= p->n; i++)
		p->next[i] = i;
}

static size_t
find_bound(const struct pieces *p, uint64_t addr)
{
	size_t low = 0, high = p->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (p->bounds[mid].key <= addr)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static size_t
find_free(struct pieces *p, size_t i)
{
	size_t root = i, next;

	while (p->next[root] != root)
		root = p->next[root];
	for (; i != root; i = next) {
		next = p->next[i];
		p->next[i] = root;
	}
	return root;
}

/* The last line first, each takes what is still free. */
static void
take_pieces(struct pieces *p, const struct symbol_table *t)
{
	size_t i, k;

	for (i = t->n; i-- > 0;) {
		const struct table_symbol *s = &t->symbols[i];
		size_t end = find_bound(p, s->addr + s->size);

		k = find_free(p, find_bound(p, s->addr));
		for (; k < end; k = find_free(p, k)) {
			p->owner[k] = i + 1;
			p->next[k] = k + 1;
		}
	}
}

static void
settle_overlaps(struct symbol_table *t)
{
	struct pieces p = { 0 };
	struct table_symbol *old = t->symbols;
	size_t i, k;

	cut_pieces(&p, t);
	take_pieces(&p, t);
	t->symbols = NULL;
	t->n = t->cap = 0;
	for (i = 0; i < p.n; i = k) {
		struct table_symbol s;

		k = i + 1;
		if (!p.owner[i])
			continue;
		while (k < p.n && p.owner[k] == p.owner[i])
			k++;
		s = old[p.owner[i] - 1];
		s.addr = p.bounds[i].key;
		s.size = p.bounds[k].key - s.addr;
		symbol_table_add_symbol(t, s);
	}
	free(old);
	free(p.bounds);
	free(p.owner);
	free(p.next);
}

bool
symbol_table_read_open_perf_map(struct symbol_table *t, int fd)
{
	struct slice text;

	if (lseek(fd, 0, SEEK_SET) || !read_text(t, fd, &text)) {
		symbol_table_free(t);
		return false;
	}
	parse_perf_map(t, text);
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
	ok = symbol_table_read_open_perf_map(t, fd);
	if (!ok)
		*why = "it cannot be read";
	close(fd);
	return ok;
}
