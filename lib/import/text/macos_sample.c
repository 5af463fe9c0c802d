/* SPDX-License-Identifier: MIT */
/*
 * sample(1) of macOS: the call graph of its report, a tree of totals with the
 * outermost frame first.
 *
 *	Call graph:
 *	    2569 Thread_1447670   DispatchQueue_1: com.apple.main-thread
 *(serial)
 *	    + 2569 start  (in libdyld.dylib) + 1  [0x7fff898e75c9]
 *	    +   ! 2500 -[NSApplication run]  (in AppKit) + 594  [0x7fff865c9e23]
 *
 *	Total number in stack (recursive counted multiple, when >=5):
 *
 * A frame is module`function, the module without .dylib; what follows a
 * thread's number, and the selector of a method, are joined by a point.
 */
#include "import/text/formats.h"
#include "import/text/outline.h"
#include "import/text/scan.h"

enum { GRAPH_INDENT = 4 };

static bool
is_graph(struct slice line)
{
	return slice_starts(line, "Call graph");
}

/* Takes a node's total off, and the blank behind it. */
static bool
take_total(struct slice line, size_t *column, uint64_t *total,
	   struct slice *text)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] && strchr(" +!:|", line.ptr[n]))
		n++;
	if (n < GRAPH_INDENT)
		return false;
	*column = n;
	*text = scan_from(line, n);
	return scan_u64(text, total) && scan_blanks(text);
}

int
import_guess_macos_sample(struct slice head)
{
	struct slice line, text;
	uint64_t total;
	size_t column;
	bool graph = false;

	while (scan_line(&head, &line)) {
		if (slice_starts(line, "Analysis of sampling "))
			return IMPORT_YES;
		graph = graph || is_graph(line);
		if (graph && take_total(line, &column, &total, &text))
			return 90;
	}
	return IMPORT_NO;
}

struct sample {
	struct import *im;
	struct outline tree;
	struct buf name, comm;
	bool in_graph;
};

/* MODULE without every ".dylib". */
static void
add_module(struct buf *b, struct slice module)
{
	while (module.len) {
		size_t n = scan_find(module, ".dylib");

		buf_slice(b, (struct slice){ module.ptr, n });
		module = scan_from(module, n);
		scan_text(&module, ".dylib");
	}
}

/* `0xca4e3d` of `load address 0x10177d000 + 0xca4e3d  [0x102421e3d]`. */
static struct slice
load_offset(struct slice text)
{
	struct slice offset = { NULL, 0 };

	text = scan_from(text, scan_find(text, "load address "));
	if (!scan_text(&text, "load address ") || !scan_address(&text) ||
	    !scan_text(&text, " + "))
		return offset;
	offset.ptr = text.ptr;
	if (scan_address(&text))
		offset.len = (size_t)(text.ptr - offset.ptr);
	return offset;
}

/* The name of a thread, or of a frame without a module: the first two words
 * of the first, all of the second. */
static void
name_alone(struct buf *b, struct slice text)
{
	size_t end = scan_find(text, "  [");
	bool thread = slice_starts(text, "Thread_");

	if (!thread) {
		text = scan_trim((struct slice){ text.ptr, end });
		buf_slice(b, text.len ? text : SLICE_LIT("???"));
		return;
	}
	buf_slice(b, scan_word(&text));
	scan_blanks(&text);
	if (text.len) {
		buf_char(b, '.');
		buf_slice(b, scan_word(&text));
	}
}

/* `name  (in module) + 13  [0x7fff8a477fb9]` */
static void
name_node(struct sample *s, struct slice text)
{
	size_t in = scan_find(text, " (in "), i;
	struct slice name = { text.ptr, in }, module, offset;
	struct buf *b = &s->name;

	buf_clear(b);
	if (in == text.len) {
		name_alone(b, text);
		return;
	}
	module = scan_from(text, in + 5);
	module.len = scan_find(module, ")");
	name = scan_trim(name);
	offset = load_offset(text);
	if (s->im->view->addrs && slice_is(name, "???") && offset.len) {
		buf_char(b, '[');
		add_module(b, module);
		buf_char(b, '+');
		buf_slice(b, offset);
		buf_char(b, ']');
		return;
	}
	add_module(b, module);
	buf_char(b, '`');
	i = b->len;
	buf_slice(b, name);
	/* -[Class selector] */
	if (name.len > 2 && (name.ptr[0] == '-' || name.ptr[0] == '+') &&
	    name.ptr[1] == '[' && scan_find(name, " ") < name.len)
		b->ptr[i + scan_find(name, " ")] = '.';
}

/* `Process:         Sequel Pro [3743]` */
static void
read_process(struct sample *s, struct slice line)
{
	struct import_origin *o = &s->im->origin;
	size_t bracket = scan_find_last(line, " [");
	struct slice pid = scan_from(line, bracket);

	buf_clear(&s->comm);
	o->pid = UINT64_MAX;
	line.len = bracket;
	scan_text(&line, "Process:");
	line = scan_trim(line);
	if (line.len <= 256)
		buf_slice(&s->comm, line);
	if (scan_text(&pid, " ["))
		scan_u64(&pid, &o->pid);
	o->comm = s->comm.len ? buf_get(&s->comm) : (struct slice){ NULL, 0 };
}

static void
read_node(struct sample *s, struct slice line)
{
	struct slice text;
	uint64_t total;
	size_t column;

	if (take_total(line, &column, &total, &text)) {
		name_node(s, text);
		outline_add(&s->tree, s->im, column, buf_get(&s->name),
			    (double)total);
	} else if (scan_trim(line).len) {
		import_skip(s->im);
	}
}

void
import_read_macos_sample(struct import *im)
{
	struct sample s = { .im = im };
	struct slice line;

	im->outermost_first = true;
	while (import_line(im, &line)) {
		if (is_graph(line)) {
			s.in_graph = true;
		} else if (s.in_graph && slice_starts(line, "Total number")) {
			outline_end(&s.tree, im);
			s.in_graph = false;
		} else if (s.in_graph) {
			read_node(&s, line);
		} else if (slice_starts(line, "Process:")) {
			read_process(&s, line);
		}
	}
	outline_end(&s.tree, im);
	outline_free(&s.tree);
	buf_free(&s.name);
	buf_free(&s.comm);
}
