/* SPDX-License-Identifier: MIT */
/*
 * Scheduler events from perf script as time off the processor: a thread's
 * stack is that with which it was switched out, and the time what
 * sched_stat_sleep or sched_stat_blocked say when it is woken, in microseconds
 * as stackcollapse-perf-sched.awk counts them. Kernels without these events
 * leave the time from being switched out, other than to let somebody else
 * run, until being switched in.
 */
#include <math.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"
#include "import/text/formats.h"
#include "import/text/perf_script.h"

struct sleep {
	uint32_t stack; /* of sched.stacks */
	bool asleep, wanted;
	bool told;   /* sched_stat_* did */
	bool yields; /* it could run */
	uint64_t pid, since;
	struct buf comm;
};

struct sched {
	struct import *im;
	struct perf_reader names;
	struct profile stacks;	      /* without their threads; no values */
	struct profile told, between; /* ns */
	struct map threads;	      /* tid: sleep */
	struct sleep *sleeps;
	size_t n_sleeps, cap_sleeps;
	uint64_t leaving; /* the tid whose stack is being read; 0: none */
};

/* ---- what the events say ---- */

/* NAME=VALUE in S, up to the next NAME or its end: values hold blanks. */
static struct slice
field(struct slice s, const char *name, const char *next)
{
	size_t n = strlen(name);
	const char *at = memmem(s.ptr, s.len, name, n), *end;

	if (!at)
		return (struct slice){ s.ptr, 0 };
	at += n;
	s.len -= (size_t)(at - s.ptr);
	s.ptr = at;
	end = memmem(s.ptr, s.len, next, strlen(next));
	if (end)
		s.len = (size_t)(end - s.ptr);
	return s;
}

/* `NAME:PID [PRIORITY] STATE` as older versions of perf write it. */
static bool
parse_old(struct slice s, struct slice *comm, uint64_t *tid)
{
	const char *end = memmem(s.ptr, s.len, " [", 2), *colon;
	struct slice id;

	if (!end)
		return false;
	s.len = (size_t)(end - s.ptr);
	while (s.len && *s.ptr == ' ') {
		s.ptr++;
		s.len--;
	}
	colon = s.len ? memrchr(s.ptr, ':', s.len) : NULL;
	if (!colon)
		return false;
	id.ptr = colon + 1;
	id.len = (size_t)(s.ptr + s.len - id.ptr);
	*comm = (struct slice){ s.ptr, (size_t)(colon - s.ptr) };
	return parse_u64(id, tid);
}

struct change {
	struct slice prev;
	uint64_t prev_tid, next_tid;
	bool yields;
};

static bool
parse_switch(struct slice s, struct change *c)
{
	const char *arrow = memmem(s.ptr, s.len, "==> ", 4);
	struct slice from = s, to, unused, state;

	if (!arrow)
		return false;
	from.len = (size_t)(arrow - s.ptr);
	to.ptr = arrow + 4;
	to.len = (size_t)(s.ptr + s.len - to.ptr);
	if (parse_u64(field(from, "prev_pid=", " "), &c->prev_tid)) {
		c->prev = field(from, "prev_comm=", " prev_pid=");
		state = field(from, "prev_state=", " ");
		c->yields = state.len && *state.ptr == 'R';
		return parse_u64(field(to, "next_pid=", " "), &c->next_tid);
	}
	state = field(from, "] ", " ");
	c->yields = state.len && *state.ptr == 'R';
	return parse_old(from, &c->prev, &c->prev_tid) &&
	       parse_old(to, &unused, &c->next_tid);
}

static bool
is_told(struct slice event)
{
	return slice_is(event, "sched:sched_stat_sleep") ||
	       slice_is(event, "sched:sched_stat_blocked");
}

/* ---- sleeping ---- */

static struct sleep *
sleep_of(struct sched *s, uint64_t tid)
{
	bool added;
	uint32_t *at = map_put(&s->threads, tid, &added);

	if (added) {
		*at = (uint32_t)s->n_sleeps;
		GROW(s->sleeps, s->cap_sleeps, s->n_sleeps + 1);
		s->sleeps[s->n_sleeps++] = (struct sleep){ 0 };
	}
	return &s->sleeps[*at];
}

static void
count(struct sched *s, struct profile *to, const struct sleep *p,
      struct slice comm, uint64_t tid, uint64_t ns)
{
	struct perf_reader *r = &s->names;
	const struct profile_stack *stack = &s->stacks.stacks[p->stack];
	struct perf_event e = { .comm = comm, .pid = p->pid, .tid = tid };

	if (!p->wanted)
		return;
	perf_reader_thread(r, &e);
	GROW(r->stack, r->cap_stack, stack->depth + 1);
	r->stack[0] = r->root;
	if (stack->depth)
		memcpy(r->stack + 1, s->stacks.frames + stack->first,
		       stack->depth * sizeof *r->stack);
	profile_add(to, r->stack, stack->depth + 1,
		    s->im->view->value == VIEW_SAMPLES ? 1 : (double)ns, 0);
}

static void
tell(struct sched *s, struct slice rest)
{
	struct slice comm = field(rest, "comm=", " pid=");
	uint64_t tid, ns;
	struct sleep *p;

	if (!parse_u64(field(rest, " pid=", " "), &tid) ||
	    !parse_u64(field(rest, "delay=", " "), &ns)) {
		import_skip(s->im);
		return;
	}
	p = sleep_of(s, tid);
	/* perf may show both events, of which the first counts. */
	if (p->asleep && !p->told)
		count(s, &s->told, p, comm, tid, ns);
	p->told = true;
}

static void
end_stack(struct sched *s)
{
	struct perf_reader *r = &s->names;
	struct sleep *p;
	size_t i;

	if (!s->leaving)
		return;
	s->im->samples++;
	GROW(r->stack, r->cap_stack, r->n_made + 1);
	for (i = 0; i < r->n_made; i++)
		r->stack[i] = r->made[r->n_made - 1 - i];
	p = sleep_of(s, s->leaving);
	p->stack = profile_find(&s->stacks, r->stack, r->n_made);
	p->asleep = true;
	s->leaving = 0;
}

static void
wake(struct sched *s, uint64_t tid, uint64_t now)
{
	struct sleep *p = sleep_of(s, tid);

	if (p->asleep && !p->yields && now != UINT64_MAX && now > p->since)
		count(s, &s->between, p, buf_get(&p->comm), tid,
		      now - p->since);
	p->asleep = false;
}

static void
change(struct sched *s, const struct perf_event *e)
{
	struct import *im = s->im;
	struct change c;
	struct sleep *p;

	if (!parse_switch(e->rest, &c)) {
		import_skip(im);
		return;
	}
	if (c.next_tid)
		wake(s, c.next_tid, e->time);
	if (!c.prev_tid)
		return;
	im->origin = (struct import_origin){ c.prev,
					     e->tid == c.prev_tid ? e->pid
								  : UINT64_MAX,
					     c.prev_tid, e->time };
	p = sleep_of(s, c.prev_tid);
	p->wanted = import_wants_sample(im);
	p->asleep = p->told = false;
	p->yields = c.yields;
	p->pid = im->origin.pid;
	p->since = e->time;
	buf_clear(&p->comm);
	buf_slice(&p->comm, c.prev);
	s->leaving = c.prev_tid;
	s->names.n_made = 0;
}

/* ---- reading ---- */

static void
take_line(struct sched *s, struct slice line)
{
	struct perf_event e;
	struct perf_frame f;

	if (line.len && *line.ptr == '#')
		return;
	if (!line.len) {
		end_stack(s);
	} else if (*line.ptr != '\t' && perf_event_parse(line, &e)) {
		end_stack(s);
		if (slice_is(e.name, "sched:sched_switch"))
			change(s, &e);
		else if (is_told(e.name))
			tell(s, e.rest);
	} else if (perf_frame_parse(line, &f)) {
		if (s->leaving)
			perf_frame_symbols(&s->names, &f);
	} else {
		import_skip(s->im);
	}
}

/* Microseconds, whole ones, each stack's sum rounded down. */
static void
add_times(struct import *im, const struct profile *ns)
{
	static bool said;
	bool us = im->view->value == VIEW_AUTO;
	size_t i;

	for (i = 0; i < ns->n_stacks; i++) {
		const struct profile_stack *s = &ns->stacks[i];
		double value = us ? floor(s->value[0] / 1000) : s->value[0];

		im->p->lines++;
		if (value > 0)
			profile_add(im->p, ns->frames + s->first, s->depth,
				    value, im->p->columns == 2 ? value : 0);
	}
	if (us && ns->n_stacks && !said)
		note("values are microseconds: pk-flamesvg --unit us");
	said = said || (us && ns->n_stacks);
}

void
import_read_perf_sched(struct import *im)
{
	struct sched s = { .im = im };
	struct slice line;
	size_t i;

	perf_reader_init(&s.names, im);
	while (import_line(im, &line))
		take_line(&s, line);
	end_stack(&s);
	add_times(im, s.told.n_stacks ? &s.told : &s.between);
	s.names.in_sample = false;
	perf_reader_finish(&s.names);
	profile_free(&s.stacks);
	profile_free(&s.told);
	profile_free(&s.between);
	map_free(&s.threads);
	for (i = 0; i < s.n_sleeps; i++)
		buf_free(&s.sleeps[i].comm);
	free(s.sleeps);
}

/* ---- the guess ---- */

/* sched_switch and events of waking, and nothing but the scheduler's: other
 * recordings are samples to be counted. */
int
import_guess_perf_sched(struct slice head)
{
	bool switches = false, wakes = false;
	struct perf_event e;

	if (!head.len || memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	while (head.ptr && head.len) {
		struct slice line = slice_cut(&head, '\n');

		if (!line.len || !head.ptr || *line.ptr == '#' ||
		    *line.ptr == '\t' ||
		    perf_event_parse(line, &e) != PERF_SURE || !e.is_sample)
			continue;
		if (!slice_starts(e.name, "sched:"))
			return IMPORT_NO;
		switches = switches || slice_is(e.name, "sched:sched_switch");
		wakes = wakes || slice_starts(e.name, "sched:sched_stat_") ||
			slice_starts(e.name, "sched:sched_wak");
	}
	return switches && wakes ? IMPORT_YES : IMPORT_NO;
}
