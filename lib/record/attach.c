/* SPDX-License-Identifier: MIT */
/* Events on targets: a command, processes, threads, whole processors. */
#include "record/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"
#include "record/procfs.h"

/* ---- one event ---- */

static void
close_from(struct recorder *r, size_t first)
{
	while (r->n_fds > first)
		close(r->fds[--r->n_fds].fd);
}

/* On processor cpus[CPU], whose ring takes what it tells. TID -1: whoever runs
 * there. False when the thread has ended. */
static bool
open_event(struct recorder *r, uint32_t event, pid_t tid, size_t cpu)
{
	const struct record_event *e = &r->events[event];
	int fd = event_open(&e->attr, tid, r->cpus[cpu]);
	uint64_t id = 0;

	if (fd < 0 && errno == ESRCH)
		return false;
	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, r->polls[cpu].fd) ||
	    ioctl(fd, PERF_EVENT_IOC_ID, &id))
		record_refuse(r, e, tid, errno);
	GROW(r->fds, r->cap_fds, r->n_fds + 1);
	r->fds[r->n_fds++] = (struct record_fd){ fd, event };
	*map_put(&r->event_of_id, id, NULL) = event;
	return true;
}

/* The event that tracks, those that sample, or both, on each processor. */
enum { TRACKING = 1, SAMPLING = 2 };

static bool
open_events(struct recorder *r, pid_t tid, unsigned which)
{
	size_t first = r->n_fds, cpu;
	uint32_t event;

	for (cpu = 0; cpu < r->n_cpus; cpu++)
		for (event = 0; event < r->n_events; event++) {
			if (!(which & (event ? SAMPLING : TRACKING)) ||
			    (event && !r->is_chosen[cpu]))
				continue;
			if (open_event(r, event, tid, cpu))
				continue;
			close_from(r, first);
			return false;
		}
	return true;
}

/* An event that counts nothing, whose descriptor hangs up when TID and, with
 * CHILDREN, all that it starts have ended. It needs a ring for that, and
 * whoever asks for hangups takes the ring's news, too. */
static bool
watch_for_end(struct recorder *r, pid_t tid, bool children)
{
	struct record_event e = {
		.name = "dummy",
		.attr = { .size = sizeof e.attr,
			  .type = PERF_TYPE_SOFTWARE,
			  .config = PERF_COUNT_SW_DUMMY,
			  .disabled = 1,
			  .inherit = children,
			  .use_clockid = 1,
			  .clockid = CLOCK_MONOTONIC,
			  .exclude_kernel = 1,
			  .exclude_hv = 1 },
	};
	int fd = event_open(&e.attr, tid, r->cpus[0]);

	if (fd < 0 && errno == ESRCH)
		return false;
	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, r->polls[0].fd))
		record_refuse(r, &e, tid, errno);
	GROW(r->polls, r->cap_polls, r->n_polls + 1);
	r->polls[r->n_polls++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	r->n_live++;
	return true;
}

static bool
open_thread(struct recorder *r, pid_t tid)
{
	size_t first = r->n_fds;

	if (!r->chosen && !record_choose_events(r, tid))
		return false;
	if (!r->per_cpu &&
	    !open_events(r, tid, r->by_thread ? SAMPLING : TRACKING | SAMPLING))
		return false;
	if (watch_for_end(r, tid, !r->by_thread))
		return true;
	close_from(r, first);
	return false;
}

void
record_enable(struct recorder *r, bool tracking, bool sampling)
{
	size_t i;

	for (i = 0; i < r->n_fds; i++)
		if (r->events[r->fds[i].event].role == EVENT_SAMPLE ? sampling
								    : tracking)
			ioctl(r->fds[i].fd, PERF_EVENT_IOC_ENABLE, 0);
}

void
record_disable(struct recorder *r)
{
	size_t i;

	for (i = 0; i < r->n_fds; i++)
		ioctl(r->fds[i].fd, PERF_EVENT_IOC_DISABLE, 0);
}

void
record_close_events(struct recorder *r)
{
	size_t i;

	for (i = 0; i < r->n_cpus && i < r->n_polls; i++)
		ring_close(&r->rings[i]);
	close_from(r, 0);
	while (r->n_polls)
		if (r->polls[--r->n_polls].fd >= 0)
			close(r->polls[r->n_polls].fd);
	r->n_live = 0;
}

/* ---- targets ---- */

static void
open_processors(struct recorder *r)
{
	if (r->n_fds)
		return;
	if (!r->chosen)
		record_choose_events(r, -1);
	open_events(r, -1, TRACKING | SAMPLING);
}

void
record_attach_everything(struct recorder *r)
{
	open_processors(r);
}

void
record_attach_command(struct recorder *r, pid_t child)
{
	struct record_event e = { .name = "dummy" };

	r->by_command = true;
	r->command = child;
	if (!open_thread(r, child))
		record_refuse(r, &e, child, ESRCH);
	if (r->per_cpu)
		open_processors(r);
	process_start(&r->procs, child, getpid(), SLICE_LIT("pk-sample"));
}

static void
add_found(struct recorder *r, pid_t pid)
{
	size_t i;

	for (i = 0; i < r->found.n; i++)
		if (r->found.pid[i] == pid)
			return;
	GROW(r->found.pid, r->found.cap, r->found.n + 1);
	r->found.pid[r->found.n++] = pid;
}

struct attaching {
	struct recorder *r;
	pid_t only; /* the one that is sampled; 0: all */
	bool attached;
};

/* Threads that appear meanwhile inherit the events of those that made them;
 * looking again would count them twice. */
static bool
attach_thread(void *ctx, pid_t tid)
{
	struct attaching *a = ctx;
	bool added;

	if (a->only && tid != a->only)
		return true;
	map_put(&a->r->attached, (uint64_t)tid, &added);
	if (!added || open_thread(a->r, tid))
		a->attached = true;
	return true;
}

static void
attach(struct recorder *r, pid_t tid, bool alone)
{
	struct record_event e = { .name = "dummy" };
	struct attaching a = { r, alone ? tid : 0, false };
	pid_t pid = procfs_process_of(tid);

	if (pid)
		procfs_each_thread(pid, attach_thread, &a);
	if (!a.attached)
		record_refuse(r, &e, tid, ESRCH);
	if (r->per_cpu)
		open_processors(r);
	add_found(r, pid);
}

void
record_attach_process(struct recorder *r, pid_t pid)
{
	attach(r, pid, false);
}

static bool
track_thread(void *ctx, pid_t tid)
{
	struct recorder *r = ctx;
	bool added;

	map_put(&r->tracked, (uint64_t)tid, &added);
	if (added)
		open_events(r, tid, TRACKING);
	return true;
}

/* Its process's other threads may map what it will execute: all are tracked,
 * once. */
void
record_attach_thread(struct recorder *r, pid_t tid)
{
	r->by_thread = true;
	attach(r, tid, true);
	procfs_each_thread(procfs_process_of(tid), track_thread, r);
}
