/* SPDX-License-Identifier: MIT */
/*
 * gdb: backtraces, one after the other (`thread apply all bt` in a loop).
 *
 *	Thread 2 (Thread 0x7f3acbf3b6c0 (LWP 13894) "name"):
 *	#0  0x000055afb4442b42 in ns::f<int> (this=0x1, n=2) at f.cc:114
 *	#1  <signal handler called>
 *	#2  0x00007f3acd2d44a3 in g () from /lib/libg.so
 *
 * Long lines may go on in the next, indented. The function ends at the
 * arguments, which are the first parenthesis behind a blank that is not inside
 * of other brackets. Without debug information the name is the linker's, and
 * has parameters of its own: `ns::f(int) ()`.
 */
#include "import/text/callee.h"
#include "import/text/formats.h"
#include "import/text/scan.h"

#include "base/number.h"

/* A line that goes on is indented by less than this; the variables that
 * `bt full` prints are not. */
enum { CONTINUED = 7 };

/* Takes `#12  ` off. */
static bool
take_number(struct slice *line, uint64_t *number)
{
	struct slice rest = *line;

	if (!scan_text(&rest, "#") || !scan_u64(&rest, number) ||
	    !scan_blanks(&rest))
		return false;
	*line = rest;
	return true;
}

int
import_guess_gdb(struct slice head)
{
	struct slice line;
	uint64_t number;
	bool thread = false;

	while (scan_line(&head, &line)) {
		if (slice_starts(line, "Thread ") &&
		    scan_find(line, "(LWP ") < line.len) {
			thread = true;
		} else if (take_number(&line, &number)) {
			if (scan_address(&line) && !scan_text(&line, " in "))
				return IMPORT_NO;
			if (scan_find(line, " (") < line.len)
				return thread ? IMPORT_YES : 80;
		}
	}
	return IMPORT_NO;
}

struct gdb {
	struct import *im;
	struct buf frame; /* a line and what continues it */
	struct buf comm;
};

/* `from MODULE` or `at FILE:LINE`, behind the arguments. */
static struct scan_place
find_place(struct slice text)
{
	struct scan_place place = { 0 };
	size_t from = scan_find_last(text, " from "),
	       at = scan_find_last(text, " at ");

	if (from < text.len)
		place.module = scan_trim(scan_from(text, from + 6));
	else if (at < text.len)
		place.source = scan_trim(scan_from(text, at + 4));
	return place;
}

static void
end_frame(struct gdb *g)
{
	const struct view *v = g->im->view;
	struct slice text = buf_get(&g->frame), name;
	struct scan_place place = { 0 };
	uint64_t number;

	if (!text.len)
		return;
	take_number(&text, &number);
	name = text;
	if (scan_address(&name) && scan_text(&name, " in "))
		text = name;
	name = scan_trim(text);
	if (!slice_starts(name, "<signal handler") &&
	    !slice_starts(name, "<function called")) {
		name.len = callee_length(name);
		if (v->modules || v->lines)
			place = find_place(scan_from(
				text,
				(size_t)(name.ptr + name.len - text.ptr)));
		name = callee_name(v, name);
	}
	scan_frame(g->im, name.len ? name : SLICE_LIT("??"), place);
	buf_clear(&g->frame);
}

static void
end_stack(struct gdb *g)
{
	struct import *im = g->im;
	struct buf *b = &g->frame;

	end_frame(g);
	if (!im->n_ids)
		return;
	if (im->view->root == VIEW_TID && im->origin.tid != UINT64_MAX) {
		buf_clear(b);
		buf_slice(b, g->comm.len ? buf_get(&g->comm)
					 : SLICE_LIT("[unknown]"));
		buf_printf(b, "-?/%llu", (unsigned long long)im->origin.tid);
		import_root(im, buf_get(b));
		buf_clear(b);
	}
	import_add(im, 1);
}

/* `Thread 2 (Thread 0x7f3a (LWP 13894) "name"):` */
static void
begin_thread(struct gdb *g, struct slice line)
{
	struct import_origin *o = &g->im->origin;
	struct slice text = scan_from(line, scan_find(line, "LWP "));
	size_t quote;

	buf_clear(&g->comm);
	o->tid = UINT64_MAX;
	if (scan_text(&text, "LWP "))
		scan_u64(&text, &o->tid);
	quote = scan_find(text, "\"");
	if (quote < text.len) {
		text = scan_from(text, quote + 1);
		text.len = scan_find_last(text, "\"");
		if (text.len <= 64)
			buf_slice(&g->comm, text);
	}
	o->comm = g->comm.len ? buf_get(&g->comm) : (struct slice){ NULL, 0 };
}

static void
read_line(struct gdb *g, struct slice line)
{
	size_t indent = scan_indent(line);
	struct slice rest = line;
	uint64_t number;

	if (take_number(&rest, &number)) {
		if (number)
			end_frame(g);
		else
			end_stack(g);
		buf_slice(&g->frame, line);
	} else if (indent == line.len) {
		end_stack(g);
	} else if (indent && indent < CONTINUED && g->frame.len) {
		buf_char(&g->frame, ' ');
		buf_slice(&g->frame, scan_trim(line));
	} else if (slice_starts(line, "Thread ")) {
		end_stack(g);
		begin_thread(g, line);
	} else if (slice_starts(line, "#")) {
		import_skip(g->im);
	}
}

void
import_read_gdb(struct import *im)
{
	struct gdb g = { .im = im };
	struct slice line;

	while (import_line(im, &line))
		read_line(&g, line);
	end_stack(&g);
	buf_free(&g.frame);
	buf_free(&g.comm);
}
