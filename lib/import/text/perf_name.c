/* SPDX-License-Identifier: MIT */
/* What perf's frames are called in folded stacks: as stackcollapse-perf.pl
 * does it, but for C++ names and quotes. */
#include "base/text.h"
#include "base/xalloc.h"
#include "import/text/perf_script.h"

static bool
ends(struct slice s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && !memcmp(s.ptr + s.len - n, suffix, n);
}

static struct slice
without_deleted(struct slice path)
{
	if (ends(path, " (deleted)"))
		path.len -= strlen(" (deleted)");
	return path;
}

/* ---- modules ---- */

/* FILE.ko, and as it is compressed or its symbols are kept. */
static bool
is_kernel_module(struct slice file)
{
	const char *dot = memmem(file.ptr, file.len, ".ko", 3);
	size_t n = dot ? (size_t)(dot - file.ptr) + 3 : 0;

	return n && (n == file.len || file.ptr[n] == '.');
}

static bool
is_kernel(struct slice dso)
{
	struct slice file = slice_basename(dso);

	if (!dso.len || memmem(dso.ptr, dso.len, "unknown", 7))
		return false;
	return *dso.ptr == '[' || slice_starts(file, "vmlinux") ||
	       is_kernel_module(file);
}

/* perf-PID.map, or what perf inject makes of a jitdump. */
static bool
is_jit(struct slice dso)
{
	struct slice file = slice_basename(dso);
	size_t n = strlen("perf-");

	if (slice_starts(file, "jitted-"))
		return ends(file, ".so");
	if (!slice_starts(file, "perf-") || !ends(file, ".map"))
		return false;
	while (n < file.len && file.ptr[n] >= '0' && file.ptr[n] <= '9')
		n++;
	return n > strlen("perf-") && n + strlen(".map") == file.len;
}

/* ---- names ---- */

/* The legacy mangling's last part, ::h and 16 digits. */
static struct slice
without_rust_hash(struct slice name)
{
	size_t i;

	if (name.len < 20 || memcmp(name.ptr + name.len - 19, "::h", 3))
		return name;
	for (i = name.len - 16; i < name.len; i++)
		if (!memchr("0123456789abcdef", name.ptr[i], 16))
			return name;
	name.len -= 19;
	return name;
}

static struct slice
shorten(const struct perf_reader *r, struct slice name)
{
	size_t n = import_parameters(name);

	while (n && name.ptr[n - 1] == ' ')
		n--;
	if (n)
		name.len = n;
	name = without_rust_hash(name);
	if (r->java && name.len > 1 && *name.ptr == 'L' &&
	    memchr(name.ptr, '/', name.len)) {
		name.ptr++;
		name.len--;
	}
	return name;
}

/* [MODULE], or with its address. */
static void
add_unknown(struct perf_reader *r, const struct perf_frame *f)
{
	struct slice file = slice_basename(without_deleted(f->dso));

	if (!f->dso.len || slice_is(f->dso, "[unknown]"))
		file = SLICE_LIT("unknown");
	buf_char(&r->name, '[');
	buf_slice(&r->name, file);
	if (r->im->view->addrs) {
		buf_str(&r->name, " <");
		buf_slice(&r->name, f->pc);
		buf_char(&r->name, '>');
	}
	buf_char(&r->name, ']');
}

static void
add_name(struct perf_reader *r, const struct perf_frame *f, struct slice name)
{
	const struct view *v = r->im->view;

	if (!name.len || slice_is(name, "[unknown]")) {
		add_unknown(r, f);
		return;
	}
	if (v->modules && f->dso.len && !slice_is(f->dso, "inlined")) {
		buf_slice(&r->name, slice_basename(without_deleted(f->dso)));
		buf_char(&r->name, '`');
	}
	if (v->names == VIEW_NAMES_SHORT)
		name = shorten(r, name);
	else if (v->names == VIEW_NAMES_FULL)
		name = without_rust_hash(name);
	buf_slice(&r->name, name);
}

static void
add_suffix(struct perf_reader *r, const struct perf_frame *f, bool joined)
{
	unsigned want = r->im->view->suffixes;
	const char *suffix = "";

	if (joined || slice_is(f->dso, "inlined"))
		suffix = want & VIEW_INLINED ? "_[i]" : "";
	else if (want & VIEW_KERNEL && is_kernel(f->dso))
		suffix = "_[k]";
	else if (want & VIEW_JIT && is_jit(f->dso))
		suffix = "_[j]";
	if (!ends(buf_get(&r->name), suffix))
		buf_str(&r->name, suffix);
}

static void
push_name(struct perf_reader *r, const struct perf_frame *f, struct slice name,
	  bool joined)
{
	buf_clear(&r->name);
	add_name(r, f, name);
	add_suffix(r, f, joined);
	buf_clear(&r->text);
	text_frame(&r->text, buf_get(&r->name));
	GROW(r->made, r->cap_made, r->n_made + 1);
	r->made[r->n_made++] =
		intern_add(&r->im->p->symbols, buf_get(&r->text));
}

/* Where the arrow is that joins the first of several calls to the next: none
 * of C++'s operators, and not within brackets. NAME.len: nowhere. */
static size_t
find_arrow(struct slice name)
{
	static const char operator[] = "operator";
	size_t n = strlen(operator), i;
	int depth = 0;

	for (i = 0; i + 1 < name.len; i++) {
		char c = name.ptr[i];

		if (c == '(' || c == '<')
			depth++;
		else if (c == ')' || c == '>')
			depth--;
		if (c != '-' || name.ptr[i + 1] != '>')
			continue;
		if (depth <= 0 && i && i + 2 < name.len &&
		    name.ptr[i - 1] != ' ' &&
		    (i < n || memcmp(name.ptr + i - n, operator, n) != 0))
			return i;
		i++;
	}
	return name.len;
}

void
perf_frame_symbols(struct perf_reader *r, const struct perf_frame *f)
{
	struct slice rest = f->name;
	bool no_inlines = r->im->view->no_inlines;
	size_t from = r->n_made, n;

	/* A process's name, not a function's. */
	if (rest.len && *rest.ptr == '(' &&
	    !slice_starts(rest, "(anonymous namespace)"))
		return;
	if (no_inlines && slice_is(f->dso, "inlined"))
		return;
	do {
		n = find_arrow(rest);
		push_name(r, f, (struct slice){ rest.ptr, n },
			  r->n_made > from);
		n = n < rest.len ? n + 2 : n;
		rest = (struct slice){ rest.ptr + n, rest.len - n };
	} while (rest.len && !no_inlines);
	for (n = r->n_made; from + 1 < n; from++, n--) {
		uint32_t id = r->made[from];

		r->made[from] = r->made[n - 1];
		r->made[n - 1] = id;
	}
}
