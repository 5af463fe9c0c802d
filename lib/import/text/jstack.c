/* SPDX-License-Identifier: MIT */
/*
 * Thread dumps of HotSpot: jstack, jcmd Thread.print, kill -QUIT; any number
 * of them one after the other. As stackcollapse-jstack.pl has it, threads that
 * run count, under their name without the number at its end; those of the
 * virtual machine itself do not, nor those that only look as if they ran: they
 * wait in a native method that the virtual machine knows nothing of. Its list
 * of both is brought up to date.
 */
#include "base/number.h"
#include "import/text/formats.h"
#include "import/text/java.h"
#include "import/text/scan.h"

enum state { UNKNOWN, RUNNABLE, RESTING };

struct thread {
	bool open;
	enum state state;
	struct buf name;
	uint64_t pid, tid;
	size_t mounted_at; /* frames of the carrier; 0: not a carrier */
	bool aside;	   /* in a section that is not about threads */
};

int
import_guess_jstack(struct slice head)
{
	static const char *const marks[] = { "\nFull thread dump ",
					     "   java.lang.Thread.State: " };
	size_t i;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	if (slice_starts(head, marks[0] + 1))
		return IMPORT_YES;
	for (i = 0; i < sizeof marks / sizeof *marks; i++)
		if (memmem(head.ptr, head.len, marks[i], strlen(marks[i])))
			return IMPORT_YES;
	return IMPORT_NO;
}

static bool
holds(struct slice s, const char *part)
{
	return scan_find(s, part) < s.len;
}

static bool
ends(struct slice s, const char *tail)
{
	size_t n = strlen(tail);

	return s.len >= n && !memcmp(s.ptr + s.len - n, tail, n);
}

/* Threads of the virtual machine, which has no Java stack to show. */
static bool
is_background(struct slice name)
{
	static const char *const own[] = {
		"1 CompilerThread",    "2 CompilerThread",
		"Signal Dispatcher",   "Service Thread",
		"Attach Listener",     "Monitor Deflation Thread",
		"Notification Thread", "Sweeper thread",
		"DestroyJavaVM",
	};
	size_t i;

	for (i = 0; i < sizeof own / sizeof *own; i++)
		if (holds(name, own[i]))
			return true;
	return false;
}

/* Methods that wait while their thread is called runnable. */
static bool
is_waiting(struct slice method)
{
	static const char *const tails[] = {
		"socketAccept",
		"socketRead0",
		"sun.nio.ch.Net.accept",
		"sun.nio.ch.Net.poll",
		"sun.nio.ch.EPoll.wait",
		"sun.nio.ch.SocketDispatcher.read0",
		"sun.nio.ch.UnixDomainSockets.accept0",
		"sun.nio.fs.LinuxWatchService.poll",
		"Reference.waitForReferencePendingList",
		"ProcessHandleImpl.waitForProcessExit0",
		"VirtualThread.takeVirtualThreadListToUnblock",
	};
	size_t i;

	if (holds(method, "epollWait") ||
	    (holds(method, "Socket") && ends(method, "accept0")))
		return true;
	for (i = 0; i < sizeof tails / sizeof *tails; i++)
		if (ends(method, tails[i]))
			return true;
	return false;
}

/* Of a thread without a state, a virtual thread's carrier. */
static bool
is_parked(struct slice method)
{
	return ends(method, "Unsafe.park") ||
	       ends(method, "java.lang.Object.wait0") ||
	       ends(method, "java.lang.Thread.sleepNanos0");
}

/* "worker" of "worker-12". */
static struct slice
without_number(struct slice name)
{
	size_t n = name.len;

	while (n && name.ptr[n - 1] >= '0' && name.ptr[n - 1] <= '9')
		n--;
	if (n && n < name.len && name.ptr[n - 1] == '-')
		name.len = n - 1;
	return name;
}

static void
turn_round(uint32_t *ids, size_t n)
{
	size_t i;

	for (i = 0; i < n / 2; i++) {
		uint32_t id = ids[i];

		ids[i] = ids[n - 1 - i];
		ids[n - 1 - i] = id;
	}
}

/* A mounted virtual thread's frames come last and are the inner ones. */
static void
put_mounted_inside(struct import *im, const struct thread *t)
{
	size_t inner = im->n_ids - t->mounted_at;

	turn_round(im->ids, im->n_ids);
	turn_round(im->ids, inner);
	turn_round(im->ids + inner, t->mounted_at);
}

static void
finish_thread(struct import *im, struct thread *t)
{
	const char *only = im->view->only_comm;
	struct slice full = buf_get(&t->name), name = full;

	if (!t->open)
		return;
	t->open = false;
	if (t->state != RUNNABLE) {
		im->samples++;
		import_drop(im);
		return;
	}
	if (im->view->root != VIEW_TID)
		name = without_number(full);
	if (t->mounted_at && t->mounted_at < im->n_ids)
		put_mounted_inside(im, t);
	im->origin.comm =
		only && slice_is(full, only) ? full : without_number(full);
	im->origin.pid = t->pid;
	im->origin.tid = t->tid;
	java_root(im, name, t->pid, t->tid);
	import_add(im, 1);
}

/* The thread's number in the system: nid=0x1a2b, or nid=6699 since 22. */
static uint64_t
thread_number(struct slice rest)
{
	struct slice word;
	uint64_t number;

	while (rest.len) {
		word = slice_cut(&rest, ' ');
		if (!scan_text(&word, "nid="))
			continue;
		if (scan_text(&word, "0x"))
			return parse_hex(word, &number) ? number : UINT64_MAX;
		return parse_u64(word, &number) ? number : UINT64_MAX;
	}
	return UINT64_MAX;
}

/* "NAME" #12 prio=5 ...: a name may hold quotes, what follows has none. */
static void
begin_thread(struct import *im, struct thread *t, struct slice line)
{
	const char *quote = memrchr(line.ptr, '"', line.len);
	struct slice rest;

	finish_thread(im, t);
	import_drop(im);
	if (quote == line.ptr) {
		import_skip(im);
		return;
	}
	buf_clear(&t->name);
	buf_add(&t->name, line.ptr + 1, (size_t)(quote - line.ptr - 1));
	rest = (struct slice){ quote + 1,
			       (size_t)(line.ptr + line.len - quote - 1) };
	t->open = true;
	t->tid = thread_number(rest);
	t->mounted_at = 0;
	t->state = is_background(buf_get(&t->name)) ? RESTING : UNKNOWN;
}

static void
read_state(struct thread *t, struct slice text)
{
	struct slice state = text;

	slice_cut(&state, ' ');
	state = slice_cut(&state, ' ');
	if (t->state == UNKNOWN)
		t->state = slice_is(state, "RUNNABLE") ? RUNNABLE : RESTING;
}

static void
read_frame(struct import *im, struct thread *t, struct slice text)
{
	struct slice name, where;

	if (!java_is_frame(text, &name, &where)) {
		import_skip(im);
		return;
	}
	if (!t->open)
		return;
	if (is_waiting(name) || (t->mounted_at && is_parked(name)))
		t->state = RESTING;
	java_frame(im, text);
}

/* Lines that tell of other things than threads. */
static bool
is_known(struct thread *t, struct slice line, struct slice text)
{
	static const char *const aside[] = { "Threads class SMR", "Heap",
					     "Found ", "Java stack info" };
	static const char *const known[] = {
		"- ",	      "JNI global ref", "No compile task",
		"Compiling:", "====",		"Locked ownable synchronizers:",
	};
	uint64_t pid;
	size_t i;

	if (slice_starts(line, "Full thread dump")) {
		t->aside = false;
		return true;
	}
	for (i = 0; i < sizeof aside / sizeof *aside; i++)
		if (slice_starts(line, aside[i]))
			return t->aside = true;
	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (slice_starts(text, known[i]))
			return true;
	if (line.len > 1 && line.ptr[line.len - 1] == ':' &&
	    parse_u64((struct slice){ line.ptr, line.len - 1 }, &pid)) {
		t->pid = pid;
		return true;
	}
	return t->aside || *line.ptr == '#' ||
	       (line.len > 4 && slice_starts(line, "2") && line.ptr[4] == '-');
}

static void
read_line(struct import *im, struct thread *t, struct slice line)
{
	struct slice text = scan_from(line, scan_indent(line));

	if (!text.len) {
		finish_thread(im, t);
	} else if (*line.ptr == '"') {
		/* a deadlock's threads are named again: "NAME": */
		t->aside = t->aside && line.ptr[line.len - 1] == ':';
		begin_thread(im, t, line);
	} else if (slice_starts(text, "at ")) {
		read_frame(im, t, text);
	} else if (slice_starts(text, "java.lang.Thread.State: ")) {
		read_state(t, text);
	} else if (slice_starts(text, "Carrying virtual thread")) {
		if (t->state == UNKNOWN)
			t->state = RUNNABLE;
	} else if (slice_starts(text, "Mounted virtual thread")) {
		t->mounted_at = im->n_ids;
	} else if (!is_known(t, line, text)) {
		import_skip(im);
	}
}

void
import_read_jstack(struct import *im)
{
	struct thread t = { .pid = UINT64_MAX, .tid = UINT64_MAX };
	struct slice line;

	while (import_line(im, &line))
		read_line(im, &t, line);
	finish_thread(im, &t);
	buf_free(&t.name);
}
