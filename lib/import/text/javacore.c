/* SPDX-License-Identifier: MIT */
/*
 * Java dumps of OpenJ9 and IBM's virtual machines, javacore*.txt. As
 * stackcollapse-ibmjava.pl has it, every thread counts, whatever its state,
 * with its Java stack, and by its name alone if it only has a native one. The
 * current thread is listed twice in a dump and counts once.
 */
#include "base/number.h"
#include "import/text/formats.h"
#include "import/text/java.h"
#include "import/text/scan.h"

struct thread {
	bool open, has_native;
	struct buf name;
	uint64_t address, pid, tid;
	uint64_t current; /* the current thread's address; 0: none in sight */
	bool in_current;  /* in the section that shows it alone */
};

int
import_guess_javacore(struct slice head)
{
	static const char *const marks[] = { "\n3XMTHREADINFO ",
					     "\n0SECTION " };
	size_t i;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	for (i = 0; i < sizeof marks / sizeof *marks; i++)
		if (slice_starts(head, marks[i] + 1) ||
		    memmem(head.ptr, head.len, marks[i], strlen(marks[i])))
			return IMPORT_YES;
	return IMPORT_NO;
}

static bool
is_known_already(struct thread *t)
{
	if (t->in_current) {
		t->current = t->address;
		return false;
	}
	return t->address && t->address == t->current;
}

static void
finish_thread(struct import *im, struct thread *t)
{
	if (!t->open)
		return;
	t->open = false;
	im->origin.comm = buf_get(&t->name);
	im->origin.pid = t->pid;
	im->origin.tid = t->tid;
	if ((!im->n_ids && !t->has_native) || is_known_already(t)) {
		im->samples++;
		import_drop(im);
		return;
	}
	java_root(im, buf_get(&t->name), t->pid, t->tid);
	import_add(im, 1);
}

/* The hexadecimal number behind MARK, or NONE. */
static uint64_t
hex_behind(struct slice text, const char *mark, uint64_t none)
{
	const char *at = memmem(text.ptr, text.len, mark, strlen(mark));
	struct slice digits;
	uint64_t number;
	size_t n = 0;

	if (!at)
		return none;
	at += strlen(mark);
	digits.ptr = at;
	while (at + n < text.ptr + text.len &&
	       memchr("0123456789abcdefABCDEF", at[n], 22))
		n++;
	digits.len = n;
	return parse_hex(digits, &number) ? number : none;
}

/* "NAME" J9VMThread:0x..., ... or Anonymous native thread. */
static void
begin_thread(struct import *im, struct thread *t, struct slice text)
{
	static const char behind[] = "\" J9VMThread:";
	const char *end = NULL;

	finish_thread(im, t);
	import_drop(im);
	buf_clear(&t->name);
	if (slice_starts(text, "Anonymous native thread")) {
		buf_str(&t->name, "Anonymous native thread");
	} else if (text.len > 1 && *text.ptr == '"') {
		end = memmem(text.ptr, text.len, behind, sizeof behind - 1);
		if (!end)
			end = memchr(text.ptr + 1, '"', text.len - 1);
	}
	if (end)
		buf_add(&t->name, text.ptr + 1, (size_t)(end - text.ptr - 1));
	t->open = end || t->name.len;
	if (!t->open)
		import_skip(im);
	t->has_native = false;
	t->address = hex_behind(text, "J9VMThread:0x", 0);
	t->tid = UINT64_MAX;
}

static void
read_frame(struct import *im, struct thread *t, struct slice text)
{
	if (t->open && !java_frame(im, text))
		import_skip(im);
}

static void
read_other(struct import *im, struct thread *t, struct slice line,
	   struct slice tag, struct slice text)
{
	uint64_t pid;

	if (slice_starts(tag, "1XMCURTHDINFO")) {
		t->in_current = true;
	} else if (slice_starts(tag, "1XMTHDINFO")) {
		finish_thread(im, t);
		t->in_current = false;
	} else if (slice_is(tag, "0SECTION")) {
		finish_thread(im, t);
		t->in_current = false;
		if (slice_starts(text, "TITLE"))
			t->current = 0;
	} else if (slice_is(tag, "1CIPROCESSID")) {
		pid = hex_behind(text, "(0x", UINT64_MAX);
		t->pid = pid;
	} else if (!slice_is(tag, "NULL") &&
		   (*line.ptr < '0' || *line.ptr > '9')) {
		import_skip(im);
	}
}

static void
read_line(struct import *im, struct thread *t, struct slice line)
{
	struct slice text = line, tag = slice_cut(&text, ' ');

	text = scan_from(text, scan_indent(text));
	if (!line.len || *line.ptr == '#')
		return;
	if (slice_is(tag, "4XESTACKTRACE"))
		read_frame(im, t, text);
	else if (slice_is(tag, "3XMTHREADINFO"))
		begin_thread(im, t, text);
	else if (slice_is(tag, "3XMTHREADINFO1"))
		t->tid = hex_behind(text, "native thread ID:0x", UINT64_MAX);
	else if (slice_is(tag, "3XMTHREADINFO3"))
		t->has_native |= slice_starts(text, "Native callstack:");
	else
		read_other(im, t, line, tag, text);
}

void
import_read_javacore(struct import *im)
{
	struct thread t = { .pid = UINT64_MAX, .tid = UINT64_MAX };
	struct slice line;

	while (import_line(im, &line))
		read_line(im, &t, line);
	finish_thread(im, &t);
	buf_free(&t.name);
}
