/* SPDX-License-Identifier: MIT */
/*
 * eu-stack of elfutils: threads of processes or core files, again and again.
 *
 *	PID 13887 - process
 *	TID 13887:
 *	#0  0x000055afb4442968     mix - /usr/bin/app
 *	    /src/app.cc:48:16
 *	#1  0x000055afb4442a19 - 1 run(int) - /usr/bin/app
 *
 * Between the address and the name -a leaves four columns, where ` - 1` means
 * that the address is that of a return; -m adds the module, -s the line, -b a
 * line with the build id.
 */
#include "import/text/formats.h"
#include "import/text/scan.h"

/* Takes `#12 0x1234` off. */
static bool
take_address(struct slice *line)
{
	struct slice rest = *line;
	uint64_t number;

	if (!scan_text(&rest, "#") || !scan_u64(&rest, &number) ||
	    !scan_blanks(&rest) || !scan_address(&rest) ||
	    (rest.len && rest.ptr[0] != ' '))
		return false;
	*line = rest;
	return true;
}

static bool
take_id(struct slice line, const char *what, uint64_t *id)
{
	return scan_text(&line, what) && scan_u64(&line, id);
}

int
import_guess_eu_stack(struct slice head)
{
	struct slice line;
	uint64_t id;
	bool thread = false;

	while (scan_line(&head, &line)) {
		if (take_id(line, "TID ", &id) && line.ptr[line.len - 1] == ':')
			thread = true;
		if (thread && take_address(&line) &&
		    !slice_starts(line, " in "))
			return IMPORT_YES;
	}
	return IMPORT_NO;
}

struct eu_stack {
	struct import *im;
	struct buf name, module, source; /* of the frame in the making */
	bool in_frame;
};

/* The module behind ` - `: a path, or the vdso in brackets. */
static size_t
find_module(struct slice text)
{
	size_t path = scan_find_last(text, " - /"),
	       bracket = scan_find_last(text, " - [");

	if (path == text.len)
		return bracket;
	return bracket < text.len && bracket > path ? bracket : path;
}

static void
end_frame(struct eu_stack *e)
{
	struct scan_place place = { buf_get(&e->module), buf_get(&e->source) };

	if (!e->in_frame)
		return;
	if (e->name.len)
		scan_frame(e->im, buf_get(&e->name), place);
	else
		scan_unnamed(e->im, place.module, (struct slice){ NULL, 0 });
	e->in_frame = false;
}

static void
begin_frame(struct eu_stack *e, struct slice text)
{
	size_t module;

	end_frame(e);
	e->in_frame = true;
	buf_clear(&e->name);
	buf_clear(&e->module);
	buf_clear(&e->source);
	if (!scan_text(&text, " - 1 ") && scan_text(&text, " - 1"))
		return;
	module = find_module(text);
	if (module < text.len)
		buf_slice(&e->module, scan_trim(scan_from(text, module + 3)));
	text.len = module;
	buf_slice(&e->name, scan_trim(text));
}

/* The root that stackcollapse-elfutils.pl has for --pid and --tid. */
static void
add_root(const struct eu_stack *e)
{
	const struct import_origin *o = &e->im->origin;
	struct buf b = { 0 };

	if (e->im->view->root == VIEW_PID && o->pid != UINT64_MAX)
		buf_printf(&b, "PID=%llu", (unsigned long long)o->pid);
	else if (e->im->view->root == VIEW_TID && o->tid != UINT64_MAX)
		buf_printf(&b, "TID=%llu", (unsigned long long)o->tid);
	if (b.len)
		import_root(e->im, buf_get(&b));
	buf_free(&b);
}

static void
end_stack(struct eu_stack *e)
{
	end_frame(e);
	if (!e->im->n_ids)
		return;
	add_root(e);
	import_add(e->im, 1);
}

/* `/src/app.cc:48:16`, of which the column says nothing here. */
static void
read_source(struct eu_stack *e, struct slice text)
{
	size_t column = scan_find_last(text, ":"),
	       line = scan_find_last((struct slice){ text.ptr, column }, ":");

	if (line < column)
		text.len = column;
	buf_clear(&e->source);
	buf_slice(&e->source, text);
}

static void
read_line(struct eu_stack *e, struct slice line)
{
	struct import_origin *o = &e->im->origin;
	struct slice text = line;
	uint64_t id;

	if (take_address(&text)) {
		begin_frame(e, text);
	} else if (scan_indent(line)) {
		text = scan_trim(line);
		if (e->in_frame && text.len && text.ptr[0] != '[')
			read_source(e, text);
	} else if (take_id(line, "PID ", &id)) {
		end_stack(e);
		o->pid = id;
		o->tid = UINT64_MAX;
	} else if (take_id(line, "TID ", &id)) {
		end_stack(e);
		o->tid = id;
	} else if (line.len && !slice_starts(line, "eu-stack: ") &&
		   !slice_starts(line, "0x")) {
		import_skip(e->im);
	}
}

void
import_read_eu_stack(struct import *im)
{
	struct eu_stack e = { .im = im };
	struct slice line;

	while (import_line(im, &line))
		read_line(&e, line);
	end_stack(&e);
	buf_free(&e.name);
	buf_free(&e.module);
	buf_free(&e.source);
}
