/* SPDX-License-Identifier: MIT */
/*
 * Traces of xdebug in its computerized format (xdebug.trace_format=1): every
 * call of a PHP program with the time it began and ended. As
 * stackcollapse-xdebug.php has it, a stack has the microseconds that passed
 * while it was the current one; with --value samples, how often a call that
 * called nothing ended there. Lines of assignments and returned values are no
 * calls, and what still runs at the end has the time up to then.
 *
 * Times are added up in a tree of calls, so that a call costs the same however
 * deep it is.
 */
#include <stdlib.h>
#include "base/map.h"
#include "base/number.h"
#include "base/xalloc.h"
#include "import/text/formats.h"

/* Calls that are nested deeper count as the one at this depth. */
enum { DEPTH_MAX = 4096 };

struct node {
	uint32_t parent, symbol; /* its index; 0 is the root */
	uint32_t depth;
	uint64_t ns, calls;
};

struct call { /* that runs */
	uint64_t level;
	uint32_t node;
};

struct trace {
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	struct map children; /* parent and symbol to node */
	struct call *calls;
	size_t n_calls, cap_calls;
	bool begun, has_time, entered;
	uint64_t start, now; /* ns since PHP began */
};

int
import_guess_xdebug(struct slice head)
{
	static const char mark[] = "\nTRACE START [";

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	return slice_starts(head, mark + 1) ||
			       memmem(head.ptr, head.len, mark, sizeof mark - 1)
		       ? IMPORT_YES
		       : IMPORT_NO;
}

/* Seconds with a fraction to ns. */
static bool
parse_seconds(struct slice s, uint64_t *ns)
{
	struct slice whole = slice_cut(&s, '.');
	uint64_t seconds, fraction = 0, unit = 1000000000;

	if (!parse_u64(whole, &seconds) || seconds > UINT32_MAX)
		return false;
	if (s.len > 9)
		s.len = 9;
	if (s.len && !parse_u64(s, &fraction))
		return false;
	for (; s.len; s.len--)
		unit /= 10;
	*ns = seconds * 1000000000 + fraction * unit;
	return true;
}

static uint32_t
child_of(struct import *im, struct trace *t, uint32_t parent, struct slice name)
{
	bool added;
	uint32_t symbol, *place;

	if (t->nodes[parent].depth == DEPTH_MAX)
		return parent;
	import_frame(im, name);
	symbol = im->ids[--im->n_ids];
	place = map_put(&t->children, (uint64_t)parent << 32 | symbol, &added);
	if (!added)
		return *place;
	*place = (uint32_t)t->n_nodes;
	GROW(t->nodes, t->cap_nodes, t->n_nodes + 1);
	t->nodes[t->n_nodes] = (struct node){
		.parent = parent,
		.symbol = symbol,
		.depth = t->nodes[parent].depth + 1,
	};
	return (uint32_t)t->n_nodes++;
}

/* The part of BEGIN..END that the view asks for. */
static uint64_t
wanted(const struct view *v, const struct trace *t, uint64_t begin,
       uint64_t end)
{
	uint64_t since = begin - t->start, until = end - t->start;

	if (since < v->since)
		since = v->since;
	if (until > v->until)
		until = v->until;
	return until > since ? until - since : 0;
}

/* The clock goes on to NOW while the current call runs. */
static void
pass_time(struct import *im, struct trace *t, uint64_t now)
{
	if (!t->has_time)
		t->start = t->now = now;
	t->has_time = true;
	if (now <= t->now)
		return;
	if (t->n_calls)
		t->nodes[t->calls[t->n_calls - 1].node].ns +=
			wanted(im->view, t, t->now, now);
	t->now = now;
}

static void
leave(struct import *im, struct trace *t, uint64_t level)
{
	bool left = false;

	if (t->entered && t->n_calls && wanted(im->view, t, t->now, t->now + 1))
		t->nodes[t->calls[t->n_calls - 1].node].calls++;
	t->entered = false;
	while (t->n_calls && t->calls[t->n_calls - 1].level >= level) {
		t->n_calls--;
		left = true;
	}
	if (!left)
		import_skip(im);
}

static void
enter(struct import *im, struct trace *t, uint64_t level, struct slice name)
{
	struct call c = { level, 0 };

	while (t->n_calls && t->calls[t->n_calls - 1].level >= level)
		t->n_calls--;
	if (t->n_calls)
		c.node = t->calls[t->n_calls - 1].node;
	c.node = child_of(im, t, c.node, name);
	GROW(t->calls, t->cap_calls, t->n_calls + 1);
	t->calls[t->n_calls++] = c;
	t->entered = true;
}

/* Whatever ran when the trace ended. */
static void
finish_trace(struct import *im, struct trace *t)
{
	if (t->entered)
		leave(im, t, 0);
	t->n_calls = 0;
	t->has_time = t->begun = t->entered = false;
}

/* LEVEL NUMBER 0 TIME MEMORY NAME ..., LEVEL NUMBER 1 TIME MEMORY, or at the
 * end only a time, all between tabs. R is a value returned, A an assignment. */
static void
read_record(struct import *im, struct trace *t, struct slice line)
{
	struct slice level = slice_cut(&line, '\t'), kind, time;
	uint64_t number = 0, now;

	slice_cut(&line, '\t');
	kind = slice_cut(&line, '\t');
	if (slice_is(kind, "R") || slice_is(kind, "A"))
		return;
	time = slice_cut(&line, '\t');
	if ((level.len && !parse_u64(level, &number)) ||
	    !parse_seconds(time, &now)) {
		import_skip(im);
		return;
	}
	slice_cut(&line, '\t');
	if (slice_is(kind, "0") && !line.ptr) {
		import_skip(im);
		return;
	}
	pass_time(im, t, now);
	if (slice_is(kind, "0"))
		enter(im, t, number, slice_cut(&line, '\t'));
	else if (slice_is(kind, "1"))
		leave(im, t, number);
	else if (level.len)
		import_skip(im);
}

static void
read_line(struct import *im, struct trace *t, struct slice line)
{
	if (slice_starts(line, "TRACE START [")) {
		finish_trace(im, t);
		t->begun = true;
	} else if (slice_starts(line, "TRACE END ")) {
		finish_trace(im, t);
	} else if (t->begun && line.len) {
		read_record(im, t, line);
	} else if (line.len && !slice_starts(line, "Version: ") &&
		   !slice_starts(line, "File format: ")) {
		import_skip(im);
	}
}

static void
add_node(struct import *im, const struct trace *t, uint32_t node)
{
	const struct node *n = &t->nodes[node];
	uint32_t i;

	GROW(im->ids, im->cap_ids, n->depth);
	im->n_ids = n->depth;
	for (i = 0; node; i++, node = t->nodes[node].parent)
		im->ids[i] = t->nodes[node].symbol;
	if (im->view->value == VIEW_SAMPLES)
		import_add(im, (double)n->calls);
	else
		import_add(im, (double)n->ns / 1000);
}

void
import_read_xdebug(struct import *im)
{
	struct trace t = { 0 };
	struct slice line;
	uint32_t i;

	GROW(t.nodes, t.cap_nodes, 1);
	t.nodes[t.n_nodes++] = (struct node){ 0 };
	while (import_line(im, &line))
		read_line(im, &t, line);
	finish_trace(im, &t);
	for (i = 1; i < t.n_nodes; i++)
		add_node(im, &t, i);
	free(t.nodes);
	free(t.calls);
	map_free(&t.children);
}
