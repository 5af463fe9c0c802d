/* SPDX-License-Identifier: MIT */
/* perf script, the text: recognising it, and reading it with two threads where
 * that helps. */
#include "import/text/perf_script.h"

#include "import/text/formats.h"

/* ---- the guess ---- */

struct evidence {
	size_t sure, maybe, frames, with_dso;
	/* Without times, events and modules: events with a frame right behind
	 * them, and lines that are neither. */
	size_t bare, other;
	bool after_event, after_maybe;
};

/* Whether LINE begins as perf's frames do: a tab, and an address that is
 * padded to 16 places or has several digits. */
static bool
is_bare_frame(struct slice line, const struct perf_frame *f)
{
	size_t end = (size_t)(f->pc.ptr + f->pc.len - line.ptr);

	return *line.ptr == '\t' && f->name.len &&
	       (end == 17 || f->pc.len >= 4);
}

/* A path, [kernel.kallsyms] and the like, or `inlined`. */
static bool
is_dso(struct slice dso)
{
	return dso.len &&
	       (*dso.ptr == '/' || *dso.ptr == '[' || slice_is(dso, "inlined"));
}

static void
weigh_line(struct evidence *v, struct slice line)
{
	struct perf_event e;
	struct perf_frame f;
	enum perf_sureness sure = PERF_NO;

	bool after_maybe = v->after_maybe;

	if (!line.len || *line.ptr == '#')
		return;
	v->after_maybe = false;
	if (*line.ptr != '\t')
		sure = perf_event_parse(line, &e);
	if (sure == PERF_SURE && (e.time != UINT64_MAX || e.name.len)) {
		v->sure++;
		v->frames += perf_frame_parse(e.rest, &f) && f.dso.len;
		v->after_event = true;
	} else if (v->after_event &&
		   (*line.ptr == '\t' || *line.ptr == ' ' || sure == PERF_NO) &&
		   perf_frame_parse(line, &f) && (f.dso.len || f.name.len)) {
		v->frames++;
		v->with_dso += is_dso(f.dso);
		v->bare += after_maybe && is_bare_frame(line, &f);
	} else if (sure != PERF_NO) {
		v->maybe++;
		v->after_event = v->after_maybe = true;
	} else {
		v->other++;
	}
}

/* Prose and source code have lines like these, too, but not so many. */
static int
weigh(const struct evidence *v)
{
	size_t good = v->sure + v->maybe + v->frames;

	if (v->other > good)
		return IMPORT_NO;
	if (v->sure && v->sure >= v->maybe)
		return v->frames ? IMPORT_YES : 70;
	if (v->other * 4 > good)
		return IMPORT_NO;
	return v->maybe && (v->with_dso || v->bare * 2 > v->maybe) ? 60
								   : IMPORT_NO;
}

int
import_guess_perf_script(struct slice head)
{
	struct evidence v = { 0 };

	if (!head.len || memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	while (head.ptr && head.len)
		weigh_line(&v, slice_cut(&head, '\n'));
	return weigh(&v);
}

/* ---- reading ---- */

void
import_read_perf_script(struct import *im)
{
	perf_read_all(im);
}
