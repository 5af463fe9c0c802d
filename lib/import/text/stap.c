/* SPDX-License-Identifier: MIT */
/*
 * SystemTap: stacks of print_stack(), print_usyms() and their like, each with
 * the number that the script printed behind it.
 *
 *	 0xffffffff8103ce3b : native_safe_halt+0xb/0x10 [kernel]
 *	 0x7f2c1a2b3c4d [/usr/lib/libc.so.6+0x2a/0x1000]
 *		2404
 */
#include "import/text/formats.h"
#include "import/text/scan.h"

/* The text behind a frame's address; of return probes, too. */
static bool
frame_text(struct slice line, struct slice *text)
{
	*text = scan_trim(line);
	if (scan_text(text, "Returning from:") ||
	    scan_text(text, "Returning to  :"))
		scan_blanks(text);
	return scan_address(text) &&
	       (!text->len || scan_is_blank(text->ptr[0]));
}

/* `[MODULE+0x1/0x2]` or `[MODULE]`. */
static struct slice
bracketed(struct slice text, struct slice *offset)
{
	size_t plus;

	text = scan_trim(text);
	*offset = (struct slice){ NULL, 0 };
	if (!scan_text(&text, "["))
		return *offset;
	text.len = scan_find_last(text, "]");
	plus = scan_find_last(text, "+0x");
	if (plus < text.len) {
		*offset = scan_from(text, plus + 1);
		offset->len = scan_find(*offset, "/");
		text.len = plus;
	}
	return text;
}

int
import_guess_stap(struct slice head)
{
	struct slice line, text, offset;

	while (scan_line(&head, &line)) {
		if (!scan_indent(line) && !slice_starts(line, "Returning "))
			continue;
		if (!frame_text(line, &text) || !text.len)
			continue;
		if (scan_text(&text, " : ") &&
		    scan_find(text, "+0x") < text.len)
			return IMPORT_YES;
		if (slice_starts(text, " [") && bracketed(text, &offset).len &&
		    offset.len)
			return 90;
	}
	return IMPORT_NO;
}

/* TEXT: `name+0x1/0x2 at FILE:0xLINE [module] (inexact)`, all but the name
 * optional. */
static void
add_named(struct import *im, struct slice text)
{
	size_t plus = scan_find(text, "+0x");
	struct slice behind = scan_from(text, plus), offset;
	struct scan_place place = { 0 };

	scan_word(&behind);
	place.module =
		bracketed(scan_from(behind, scan_find(behind, "[")), &offset);
	if (im->view->names == VIEW_NAMES_RAW && plus < text.len)
		text.len = (size_t)(behind.ptr - text.ptr);
	else
		text.len = plus;
	text = scan_trim(text);
	scan_frame(im, text.len ? text : SLICE_LIT("-"), place);
}

static void
add_frame(struct import *im, struct slice line, struct slice text)
{
	struct slice module, offset;

	if (scan_text(&text, " : ")) {
		add_named(im, text);
		return;
	}
	module = bracketed(text, &offset);
	if (module.len)
		scan_unnamed(im, module, offset);
	else
		import_frame(im, scan_trim(line));
}

void
import_read_stap(struct import *im)
{
	struct slice line, text;
	double value;

	while (import_line(im, &line)) {
		if (!scan_trim(line).len)
			continue;
		if (frame_text(line, &text))
			add_frame(im, line, text);
		else if (im->n_ids && scan_value(scan_trim(line), &value))
			import_add(im, value);
		else
			import_skip(im);
	}
	if (im->n_ids)
		import_skip(im);
	import_drop(im);
}
