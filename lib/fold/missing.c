/* SPDX-License-Identifier: MIT */
/* What a reader of the folded stacks must know: what was lost, cut or left
 * without a name, how many samples that costs, and what would cure it. */
#include "fold/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/xalloc.h"

/* Modules that get a line of their own, and the share of the samples from
 * which they do. */
enum { LINES_MAX = 5 };
static const double line_share = 0.005;

struct tally {
	uint32_t module;
	uint64_t samples;
};

struct tallies {
	/* By module index. */
	struct tally *unnamed, *truncated, *unreadable, *no_cfi;
	uint64_t n_unnamed, n_truncated, n_unreadable, n_no_cfi;
};

static bool
is_unnamed(const struct folder *f, uint32_t node)
{
	const struct location *l = &f->names.locations[f->names.of_node[node]];

	return !f->names.frames[l->first + l->n - 1].name.len;
}

static void
add_to(const struct folder *f, struct tally *t, uint64_t *total,
       uint32_t module, uint64_t samples)
{
	module = f->group[module];
	t[module].module = module;
	t[module].samples += samples;
	*total += samples;
}

/* A sample counts once for names, in the innermost module that lacks one, and
 * once for its cut, in the module where the walk ended. */
static void
tally_stack(const struct folder *f, const struct fold_count *c,
	    struct tallies *t)
{
	const struct node *nodes = f->capture.nodes.list;
	uint32_t n = c->node, inner = 0;
	bool unnamed = false;

	for (; n; inner = n, n = nodes[n].parent) {
		const struct capture_module *m =
			&f->capture.modules[nodes[n].module];
		uint32_t where = inner ? nodes[inner].module : nodes[n].module;

		if (slice_is(m->path, CAPTURE_UNREADABLE)) {
			add_to(f, t->unreadable, &t->n_unreadable, where,
			       c->samples);
		} else if (slice_is(m->path, CAPTURE_TRUNCATED)) {
			add_to(f, t->truncated, &t->n_truncated, where,
			       c->samples);
		} else if (slice_is(m->path, CAPTURE_NO_CFI)) {
			add_to(f, t->no_cfi, &t->n_no_cfi, where, c->samples);
		} else if (!slice_is(m->path, "[preempted]") &&
			   !slice_is(m->path, "[waiting]") && !unnamed &&
			   is_unnamed(f, n)) {
			unnamed = true;
			add_to(f, t->unnamed, &t->n_unnamed, nodes[n].module,
			       c->samples);
		}
	}
}

static bool
is_cut(const struct capture_module *m)
{
	return slice_is(m->path, CAPTURE_TRUNCATED) ||
	       slice_is(m->path, CAPTURE_NO_CFI);
}

/* By node: whether it, or one outwards from it, is a cut or has no name; few
 * stacks of most captures do. A node comes after its parent. */
static uint8_t *
mark_incomplete(const struct folder *f)
{
	const struct nodes *nodes = &f->capture.nodes;
	uint8_t *cut = xcalloc(f->capture.n_modules, 1);
	uint8_t *marks = xcalloc(nodes->n, 1);
	size_t i;

	for (i = 0; i < f->capture.n_modules; i++)
		cut[i] = is_cut(&f->capture.modules[i]);
	for (i = 1; i < nodes->n && f->names.n_locations; i++)
		marks[i] = marks[nodes->list[i].parent] ||
			   cut[nodes->list[i].module] ||
			   is_unnamed(f, (uint32_t)i);
	free(cut);
	return marks;
}

static int
compare_tallies(const void *pa, const void *pb)
{
	const struct tally *a = pa, *b = pb;

	if (a->samples != b->samples)
		return a->samples > b->samples ? -1 : 1;
	return (a->module > b->module) - (a->module < b->module);
}

/* What perf recorded is cured with perf's options. */
static bool
is_perf(const struct folder *f)
{
	return slice_starts(capture_meta(&f->capture, "tool"), "perf ");
}

/* Where the file of a module cannot be had, else NULL. */
static const char *
file_cure(const struct symbol_module *s)
{
	switch (s ? symbol_module_problem(s) : SYMBOL_OK) {
	case SYMBOL_NO_FILE:
		return "the file is not here: copy it and name the directory "
		       "with --sysroot";
	case SYMBOL_MISMATCH:
		return "the file here is another build than the one "
		       "recorded: keep that one and name its directory with "
		       "--sysroot";
	default:
		return NULL;
	}
}

static const char *
unnamed_cure(const struct folder *f, uint32_t module)
{
	const struct capture_module *m = &f->capture.modules[module];
	struct symbol_module *s = f->names.modules[module];

	if (slice_starts(m->path, "[jit "))
		return "code made at run time: run node with "
		       "--perf-basic-prof, python with -X perf, Java with a "
		       "perf-map agent";
	if (slice_is(m->path, "[vdso]"))
		return "the kernel that was recorded on has its code, and no "
		       "file here is that";
	if (m->base == CAPTURE_KERNEL && f->capture.n_cut_short)
		return "its symbols are in the part of the capture that is "
		       "missing";
	if (m->base == CAPTURE_KERNEL || slice_is(m->path, "[kernel]"))
		return is_perf(f) ? "the kernel's symbols could not be had"
				  : "the kernel hid its symbols: record as "
				    "root, or set kernel.kptr_restrict to 0";
	if (slice_is(m->path, "[unknown]"))
		return is_perf(f) ? "addresses that no file is mapped at; with "
				    "perf record -g, code built without frame "
				    "pointers leads there: --call-graph dwarf "
				    "does without"
				  : "addresses that no file is mapped at; with "
				    "--unwind fp, code built without frame "
				    "pointers leads there";
	if (m->base == CAPTURE_OFFSET && !is_perf(f))
		return "the file could not be read while recording";
	if (file_cure(s))
		return file_cure(s);
	switch (s ? symbol_module_problem(s) : SYMBOL_OK) {
	case SYMBOL_NOT_ELF:
		return "the file is no ELF file";
	case SYMBOL_NO_SYMBOLS:
		return "stripped: install its debug symbols (on Debian a "
		       "-dbg or -dbgsym package), or name their directory "
		       "with --debug-dir, or a server in DEBUGINFOD_URLS";
	default:
		break;
	}
	return "its symbol table has no name there";
}

static const char *
truncated_cure(const struct folder *f, uint32_t module)
{
	bool perf = is_perf(f);

	(void)module;
	if (slice_is(capture_meta(&f->capture, "unwind"), "fp"))
		return perf ? "the kernel follows so many frame pointers and "
			      "no more: raise kernel.perf_event_max_stack, or "
			      "record with --call-graph dwarf"
			    : "the kernel follows so many frame pointers and "
			      "no more: raise kernel.perf_event_max_stack, or "
			      "record with pk-sample --unwind cfi";
	if (perf)
		return "record with perf record --call-graph dwarf,65528, the "
		       "most that the kernel copies";
	return slice_is(capture_meta(&f->capture, "stack-size"), "65528")
		       ? "the stack is larger than the 64 KB that the kernel "
			 "copies; programs built with frame pointers can use "
			 "pk-sample --unwind fp"
		       : "record with a larger pk-sample --stack-size";
}

static const char *
unreadable_cure(const struct folder *f, uint32_t module)
{
	(void)f;
	(void)module;
	return "a part of the stack that was not in memory just then, or "
	       "another stack (sigaltstack); some are normal";
}

static const char *
no_cfi_cure(const struct folder *f, uint32_t module)
{
	const char *cure = file_cure(f->names.modules[module]);

	if (cure)
		return cure;
	return "no call-frame information there: install its debug "
	       "symbols, or build it with "
	       "-fasynchronous-unwind-tables or frame pointers; some "
	       "hand-written code of libraries has none";
}

static double
percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void
say_module(const struct folder *f, const struct tally *t, const char *cure)
{
	const struct capture_module *m = &f->capture.modules[t->module];

	note("  %llu (%.1f %%) in %.*s: %s", (unsigned long long)t->samples,
	     percent(t->samples, f->samples), (int)m->path.len, m->path.ptr,
	     cure);
}

/* The module with the most is always named, others from a share on. */
static void
say_modules(const struct folder *f, struct tally *t,
	    const char *(*cure)(const struct folder *f, uint32_t module))
{
	uint64_t rest = 0;
	size_t i;

	qsort(t, f->capture.n_modules, sizeof *t, compare_tallies);
	for (i = 0; i < f->capture.n_modules; i++)
		if (!i ||
		    (i < LINES_MAX && t[i].samples &&
		     (double)t[i].samples >= line_share * (double)f->samples))
			say_module(f, &t[i], cure(f, t[i].module));
		else
			rest += t[i].samples;
	if (rest)
		note("  %llu in other modules", (unsigned long long)rest);
}

static void
say_total(const struct folder *f, uint64_t n, const char *what)
{
	note("%llu of %llu samples (%.1f %%) have %s:", (unsigned long long)n,
	     (unsigned long long)f->samples, percent(n, f->samples), what);
}

/* Modules that people know by one name are counted as one: a library in many
 * captures, the run-time code of many processes. */
static uint32_t *
group_modules(const struct capture *c)
{
	struct intern names = { 0 };
	uint32_t *group = xcalloc(c->n_modules, sizeof *group);
	uint32_t *first = xcalloc(c->n_modules, sizeof *first), i;

	for (i = 0; i < c->n_modules; i++) {
		struct slice path = c->modules[i].path;
		size_t before = names.n;
		uint32_t id = intern_add(&names, slice_starts(path, "[jit ")
							 ? SLICE_LIT("[jit]")
							 : path);

		if (names.n > before)
			first[id] = i;
		group[i] = first[id];
	}
	intern_free(&names);
	free(first);
	return group;
}

static void
report_stacks(struct folder *f)
{
	size_t n = f->capture.n_modules, i;
	struct tallies t = { .unnamed = xcalloc(n, sizeof *t.unnamed),
			     .truncated = xcalloc(n, sizeof *t.truncated),
			     .unreadable = xcalloc(n, sizeof *t.unreadable),
			     .no_cfi = xcalloc(n, sizeof *t.no_cfi) };

	uint8_t *marks = mark_incomplete(f);

	f->group = group_modules(&f->capture);
	for (i = 0; i < f->n_counts; i++)
		if (marks[f->counts[i].node])
			tally_stack(f, &f->counts[i], &t);
	free(marks);
	if (t.n_truncated) {
		say_total(f, t.n_truncated,
			  "stacks cut where the recorded part ended");
		say_modules(f, t.truncated, truncated_cure);
	}
	if (t.n_unreadable) {
		say_total(f, t.n_unreadable,
			  "stacks cut where the kernel could not read them");
		say_modules(f, t.unreadable, unreadable_cure);
	}
	if (t.n_no_cfi) {
		say_total(f, t.n_no_cfi,
			  "stacks cut where unwinding had to stop");
		say_modules(f, t.no_cfi, no_cfi_cure);
	}
	if (t.n_unnamed) {
		say_total(f, t.n_unnamed, "frames without a name");
		say_modules(f, t.unnamed, unnamed_cure);
	}
	free(t.unnamed);
	free(t.truncated);
	free(t.unreadable);
	free(t.no_cfi);
	free(f->group);
}

/* What a recorder writes as `lack`: the word, and the sentence behind the
 * count. */
static const struct lack {
	const char *what, *text, *perf; /* of its recordings; NULL: the same */
} lacks[] = {
	{ "lost",
	  "records, most of them samples, were lost while recording: the "
	  "recorder found no "
	  "processor free in time; lower pk-sample -F or --stack-size",
	  "records, most of them samples, were lost while recording: lower "
	  "perf record -F, or give it larger rings with -m" },
	{ "throttled",
	  "times the kernel throttled the sampling: lower "
	  "pk-sample -F",
	  "times the kernel throttled the sampling: lower perf record -F" },
	{ "output-full",
	  "samples were left out while recording, for want of "
	  "a faster reader",
	  NULL },
	{ "exited",
	  "samples of tasks that were just ending have no stack "
	  "and are left out",
	  NULL },
};

static void
report_lack(const struct folder *f, const struct capture_count *lack)
{
	size_t i;

	for (i = 0; i < sizeof lacks / sizeof *lacks; i++)
		if (slice_is(lack->what, lacks[i].what)) {
			note("%llu %s", (unsigned long long)lack->count,
			     is_perf(f) && lacks[i].perf ? lacks[i].perf
							 : lacks[i].text);
			return;
		}
	if (slice_is(lack->what, "unsampled-ns"))
		note("%.2f s of processor time %s", (double)lack->count / 1e9,
		     slice_is(capture_meta(&f->capture, "scope"), "threads")
			     ? "went to processes too short to be sampled; "
			       "root sees them with pk-sample --per-cpu"
			     : "passed without samples: their timer came late");
	else if (slice_is(lack->what, "off-cpu-stacks"))
		note("where threads waited is not known: "
		     "kernel.perf_event_paranoid forbade it; set it to 1 or "
		     "less, or record as root");
	else if (slice_is(lack->what, "kernel-frames"))
		note("time in the kernel and its frames are left out: "
		     "kernel.perf_event_paranoid forbade them; set it to 1 or "
		     "less, or record as root");
	else
		note("missing from the capture: %.*s %llu", (int)lack->what.len,
		     lack->what.ptr, (unsigned long long)lack->count);
}

static void
report_other_events(const struct folder *f)
{
	struct buf names = { 0 };
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < f->cap_left_out && i < f->capture.n_events; i++) {
		if (!f->left_out[i])
			continue;
		if (names.len)
			buf_str(&names, ", ");
		buf_slice(&names, f->capture.events[i].name);
		n += f->left_out[i];
	}
	if (n && f->event != UINT32_MAX && !f->view.event)
		note("only '%.*s' is folded; %llu samples of other events are "
		     "left out (--event chooses): %s",
		     (int)f->capture.events[f->event].name.len,
		     f->capture.events[f->event].name.ptr,
		     (unsigned long long)n, names.ptr);
	if (n && f->event == UINT32_MAX)
		warning("no samples of '%s'; there are: %s", f->view.event,
			names.ptr);
	buf_free(&names);
}

void
folder_report(struct folder *f)
{
	size_t i;

	report_other_events(f);
	if (f->samples)
		report_stacks(f);
	else if (!f->capture.n_samples)
		warning("the capture has no samples");
	else if (f->event != UINT32_MAX || !f->view.event)
		warning("no sample passes the filters");
	for (i = 0; i < f->capture.n_lacks; i++)
		report_lack(f, &f->capture.lacks[i]);
	capture_report_skipped(&f->capture);
}
