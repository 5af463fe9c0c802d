/* SPDX-License-Identifier: MIT */
/*
 * The wall-clock profiler, which asks gdb where a program is: the part of its
 * report that lists whole stacks.
 *
 *	Full stacks with more than one sample:
 *
 *	81.789% ===================================== (256 samples)
 *	        1: read   (at ../sysdeps/unix/syscall-template.S:81)
 *	             81:|   the source line
 *	        2: main   (at testProf.cpp:41)
 *
 * Older versions list nothing else, behind `Report:`, and only say
 * `313 stack samples taken` for all.
 */
#include <math.h>

#include "base/number.h"
#include "import/text/formats.h"
#include "import/text/scan.h"

struct heading {
	double percent;
	bool counted;
	uint64_t samples;
};

/* `81.789% ==== (256 samples)` */
static bool
is_heading(struct slice text, struct heading *h)
{
	struct slice percent = { text.ptr, scan_find(text, "% =") };

	if (percent.len == text.len || !parse_double(percent, &h->percent))
		return false;
	text = scan_from(text, percent.len + 2);
	while (scan_text(&text, "="))
		;
	scan_blanks(&text);
	h->counted = scan_text(&text, "(") && scan_u64(&text, &h->samples) &&
		     slice_is(text, " samples)");
	return h->counted || !text.len;
}

/* `2: main   (at testProf.cpp:41)` */
static bool
is_frame(struct slice text, struct slice *frame)
{
	uint64_t number;

	if (!scan_u64(&text, &number) || !scan_text(&text, ": "))
		return false;
	*frame = scan_trim(text);
	return frame->len > 0;
}

int
import_guess_wall_clock(struct slice head)
{
	struct slice line;
	struct heading h;

	while (scan_line(&head, &line)) {
		if (slice_starts(line, "Full stacks with "))
			return IMPORT_YES;
		if (is_heading(scan_trim(line), &h))
			return 90;
	}
	return IMPORT_NO;
}

struct wall_clock {
	struct import *im;
	bool full;	/* behind `Full stacks` */
	bool report;	/* behind `Report:`; until the other appears */
	bool in_stack;	/* behind a heading that counts */
	uint64_t taken; /* samples in all */
	double samples; /* of this stack */
};

static void
add_frame(struct import *im, struct slice text)
{
	size_t at = scan_find_last(text, "(at ");
	struct scan_place place = { 0 };

	if (at < text.len && text.ptr[text.len - 1] == ')') {
		place.source = scan_from(text, at + 4);
		place.source.len--;
		text.len = at;
	}
	scan_frame(im, scan_trim(text), place);
}

static void
end_stack(struct wall_clock *w)
{
	if (w->im->n_ids)
		import_add(w->im, w->samples);
	w->in_stack = false;
}

static void
begin_stack(struct wall_clock *w, const struct heading *h)
{
	end_stack(w);
	if (h->counted)
		w->samples = (double)h->samples;
	else
		w->samples = rint(h->percent / 100 * (double)w->taken);
	/* Only the old report has no counts, and stacks alone. */
	w->in_stack = w->full || (w->report && !h->counted);
}

static void
read_line(struct wall_clock *w, struct slice text)
{
	struct heading h;
	struct slice rest = text, frame;
	uint64_t number;

	if (slice_starts(text, "Full stacks")) {
		end_stack(w);
		w->full = true;
	} else if (slice_is(text, "Report:")) {
		w->report = true;
	} else if (is_heading(text, &h)) {
		begin_stack(w, &h);
	} else if (!text.len) {
		end_stack(w);
	} else if (w->in_stack && is_frame(text, &frame)) {
		add_frame(w->im, frame);
	} else if (scan_u64(&rest, &number)) {
		if (slice_is(rest, " stack samples taken"))
			w->taken = number;
		else if (w->in_stack && !slice_starts(rest, ":|"))
			import_skip(w->im);
	} else if (w->in_stack) {
		import_skip(w->im);
	}
}

void
import_read_wall_clock(struct import *im)
{
	struct wall_clock w = { .im = im };
	struct slice line;

	while (import_line(im, &line))
		read_line(&w, scan_trim(line));
	end_stack(&w);
}
