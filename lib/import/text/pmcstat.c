/* SPDX-License-Identifier: MIT */
/*
 * pmcstat -G of FreeBSD: a tree of callers for each function that was sampled,
 * innermost first, with the samples of each node in brackets.
 *
 *	@ unhalted-cycles [554 samples]
 *
 *	03.07%  [17]       witness_unlock @ /boot/kernel/kernel
 *	 70.59%  [12]        __mtx_unlock_flags
 *	  16.67%  [2]          selfdfree
 *
 * Samples that the callers of a node do not account for are of stacks that end
 * there. The path is printed where it is another than the line's before.
 */
#include "base/xalloc.h"
#include "import/text/formats.h"
#include "import/text/outline.h"
#include "import/text/scan.h"

static bool
take_node(struct slice *line, size_t *column, uint64_t *samples)
{
	struct slice rest = *line;
	uint64_t number;

	*column = scan_indent(rest);
	rest = scan_from(rest, *column);
	if (!scan_u64(&rest, &number))
		return false;
	if (scan_text(&rest, ".") && !scan_u64(&rest, &number))
		return false;
	if (!scan_text(&rest, "%  [") || !scan_u64(&rest, samples) ||
	    !scan_text(&rest, "]") || !scan_blanks(&rest) || !rest.len)
		return false;
	*line = rest;
	return true;
}

int
import_guess_pmcstat(struct slice head)
{
	struct slice line;
	uint64_t samples;
	size_t column;

	while (scan_line(&head, &line))
		if (take_node(&line, &column, &samples))
			return IMPORT_YES;
	return IMPORT_NO;
}

/* `@ EVENT [N samples]`: whether its samples count. */
static bool
read_event(struct import *im, struct slice line)
{
	size_t bracket = scan_find_last(line, " [");
	struct slice number = scan_from(line, bracket), event = line;
	uint64_t samples = 0;
	bool wanted;

	event.len = bracket;
	scan_text(&event, "@ ");
	event = scan_trim(event);
	wanted = import_wants_event(im, event);
	if (scan_text(&number, " [") && scan_u64(&number, &samples) && samples)
		im->event_samples[intern_add(&im->events, event)] +=
			samples - 1;
	return wanted;
}

struct pmcstat {
	struct import *im;
	struct outline tree;
	struct buf module, name;
};

/* TEXT: `function @ /path`. */
static void
add_node(struct pmcstat *p, struct slice text, size_t column, uint64_t samples)
{
	struct slice name = scan_word(&text);
	struct buf *b = &p->name;

	if (scan_text(&text, " @ ")) {
		buf_clear(&p->module);
		buf_slice(&p->module, scan_trim(text));
	}
	if (p->im->view->modules && p->module.len) {
		buf_clear(b);
		buf_slice(b, slice_basename(buf_get(&p->module)));
		buf_char(b, '`');
		buf_slice(b, name);
		name = buf_get(b);
	}
	outline_add(&p->tree, p->im, column, name, (double)samples);
}

void
import_read_pmcstat(struct import *im)
{
	struct pmcstat p = { .im = im };
	bool wanted = true;
	struct slice line;
	uint64_t samples;
	size_t column;

	while (import_line(im, &line)) {
		if (slice_starts(line, "@ ")) {
			wanted = read_event(im, line);
		} else if (take_node(&line, &column, &samples)) {
			if (wanted)
				add_node(&p, line, column, samples);
		} else if (scan_trim(line).len) {
			import_skip(im);
		}
	}
	outline_end(&p.tree, im);
	outline_free(&p.tree);
	buf_free(&p.module);
	buf_free(&p.name);
}
