/* SPDX-License-Identifier: MIT */
/*
 * Stack traces of Java exceptions in a log, among whatever else it holds. As
 * stackcollapse-java-exceptions.pl has it, every run of frames is a stack: an
 * exception, each of its causes, and each that was suppressed. "... 12 more"
 * stands for the outermost frames of the trace that encloses this one
 * (Throwable.printStackTrace): they are put back, so that causes have their
 * callers, too.
 */
#include <stdlib.h>
#include "base/number.h"
#include "base/xalloc.h"
#include "import/text/formats.h"
#include "import/text/java.h"
#include "import/text/scan.h"

/* A trace that others may be enclosed in, innermost frame first. */
struct trace {
	size_t indent;
	uint32_t *ids;
	size_t n, cap;
};

/* Traces have at most so many frames by default (-XX:MaxJavaStackTraceDepth).
 */
enum { NESTED_MAX = 64, FRAMES_MAX = 1024 };

struct log {
	struct trace traces[NESTED_MAX]; /* outer ones first */
	size_t n_traces;
	enum { HEAD, CAUSE, SUPPRESSED } kind; /* of the trace that follows */
	size_t indent;
	bool enclosed; /* traces[n_traces - 1] encloses the one being read */
};

static bool
is_place(struct slice where)
{
	const char *end = memchr(where.ptr, ')', where.len);
	size_t n = (size_t)(end - where.ptr);
	const char *colon = n ? memrchr(where.ptr, ':', n) : NULL;
	uint64_t line;

	where.len = n;
	where = slice_basename(where);
	if (colon)
		return parse_u64(
			(struct slice){ colon + 1, (size_t)(end - colon - 1) },
			&line);
	return slice_is(where, "Native Method") ||
	       slice_is(where, "Unknown Source") ||
	       (where.len > 5 && !memcmp(end - 5, ".java", 5));
}

/* Thread dumps have such frames, too, and a marker of their own. */
int
import_guess_java_exceptions(struct slice head)
{
	struct slice line, text, name, where;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	while (scan_line(&head, &line)) {
		text = scan_from(line, scan_indent(line));
		if (text.len < line.len && java_is_frame(text, &name, &where) &&
		    is_place(where))
			return 60;
	}
	return IMPORT_NO;
}

/* Finds the trace that encloses one at this indentation: a cause stands below
 * what it caused, a suppressed one is indented. */
static void
find_enclosing(struct log *log)
{
	bool cause = log->kind == CAUSE;

	while (log->n_traces &&
	       (log->kind == HEAD ||
		log->traces[log->n_traces - 1].indent + !cause > log->indent))
		log->n_traces--;
	log->enclosed = log->n_traces != 0;
}

static void
keep_trace(const struct import *im, struct log *log)
{
	struct trace *t;

	if (log->kind == CAUSE && log->n_traces &&
	    log->traces[log->n_traces - 1].indent == log->indent)
		log->n_traces--;
	if (log->n_traces == NESTED_MAX)
		return;
	t = &log->traces[log->n_traces++];
	t->indent = log->indent;
	t->n = 0;
	GROW(t->ids, t->cap, im->n_ids);
	memcpy(t->ids, im->ids, im->n_ids * sizeof *t->ids);
	t->n = im->n_ids;
}

static void
finish_trace(struct import *im, struct log *log)
{
	if (!im->n_ids)
		return;
	keep_trace(im, log);
	import_add(im, 1);
	log->kind = HEAD;
	log->indent = 0;
}

/* The N outermost frames of the enclosing trace. */
static void
put_back(struct import *im, const struct log *log, uint64_t n)
{
	const struct trace *t;

	if (!log->enclosed || !im->n_ids)
		return;
	t = &log->traces[log->n_traces - 1];
	if (n > t->n || im->n_ids + n > FRAMES_MAX)
		return;
	GROW(im->ids, im->cap_ids, im->n_ids + n);
	memcpy(im->ids + im->n_ids, t->ids + t->n - n, n * sizeof *t->ids);
	im->n_ids += n;
}

/* "... 12 more", "... 12 common frames omitted". */
static bool
is_elision(struct slice text, uint64_t *n)
{
	return scan_text(&text, "... ") && scan_u64(&text, n) &&
	       (slice_starts(text, " more") ||
		slice_starts(text, " common frames"));
}

static void
read_line(struct import *im, struct log *log, struct slice line)
{
	struct slice text = scan_from(line, scan_indent(line)), name, where;
	uint64_t n;

	if (java_is_frame(text, &name, &where)) {
		if (!im->n_ids)
			find_enclosing(log);
		java_frame(im, text);
		return;
	}
	if (is_elision(text, &n))
		put_back(im, log, n);
	finish_trace(im, log);
	if (slice_starts(text, "Caused by: "))
		log->kind = CAUSE;
	else if (slice_starts(text, "Suppressed: "))
		log->kind = SUPPRESSED;
	else
		return;
	log->indent = line.len - text.len;
}

void
import_read_java_exceptions(struct import *im)
{
	struct log log = { .kind = HEAD };
	struct slice line;
	size_t i;

	while (import_line(im, &line))
		read_line(im, &log, line);
	finish_trace(im, &log);
	for (i = 0; i < NESTED_MAX; i++)
		free(log.traces[i].ids);
}
