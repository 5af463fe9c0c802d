/* SPDX-License-Identifier: MIT */
/*
 * Tracebacks of Python's faulthandler, of one thread or all, once or again
 * and again, among what else a program writes to its standard error. As
 * stackcollapse-faulthandler.pl has it, a frame is FILE:LINE:FUNCTION and
 * threads have no frame of their own. faulthandler writes the innermost 100
 * frames; a stack that was longer hangs from [truncated].
 */
#include "base/number.h"
#include "import/text/formats.h"
#include "import/text/scan.h"

static const char frame_begins[] = "  File \"";

static const char heading_ends[] = " (most recent call first):";

/* A thread's heading; other tools write tracebacks, too. */
static bool
is_heading(struct slice line)
{
	size_t n = sizeof heading_ends - 1;

	return line.len >= n &&
	       !memcmp(line.ptr + line.len - n, heading_ends, n) &&
	       (slice_starts(line, "Thread 0x") ||
		slice_starts(line, "Current thread 0x") ||
		slice_starts(line, "Stack "));
}

int
import_guess_faulthandler(struct slice head)
{
	struct slice line;
	bool heading = false;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	while (scan_line(&head, &line)) {
		if (heading && slice_starts(line, frame_begins))
			return IMPORT_YES;
		heading = is_heading(line);
	}
	return IMPORT_NO;
}

struct thread {
	struct buf heading; /* "Thread 0x00007f..." with --tid */
	struct buf text;
};

/* `  File "FILE", line LINE in FUNCTION`; a function's name holds no quote. */
static bool
split_frame(struct slice line, struct slice *file, struct slice *number,
	    struct slice *function)
{
	struct slice rest = scan_from(line, sizeof frame_begins - 1);
	const char *quote = rest.len ? memrchr(rest.ptr, '"', rest.len) : NULL;
	uint64_t n;

	if (!quote)
		return false;
	*file = (struct slice){ rest.ptr, (size_t)(quote - rest.ptr) };
	rest = scan_from(rest, file->len);
	if (!scan_text(&rest, "\", line "))
		return false;
	*number = scan_word(&rest);
	if (!parse_u64(*number, &n) && !slice_is(*number, "???"))
		return false;
	if (!scan_text(&rest, " in "))
		return false;
	*function = rest;
	return function->len != 0;
}

static void
read_frame(struct import *im, struct thread *t, struct slice line)
{
	struct slice file, number, function;

	if (!split_frame(line, &file, &number, &function)) {
		import_skip(im);
		return;
	}
	buf_clear(&t->text);
	if (im->view->lines) {
		buf_slice(&t->text, function);
		buf_char(&t->text, ':');
		buf_slice(&t->text, slice_basename(file));
		buf_char(&t->text, ':');
		buf_slice(&t->text, number);
	} else {
		buf_slice(&t->text, file);
		buf_char(&t->text, ':');
		buf_slice(&t->text, number);
		buf_char(&t->text, ':');
		buf_slice(&t->text, function);
	}
	import_frame(im, buf_get(&t->text));
}

static void
finish_stack(struct import *im, struct thread *t, bool truncated)
{
	if (!im->n_ids)
		return;
	if (truncated)
		import_root(im, SLICE_LIT("[truncated]"));
	if (im->view->root == VIEW_TID && t->heading.len)
		import_root(im, buf_get(&t->heading));
	import_add(im, 1);
}

/* "Current thread 0x... (most recent call first):" is "Thread 0x...". */
static void
read_heading(struct thread *t, struct slice line)
{
	static const char current[] = "Current thread ";

	buf_clear(&t->heading);
	if (slice_starts(line, current)) {
		line = scan_from(line, sizeof current - 1);
		buf_str(&t->heading, "Thread ");
	} else if (!slice_starts(line, "Thread 0x")) {
		return;
	}
	buf_add(&t->heading, line.ptr, line.len - (sizeof heading_ends - 1));
}

void
import_read_faulthandler(struct import *im)
{
	struct thread t = { { 0 }, { 0 } };
	struct slice line;

	while (import_line(im, &line)) {
		if (slice_starts(line, frame_begins)) {
			read_frame(im, &t, line);
			continue;
		}
		finish_stack(im, &t, slice_is(line, "  ..."));
		if (is_heading(line))
			read_heading(&t, line);
	}
	finish_stack(im, &t, false);
	buf_free(&t.heading);
	buf_free(&t.text);
}
