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
	bool heading = false;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	while (head.ptr && head.len) {
		struct slice line = slice_cut(&head, '\n');

		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
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

/* `  File "FILE", line LINE in FUNCTION`; FILE is what stands before the last
 * such mark, as a function's name holds no blank. */
static bool
split_frame(struct slice line, struct slice *file, struct slice *number,
	    struct slice *function)
{
	static const char mark[] = "\", line ";
	const char *at = NULL, *next;
	struct slice rest = line;
	uint64_t n;

	rest.ptr += sizeof frame_begins - 1;
	rest.len -= sizeof frame_begins - 1;
	*file = rest;
	while ((next = memmem(rest.ptr, rest.len, mark, sizeof mark - 1))) {
		at = next;
		rest.len -= (size_t)(next + 1 - rest.ptr);
		rest.ptr = next + 1;
	}
	if (!at)
		return false;
	file->len = (size_t)(at - file->ptr);
	rest.ptr = at + sizeof mark - 1;
	rest.len = (size_t)(line.ptr + line.len - rest.ptr);
	*number = slice_cut(&rest, ' ');
	if (!slice_starts(rest, "in ") ||
	    !(parse_u64(*number, &n) || slice_is(*number, "???")))
		return false;
	*function = (struct slice){ rest.ptr + 3, rest.len - 3 };
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
		line.ptr += sizeof current - 1;
		line.len -= sizeof current - 1;
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
