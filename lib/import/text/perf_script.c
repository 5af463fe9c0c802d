/* SPDX-License-Identifier: MIT */
/* perf script, the text: recognising it, and reading it with two threads where
 * that helps. */
#include "import/text/perf_script.h"

#include "import/text/formats.h"

/* ---- the guess ---- */

struct evidence {
	size_t sure, maybe, frames, with_dso;
	bool after_event;
};

static void
weigh_line(struct evidence *v, struct slice line)
{
	struct perf_event e;
	struct perf_frame f;
	enum perf_sureness sure = PERF_NO;

	if (!line.len || *line.ptr == '#')
		return;
	if (*line.ptr != '\t')
		sure = perf_event_parse(line, &e);
	if (sure == PERF_SURE && (e.time != UINT64_MAX || e.name.len)) {
		v->sure++;
		v->frames += perf_frame_parse(e.rest, &f) && f.dso.len;
		v->after_event = true;
	} else if (v->after_event && perf_frame_parse(line, &f) &&
		   (f.dso.len || f.name.len)) {
		v->frames++;
		v->with_dso += f.dso.len > 0;
	} else if (sure != PERF_NO) {
		v->maybe++;
		v->after_event = true;
	}
}

int
import_guess_perf_script(struct slice head)
{
	struct evidence v = { 0 };

	if (!head.len || memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	while (head.ptr && head.len)
		weigh_line(&v, slice_cut(&head, '\n'));
	if (v.sure && v.frames)
		return IMPORT_YES;
	if (v.sure)
		return 70;
	return v.maybe && v.with_dso ? 60 : IMPORT_NO;
}

/* ---- reading ---- */

void
import_read_perf_script(struct import *im)
{
	perf_read_all(im);
}
