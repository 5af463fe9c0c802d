/* SPDX-License-Identifier: MIT */
#include "record/internal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"

static uint64_t
monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- the recording ---- */

struct recorder *
record_new(const struct record_options *opt, struct sink *sink)
{
	struct recorder *r = xcalloc(1, sizeof *r);

	r->opt = *opt;
	r->opt.off_cpu |= opt->wall;
	r->sink = sink;
	record_prepare(r);
	process_walker_start(&r->walker, &r->procs);
	r->procs.modules.load = module_load;
	r->procs.modules.no_cfi = r->opt.unwind != RECORD_CFI;
	r->enabled = r->enable_at = r->rotate_at = UINT64_MAX;
	return r;
}

static void
write_meta_number(struct recorder *r, const char *key, uint64_t v)
{
	struct buf b = { 0 };

	buf_u64(&b, v);
	capture_write_meta(&r->w, key, buf_get(&b));
	buf_free(&b);
}

/* The wall clock at this capture's start. Files are named by it: nothing but a
 * clock that was set moves it from one to the next. */
static time_t
wall_start(struct recorder *r)
{
	enum { SET_NS = 100000000 };
	struct timespec t;
	int64_t ahead;

	clock_gettime(CLOCK_REALTIME, &t);
	ahead = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec -
		(int64_t)monotonic_ns();
	if (llabs(ahead - r->wall_ahead) > SET_NS)
		r->wall_ahead = ahead;
	return (time_t)(((int64_t)r->start + r->wall_ahead) / 1000000000);
}

static void
write_wall_clock(struct recorder *r)
{
	time_t then = wall_start(r);
	struct tm tm;
	char wall[32];

	gmtime_r(&then, &tm);
	strftime(wall, sizeof wall, "%Y-%m-%dT%H:%M:%SZ", &tm);
	capture_write_meta(&r->w, "start", slice_str(wall));
}

static const char *
scope_name(const struct recorder *r)
{
	if (r->opt.everything)
		return "everything";
	return r->per_cpu ? "processors" : "threads";
}

static bool
has_frequency(const struct recorder *r)
{
	size_t i;

	for (i = 0; i < r->n_events; i++)
		if (r->events[i].attr.freq)
			return true;
	return false;
}

static void
write_metadata(struct recorder *r)
{
	static const char *const unwinds[] = { "cfi", "fp", "none" };
	struct utsname u;

	capture_write_meta(&r->w, "tool", SLICE_LIT("pk-sample " VERSION));
	if (r->command_line.len)
		capture_write_meta(&r->w, "command", r->command_line);
	uname(&u);
	capture_write_meta(&r->w, "host", slice_str(u.nodename));
	capture_write_meta(&r->w, "kernel", slice_str(u.release));
	capture_write_meta(&r->w, "arch", slice_str(u.machine));
	write_wall_clock(r);
	if (has_frequency(r))
		write_meta_number(r, "frequency", r->opt.frequency);
	capture_write_meta(&r->w, "unwind", slice_str(unwinds[r->opt.unwind]));
	if (r->opt.unwind == RECORD_CFI)
		write_meta_number(r, "stack-size", r->opt.stack_size);
	write_meta_number(r, "cpus", r->n_cpus);
	capture_write_meta(&r->w, "scope", slice_str(scope_name(r)));
}

/* Time on and off the processor is one event with --wall. */
static void
write_events(struct recorder *r)
{
	uint32_t last = 0;
	size_t i;

	for (i = 0; i < r->n_events; i++) {
		struct record_event *e = &r->events[i];

		if (e->role == EVENT_SAMPLE)
			last = e->capture_id = capture_write_event(
				&r->w, e->unit, r->opt.wall ? 0 : e->period,
				slice_str(e->name));
	}
	if (r->opt.wall)
		r->off_cpu_id = last;
	else if (r->opt.off_cpu)
		r->off_cpu_id = capture_write_event(&r->w, "ns", 0,
						    SLICE_LIT("off-cpu"));
}

static void
write_head(struct recorder *r)
{
	capture_write_start(&r->w);
	write_metadata(r);
	write_events(r);
}

/* Hands what is written so far to the sink. */
static void
pass_on(struct recorder *r)
{
	if (!r->w.out.len)
		return;
	sink_put(r->sink, buf_get(&r->w.out));
	buf_clear(&r->w.out);
}

static void
enable_sampling(struct recorder *r, uint64_t now)
{
	record_enable(r, false, true);
	r->enabled = now;
	r->enable_at = UINT64_MAX;
}

/* A command's events on threads let themselves count when it is executed. */
void
record_begin(struct recorder *r, struct slice command)
{
	bool by_exec = r->by_command && !r->per_cpu;
	size_t i;

	r->began = r->start = monotonic_ns();
	r->command_line = command;
	if (r->opt.rotate_ns)
		r->rotate_at = r->start + r->opt.rotate_ns;
	write_head(r);
	record_enable(r, !by_exec, false);
	if (r->opt.delay_ns)
		r->enable_at = r->start + r->opt.delay_ns;
	else if (by_exec)
		r->enabled = r->start;
	else
		enable_sampling(r, r->start);
	for (i = 0; i < r->found.n; i++)
		record_find_process(r, r->found.pid[i], r->start);
	if (r->opt.everything)
		record_find_processes(r);
	pass_on(r);
}

static uint64_t
record_order(const struct perf_event_header *h)
{
	return h->type == PERF_RECORD_SAMPLE ? record_sample_time(h)
					     : record_sideband_time(h);
}

/* The ring whose next record is the oldest, NULL when all are empty. */
static struct ring *
oldest_ring(struct recorder *r, uint64_t limit)
{
	uint64_t best = UINT64_MAX;
	struct ring *found = NULL;
	size_t i;

	for (i = 0; i < r->n_cpus; i++) {
		const struct perf_event_header *h = ring_peek(&r->rings[i]);
		uint64_t time = h ? record_order(h) : UINT64_MAX;

		if (h && time <= limit && (!found || time < best)) {
			best = time;
			found = &r->rings[i];
		}
	}
	return found;
}

/* ---- one capture after the other ---- */

static void
write_lack(struct recorder *r, const char *what, uint64_t count)
{
	if (count)
		capture_write_lack(&r->w, what, count);
}

static void
write_lacks(struct recorder *r)
{
	write_lack(r, "lost", r->counts.lost);
	write_lack(r, "throttled", r->counts.throttled);
	write_lack(r, "output-full", r->counts.dropped);
	write_lack(r, "exited", r->counts.exited);
	write_lack(r, "unsampled-ns", r->counts.unsampled_ns);
	write_lack(r, "kernel-frames", r->no_kernel && !r->opt.no_kernel);
	write_lack(r, "off-cpu-stacks", r->opt.off_cpu && !r->off_cpu_stacks);
}

static void
finish_capture(struct recorder *r)
{
	record_write_kernel_symbols(r);
	record_write_vdso_symbols(r);
	record_write_file_symbols(r);
	record_write_all_jit_symbols(r);
	write_lacks(r);
	capture_write_end(&r->w);
	pass_on(r);
}

static void
add_counts(struct record_counts *to, const struct record_counts *c)
{
	to->samples += c->samples;
	to->lost += c->lost;
	to->dropped += c->dropped;
	to->throttled += c->throttled;
	to->unsampled_ns += c->unsampled_ns;
	to->exited += c->exited;
	to->clock_ns += c->clock_ns;
}

/* Ends the capture at TIME and begins the next one with all that lives: waits
 * that go on are split there. */
static void
rotate(struct recorder *r, uint64_t time)
{
	struct old_tree old;

	record_split_waits(r, time);
	r->last_time = time;
	finish_capture(r);
	record_release_unused(r);
	add_counts(&r->before, &r->counts);
	r->counts = (struct record_counts){ 0 };
	r->start = time;
	sink_next(r->sink, wall_start(r));
	r->rotate_at = time + r->opt.rotate_ns;
	record_restart_tree(r, &old);
	processes_forget_names(&r->procs);
	write_head(r);
	record_repeat_processes(r);
	record_move_waits(r, &old);
	record_free_tree(&old);
	pass_on(r);
}

/* ---- reading the rings ---- */

/* A record's time is taken before it is visible: what is younger than this
 * waits, so that no ring overtakes another. */
enum { SETTLE_NS = 1000000 };

static void
drain(struct recorder *r, uint64_t limit)
{
	struct ring *ring;
	size_t i;

	for (i = 0; i < r->n_cpus; i++)
		ring_refresh(&r->rings[i]);
	while ((ring = oldest_ring(r, limit))) {
		const struct perf_event_header *h = ring_peek(ring);

		r->last_time = record_order(h);
		while (r->last_time >= r->rotate_at)
			rotate(r, r->rotate_at);
		if (h->type == PERF_RECORD_SAMPLE)
			record_sample(r, h);
		else
			record_sideband(r, h);
		ring_consume(ring, h);
	}
	while (limit != UINT64_MAX && limit >= r->rotate_at)
		rotate(r, r->rotate_at);
	pass_on(r);
}

/* A descriptor hangs up when its thread and all that inherited from it have
 * ended. */
static void
retire_ended(struct recorder *r)
{
	size_t i;

	for (i = r->n_cpus; i < r->n_polls; i++)
		if (r->polls[i].fd >= 0 &&
		    r->polls[i].revents & (POLLHUP | POLLERR)) {
			close(r->polls[i].fd);
			r->polls[i].fd = -1;
			r->n_live--;
		}
}

/* Until something is due at a time, if that comes first. */
static int
shorten(int timeout_ms, uint64_t now, uint64_t due)
{
	uint64_t left = due > now ? (due - now) / 1000000 + 1 : 0;

	return due == UINT64_MAX || left > (uint64_t)timeout_ms ? timeout_ms
								: (int)left;
}

/* Between looks for modules that nobody has mapped. */
#define RELEASE_NS UINT64_C(5000000000)

bool
record_poll(struct recorder *r, struct pollfd *extra, size_t n, int timeout_ms)
{
	uint64_t now = monotonic_ns();
	size_t i;

	timeout_ms = shorten(timeout_ms, now, r->enable_at);
	timeout_ms = shorten(timeout_ms, now, r->rotate_at);
	GROW(r->polls, r->cap_polls, r->n_polls + n);
	for (i = 0; i < n; i++)
		r->polls[r->n_polls + i] = extra[i];
	if (poll(r->polls, r->n_polls + n, timeout_ms) > 0)
		retire_ended(r);
	for (i = 0; i < n; i++)
		extra[i].revents = r->polls[r->n_polls + i].revents;
	now = monotonic_ns();
	if (now >= r->enable_at)
		enable_sampling(r, now);
	if (now >= r->release_at) {
		record_release_idle(r);
		r->release_at = now + RELEASE_NS;
	}
	drain(r, now - SETTLE_NS);
	return r->n_live > 0 || (r->opt.everything && !r->by_command);
}

struct record_counts
record_counts(const struct recorder *r)
{
	struct record_counts c = r->before;

	add_counts(&c, &r->counts);
	return c;
}

/* Processes too short for a sample of their own: an inherited event starts a
 * period anew in each. Some periods, or two in a hundred, are chance. */
static uint64_t
unsampled_ns(const struct recorder *r, uint64_t user_ns, uint64_t system_ns)
{
	struct record_counts c = record_counts(r);
	const struct record_event *clock = NULL;
	uint64_t had, seen;
	size_t i;

	for (i = 0; i < r->n_events; i++)
		if (r->events[i].is_clock)
			clock = &r->events[i];
	if (!clock || clock->attr.exclude_user || r->opt.n_cpus ||
	    r->opt.delay_ns || r->n_events > 2)
		return 0;
	had = user_ns + (clock->attr.exclude_kernel ? 0 : system_ns);
	seen = c.clock_ns + c.lost * clock->period;
	if (had <= seen + 10 * clock->period + had / 50)
		return 0;
	return had - seen;
}

void
record_abandon(struct recorder *r)
{
	record_close_events(r);
	processes_free(&r->procs);
	kernel_free(&r->kernel);
	capture_writer_free(&r->w);
	free(r->events);
	free(r->standard.name);
	free(r->cpus);
	free(r->is_chosen);
	free(r->rings);
	free(r->polls);
	free(r->fds);
	free(r->found.pid);
	free(r->refs);
	free(r->waits);
	map_free(&r->event_of_id);
	map_free(&r->attached);
	map_free(&r->tracked);
	map_free(&r->strangers);
	map_free(&r->waiting);
	process_walker_free(&r->walker);
	free(r);
}

struct record_counts
record_end(struct recorder *r, uint64_t user_ns, uint64_t system_ns)
{
	uint64_t now = monotonic_ns();
	struct record_counts counts;

	record_disable(r);
	drain(r, UINT64_MAX);
	record_split_waits(r, now);
	r->counts.unsampled_ns = unsampled_ns(r, user_ns, system_ns);
	finish_capture(r);
	counts = record_counts(r);
	counts.began = r->enabled != UINT64_MAX;
	record_abandon(r);
	return counts;
}
