/* SPDX-License-Identifier: MIT */
/*
 * The recorded kernel: where its parts lay, and its symbols. They may be had
 * from the kernel that runs here when it is the same build, from the copy of
 * kallsyms that perf keeps by build id, or from a vmlinux with that build id.
 * Where the text began, by the recording and by the symbols, says how far the
 * kernel was moved at boot.
 */
#include "import/machine/perf_data.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"
#include "symbol/files.h"
#include "symbol/open.h"

enum { FIRST_SPACE = 1u << 31, ID_MAX = 2 * UNWIND_MAX_BUILD_ID + 1 };

static const struct slice kernel_path = { "[kernel.kallsyms]", 17 };

/* ---- parts ---- */

/* The kernel itself, whose frames may come before anything is known of it. */
static struct perf_part *
main_part(struct perf_reader *r)
{
	if (!r->kernel.n) {
		r->kernel_space = FIRST_SPACE;
		perf_add_part(&r->kernel, 0, UINT64_MAX)->name =
			SLICE_LIT("[kernel]");
	}
	return &r->kernel.list[0];
}

static struct perf_part *
add_part(struct perf_reader *r, uint64_t start, uint64_t len)
{
	main_part(r);
	if (!start || start + len <= start || r->kernel.n >= UINT32_MAX)
		return NULL;
	r->kernel_space++;
	return perf_add_part(&r->kernel, start, start + len);
}

/* "/lib/modules/6.1/kernel/fs/nf-nat.ko.xz" is [nf_nat]. */
static struct slice
module_name(struct slice path, char name[64])
{
	struct slice s = slice_basename(path);
	const char *dot = memchr(s.ptr, '.', s.len);
	size_t i, n = 0;

	if (path.len && path.ptr[0] != '/')
		return path;
	if (dot)
		s.len = (size_t)(dot - s.ptr);
	name[n++] = '[';
	for (i = 0; i < s.len && n < 62; i++)
		name[n++] = s.ptr[i] == '-' ? '_' : s.ptr[i];
	name[n++] = ']';
	return (struct slice){ name, n };
}

static struct slice
keep(struct perf_reader *r, struct slice s)
{
	return s.len ? arena_copy(&r->procs.modules.arena, s) : s;
}

static struct slice
keep_build_id(struct perf_reader *r, struct slice id)
{
	char text[ID_MAX];

	perf_hex_id(id, text);
	return keep(r, slice_str(text));
}

static void
take_build_id(struct perf_reader *r, struct perf_part *k,
	      const struct perf_mmap *m, struct slice path)
{
	struct slice id = m->build_id;

	if (!id.len)
		id = perf_listed_build_id(r, path, 0);
	k->build_id = keep_build_id(r, id);
}

void
perf_map_kernel(struct perf_reader *r, const struct perf_mmap *m)
{
	struct perf_part *k = main_part(r);
	char name[64];

	if (slice_starts(m->path, "[guest"))
		return;
	if (slice_starts(m->path, "[kernel.kallsyms]")) {
		if (k->start)
			return;
		k->start = m->pgoff ? m->pgoff : m->addr;
		take_build_id(r, k, m, kernel_path);
		r->kernel_space++;
		return;
	}
	k = add_part(r, m->addr, m->len);
	if (!k)
		return;
	k->name = keep(r, module_name(m->path, name));
	take_build_id(r, k, m, m->path);
}

void
perf_add_kernel_code(struct perf_reader *r, const struct perf_ksymbol *s)
{
	struct perf_part *k = add_part(r, s->addr, s->len);

	if (!k)
		return;
	k->name = s->is_bpf ? SLICE_LIT("[bpf]") : SLICE_LIT("[kernel]");
	k->symbol = keep(r, s->name);
}

uint32_t
perf_kernel_module(struct perf_reader *r, const struct perf_part *k)
{
	uint32_t module;

	if (!k->symbol.len)
		return capture_add_module(
			r->c, k->build_id,
			k->start ? CAPTURE_KERNEL : CAPTURE_ABSOLUTE, k->name);
	module = capture_new_module(r->c, k->build_id, CAPTURE_KERNEL, k->name);
	capture_add_symbol(r->c, module, 0, k->end - k->start, k->symbol);
	return module;
}

/* ---- where symbols come from ---- */

/* In a pipe the build id may follow its first use. */
static struct slice
recorded_build(struct perf_reader *r)
{
	struct perf_part *k = main_part(r);

	if (!k->build_id.len)
		k->build_id = keep_build_id(
			r, perf_listed_build_id(r, kernel_path, 0));
	return k->build_id;
}

/* By build id; where none was recorded, by what people call it. */
bool
perf_is_running_kernel(struct perf_reader *r)
{
	struct slice recorded = recorded_build(r);
	char running[ID_MAX];
	struct utsname u;

	if (recorded.len) {
		kernel_running_build(running);
		return slice_is(recorded, running);
	}
	return !uname(&u) && slice_is(r->header->os_release, u.release) &&
	       slice_is(r->header->hostname, u.nodename);
}

static bool
use_copy(struct perf_reader *r)
{
	char *path = perf_cache_path(recorded_build(r), "kallsyms");
	uint64_t start = path ? kernel_text_start(path) : 0;

	if (start) {
		kernel_add_part(&r->symbols, SLICE_LIT("[kernel]"), start,
				UINT64_MAX);
		kernel_read_symbols(&r->symbols, path);
	}
	free(path);
	return start;
}

/* The debug package's, by build id, or by its name where it is installed. */
static int
open_vmlinux(struct perf_reader *r)
{
	struct slice id = recorded_build(r);
	struct slice release = r->header->os_release;
	enum symbol_problem why;
	char *path;
	int fd = id.len ? symbol_open_debug(r->opt, kernel_path, id) : -1;

	if (fd >= 0 || !id.len || !release.len)
		return fd;
	path = xasprintf("/usr/lib/debug/boot/vmlinux-%.*s", (int)release.len,
			 release.ptr);
	fd = symbol_open_module(r->opt, slice_str(path), id, &why);
	free(path);
	return fd;
}

static bool
use_vmlinux(struct perf_reader *r)
{
	int fd = open_vmlinux(r);
	struct symbol_table *t = &r->symbols.symbols;
	uint64_t start = 0;
	size_t i;

	if (fd < 0)
		return false;
	symbol_table_read_files(t, fd, -1);
	close(fd);
	for (i = 0; i < t->n; i++)
		if (slice_is(t->symbols[i].name, "_text") ||
		    slice_is(t->symbols[i].name, "_stext"))
			start = t->symbols[i].addr;
	/* Several names share that address, and one was kept. */
	if (t->n && !start)
		start = t->symbols[0].addr;
	kernel_add_part(&r->symbols, SLICE_LIT("[kernel]"), start, UINT64_MAX);
	return t->n;
}

static void
say_no_symbols(struct perf_reader *r)
{
	struct slice id = recorded_build(r);
	struct slice release = r->header->os_release;

	if (!id.len && !release.len) {
		warning("%s: the kernel's frames have no names: it does not "
			"say on which kernel it was recorded: its end, where "
			"that stands, is missing",
			r->name);
		return;
	}
	warning("%s: the kernel's frames have no names: it was recorded on "
		"another kernel%s%.*s%s%.*s; on that machine pk-fold "
		"--to-capture "
		"keeps them, here the vmlinux with that build id would do",
		r->name, release.len ? ", " : "", (int)release.len,
		release.len ? release.ptr : "", id.len ? ", build id " : "",
		(int)id.len, id.len ? id.ptr : "");
}

static enum perf_symbols
choose_symbols(struct perf_reader *r)
{
	if (use_copy(r))
		return SYMBOLS_COPY;
	if (perf_is_running_kernel(r)) {
		kernel_read_running(&r->symbols);
		if (!r->symbols.hidden)
			return SYMBOLS_RUNNING;
	}
	if (use_vmlinux(r))
		return SYMBOLS_FILE;
	if (r->symbols.hidden)
		warning("%s: the kernel's frames have no names: "
			"kernel.kptr_restrict hides them here; read the "
			"recording as root",
			r->name);
	else
		say_no_symbols(r);
	return SYMBOLS_NONE;
}

void
perf_find_kernel_symbols(struct perf_reader *r)
{
	main_part(r);
	kernel_pick_symbols(&r->symbols);
	if (r->symbols_from == SYMBOLS_UNDECIDED)
		r->symbols_from = choose_symbols(r);
}

/* ---- naming ---- */

static const struct kernel_part *
same_part(const struct kernel *k, const struct perf_part *part)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (slice_is(part->name, k->parts[i].name))
			return &k->parts[i];
	return NULL;
}

/* The table's number of a part, which has symbols of its own in kallsyms. */
static uint32_t
table_module(const struct symbol_table *t, const struct perf_part *part)
{
	uint32_t i;

	for (i = 0; i < t->n_modules; i++)
		if (slice_eq(t->modules[i], part->name))
			return i;
	return 0;
}

/* What addresses of a part have to be raised by, to be the symbols'. False:
 * nobody knows. */
static bool
part_bias(const struct perf_reader *r, const struct perf_part *part,
	  uint64_t *bias)
{
	const struct kernel_part *here = same_part(&r->symbols, part);

	if (!part->capture_id || part->symbol.len)
		return false;
	if (here && part->start)
		*bias = here->start;
	else if (r->symbols_from == SYMBOLS_COPY &&
		 r->symbols.parts[0].start == r->kernel.list[0].start)
		*bias = part->start;
	else
		return false;
	return true;
}

static void
name_part(struct perf_reader *r, const struct perf_part *part,
	  const struct symbol_table *t)
{
	bool is_main = part == &r->kernel.list[0];
	uint32_t module = is_main ? 0 : table_module(t, part);
	uint64_t bias;

	if ((is_main || module) && part_bias(r, part, &bias))
		perf_add_symbols(r->c, part->capture_id - 1, t, bias,
				 t->n_modules ? module : UINT32_MAX);
}

static int
compare_addrs(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of the text of kallsyms only a few symbols are wanted. */
static void
pick_symbols(struct perf_reader *r, struct symbol_table *t)
{
	const struct nodes *nodes = &r->c->nodes;
	uint64_t *bias = xcalloc(r->c->n_modules, sizeof *bias), *addrs = NULL;
	bool *known = xcalloc(r->c->n_modules, sizeof *known);
	size_t n = 0, cap = 0, i;

	for (i = 0; i < r->kernel.n; i++) {
		const struct perf_part *part = &r->kernel.list[i];
		uint64_t b;

		if (!part_bias(r, part, &b))
			continue;
		bias[part->capture_id - 1] = b;
		known[part->capture_id - 1] = true;
	}
	for (i = 1; i < nodes->n; i++) {
		if (!known[nodes->list[i].module])
			continue;
		GROW(addrs, cap, n + 1);
		addrs[n++] = nodes->list[i].addr + bias[nodes->list[i].module];
	}
	if (n)
		qsort(addrs, n, sizeof *addrs, compare_addrs);
	symbol_table_pick_kallsyms(t, addrs, n);
	free(addrs);
	free(known);
	free(bias);
}

void
perf_name_kernel(struct perf_reader *r)
{
	struct symbol_table *t;
	size_t i;

	if (r->symbols_from == SYMBOLS_UNDECIDED ||
	    r->symbols_from == SYMBOLS_NONE)
		return;
	t = kernel_symbols(&r->symbols);
	if (t->text)
		pick_symbols(r, t);
	for (i = 0; i < r->kernel.n; i++)
		name_part(r, &r->kernel.list[i], t);
}
