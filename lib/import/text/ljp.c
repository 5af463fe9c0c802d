/* SPDX-License-Identifier: MIT */
/*
 * The lightweight Java profiler: a count, the number of frames, and the frames.
 *
 *	42 3 	my.Prog.inner(Prog.java:455)
 *		my.Prog.outer(Prog.java:123)
 *		java.lang.Thread.run(Thread.java:744)
 *
 *	Total trace count = 42, Total traces = 1
 *
 * A trace that could not be taken has a count only. Behind the total there is
 * a table of methods.
 */
#include "import/text/formats.h"
#include "import/text/scan.h"

struct trace {
	uint64_t count, frames;
	struct slice frame; /* the first one; may be empty */
};

/* `42 3 first frame`, `42 0`, or `42`. */
static bool
is_trace(struct slice line, struct trace *t)
{
	t->frames = 0;
	if (!scan_u64(&line, &t->count))
		return false;
	if (!line.len || (scan_blanks(&line) && !line.len)) {
		t->frame = line;
		return true;
	}
	if (!scan_u64(&line, &t->frames))
		return false;
	if (line.len && !scan_blanks(&line))
		return false;
	t->frame = scan_trim(line);
	return true;
}

/* `name(File.java:12)` */
static bool
is_frame(struct slice text)
{
	size_t open = scan_find(text, "(");

	return open && open < text.len && text.ptr[text.len - 1] == ')' &&
	       scan_find((struct slice){ text.ptr, open }, " ") == open;
}

int
import_guess_ljp(struct slice head)
{
	struct slice line;
	struct trace t;

	while (scan_line(&head, &line)) {
		if (is_trace(line, &t) && t.frames && is_frame(t.frame) &&
		    memchr(t.frame.ptr, ':', t.frame.len))
			return 90;
		if (slice_starts(line, "Total trace count = "))
			return 90;
	}
	return IMPORT_NO;
}

static void
add_frame(struct import *im, struct slice text)
{
	size_t open = scan_find(text, "(");
	struct scan_place place = { .source = scan_from(text, open) };

	scan_text(&place.source, "(");
	place.source.len = scan_find(place.source, ")");
	if (!memchr(place.source.ptr, ':', place.source.len))
		place.source.len = 0;
	if (im->view->names != VIEW_NAMES_RAW)
		text.len = open;
	scan_frame(im, scan_trim(text), place);
}

static void
end_trace(struct import *im, const struct trace *t)
{
	if (t->count && !im->n_ids)
		import_frame(im, SLICE_LIT("[unknown]"));
	if (t->count)
		import_add(im, (double)t->count);
}

void
import_read_ljp(struct import *im)
{
	struct trace t = { 0 }, next;
	bool in_traces = true;
	struct slice line;

	while (import_line(im, &line)) {
		if (is_trace(line, &next) && (next.frames || in_traces)) {
			end_trace(im, &t);
			t = next;
			in_traces = true;
			if (t.frame.len)
				add_frame(im, t.frame);
		} else if (slice_starts(line, "Total ")) {
			end_trace(im, &t);
			t.count = 0;
			in_traces = false;
		} else if (in_traces && t.count && scan_indent(line) &&
			   is_frame(scan_trim(line))) {
			add_frame(im, scan_trim(line));
		} else if (in_traces && scan_trim(line).len) {
			import_skip(im);
		}
	}
	end_trace(im, &t);
}
