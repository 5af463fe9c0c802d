/* SPDX-License-Identifier: MIT */
/* How long threads are off their processors, and where they left them. The
 * stack comes first, as a sample of the event context-switches, then a record
 * of the switch out; another tells of the switch in. */
#include "record/internal.h"

#include <stdlib.h>
#include "base/xalloc.h"
#include "record/procfs.h"

struct wait {
	pid_t pid, tid;
	uint32_t node;	/* of the stack, 0: none was seen */
	uint64_t since; /* the kernel's time */
	bool out;	/* off its processor */
	bool unseen;	/* it may be: nothing was heard of it yet */
	bool preempted;
};

static struct wait *
find_wait(struct recorder *r, pid_t tid)
{
	uint32_t *index = map_find(&r->waiting, (uint32_t)tid);

	return index ? &r->waits[*index] : NULL;
}

static struct wait *
get_wait(struct recorder *r, pid_t pid, pid_t tid)
{
	struct wait *w = find_wait(r, tid);

	if (!w) {
		*map_put(&r->waiting, (uint32_t)tid, NULL) =
			(uint32_t)r->n_waits;
		GROW(r->waits, r->cap_waits, r->n_waits + 1);
		w = &r->waits[r->n_waits++];
		*w = (struct wait){ .tid = tid };
	}
	w->pid = pid;
	return w;
}

void
record_wait_stack(struct recorder *r, pid_t pid, pid_t tid, uint32_t node)
{
	get_wait(r, pid, tid)->node = node;
}

void
record_wait_begins(struct recorder *r, pid_t pid, pid_t tid, uint64_t time,
		   bool preempted)
{
	struct wait *w = get_wait(r, pid, tid);

	w->out = true;
	w->unseen = false;
	w->preempted = preempted;
	w->since = time;
}

void
record_wait_unseen(struct recorder *r, pid_t pid, pid_t tid)
{
	struct wait *w = get_wait(r, pid, tid);

	w->out = w->unseen = true;
	w->since = r->start;
}

static void
write_wait(struct recorder *r, const struct wait *w, uint32_t cpu,
	   uint64_t until)
{
	uint64_t since = w->since > r->enabled ? w->since : r->enabled;
	uint32_t node = w->node;

	if (until <= since)
		return;
	/* Among samples of --wall the leaf tells waiting from running. */
	if (w->preempted)
		node = record_special(r, node, PREEMPTED);
	else if (r->opt.wall || !node)
		node = record_special(r, node, WAITING);
	capture_write_sample(&r->w, record_time(r, until), (uint32_t)w->pid,
			     (uint32_t)w->tid, cpu, r->off_cpu_id,
			     until - since, node);
	r->counts.samples++;
}

void
record_wait_ends(struct recorder *r, pid_t tid, uint32_t cpu, uint64_t time)
{
	struct wait *w = find_wait(r, tid);

	if (!w || !w->out)
		return;
	if (sink_is_full(r->sink))
		r->counts.dropped++;
	else
		write_wait(r, w, cpu, time);
	w->out = w->unseen = w->preempted = false;
	w->node = 0;
}

/* The last one takes its place. */
void
record_wait_forget(struct recorder *r, pid_t tid)
{
	struct wait *w = find_wait(r, tid);
	const struct wait *last;

	if (!w)
		return;
	last = &r->waits[r->n_waits - 1];
	*map_put(&r->waiting, (uint32_t)last->tid, NULL) =
		(uint32_t)(w - r->waits);
	*w = *last;
	r->n_waits--;
	map_remove(&r->waiting, (uint32_t)tid);
}

/* Whether a thread of which nothing was heard sleeps now, and so did all the
 * time. */
static bool
is_asleep(const struct wait *w)
{
	char state = procfs_stat(w->pid, w->tid).state;

	return state && strchr("SDTtI", state);
}

void
record_split_waits(struct recorder *r, uint64_t time)
{
	size_t i;

	for (i = 0; i < r->n_waits; i++) {
		struct wait *w = &r->waits[i];

		if (!w->out)
			continue;
		if (!w->unseen || is_asleep(w))
			write_wait(r, w, 0, time);
		w->since = time;
	}
}

void
record_move_waits(struct recorder *r, const struct old_tree *old)
{
	size_t i;

	for (i = 0; i < r->n_waits; i++)
		r->waits[i].node = record_move_stack(r, old, r->waits[i].node);
}
