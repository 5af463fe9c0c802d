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
	r->sink = sink;
	record_prepare(r);
	r->frames = xcalloc(FRAMES_MAX, sizeof *r->frames);
	r->cache = aligned_alloc(64, sizeof *r->cache << CACHE_BITS);
	if (!r->cache)
		die("out of memory");
	memset(r->cache, 0, sizeof *r->cache << CACHE_BITS);
	r->start = monotonic_ns();
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

static void
write_head(struct recorder *r, struct slice command)
{
	static const char *const unwinds[] = { "cfi", "fp", "none" };
	struct utsname u;
	time_t now = time(NULL);
	struct tm tm;
	char wall[32];

	capture_write_start(&r->w);
	capture_write_meta(&r->w, "tool", SLICE_LIT("pk-sample " VERSION));
	if (command.len)
		capture_write_meta(&r->w, "command", command);
	uname(&u);
	capture_write_meta(&r->w, "host", slice_str(u.nodename));
	capture_write_meta(&r->w, "kernel", slice_str(u.release));
	capture_write_meta(&r->w, "arch", slice_str(u.machine));
	gmtime_r(&now, &tm);
	strftime(wall, sizeof wall, "%Y-%m-%dT%H:%M:%SZ", &tm);
	capture_write_meta(&r->w, "start", slice_str(wall));
	write_meta_number(r, "frequency", r->opt.frequency);
	capture_write_meta(&r->w, "unwind", slice_str(unwinds[r->opt.unwind]));
	if (r->opt.unwind == RECORD_CFI)
		write_meta_number(r, "stack-size", r->opt.stack_size);
	write_meta_number(r, "cpus", r->n_cpus);
	r->event_id =
		capture_write_event(&r->w, r->opt.event->unit,
				    !strcmp(r->opt.event->unit, "ns")
					    ? 1000000000u / r->opt.frequency
					    : 0,
				    slice_str(r->opt.event->name));
	r->truncated_module =
		capture_write_module(&r->w, (struct slice){ NULL, 0 }, 'a',
				     SLICE_LIT("[truncated]"));
	r->no_cfi_module = capture_write_module(
		&r->w, (struct slice){ NULL, 0 }, 'a', SLICE_LIT("[no-cfi]"));
	r->unknown_module = capture_write_module(
		&r->w, (struct slice){ NULL, 0 }, 'a', SLICE_LIT("[unknown]"));
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

void
record_begin(struct recorder *r, struct slice command)
{
	size_t i;

	write_head(r, command);
	for (i = 0; i < r->n_fds && !r->by_command; i++)
		ioctl(r->fds[i].fd, PERF_EVENT_IOC_ENABLE, 0);
	for (i = 0; i < r->found.n; i++)
		record_find_process(r, r->found.pid[i], r->start);
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

/* A record's time is taken before it is visible: what is younger than this
 * waits, so that no ring overtakes another. */
enum { SETTLE_NS = 1000000 };

static void
drain(struct recorder *r, bool all)
{
	uint64_t limit = all ? UINT64_MAX : monotonic_ns() - SETTLE_NS;
	struct ring *ring;
	size_t i;

	for (i = 0; i < r->n_cpus; i++)
		ring_refresh(&r->rings[i]);
	while ((ring = oldest_ring(r, limit))) {
		const struct perf_event_header *h = ring_peek(ring);

		r->last_time = record_order(h);
		if (h->type == PERF_RECORD_SAMPLE)
			record_sample(r, h);
		else
			record_sideband(r, h);
		ring_consume(ring, h);
	}
	pass_on(r);
}

/* A descriptor hangs up when its thread and all that inherited from it have
 * ended. */
static void
retire_ended(struct recorder *r)
{
	size_t i;

	for (i = 0; i < r->n_fds; i++)
		if (r->fds[i].fd >= 0 &&
		    r->fds[i].revents & (POLLHUP | POLLERR)) {
			r->fds[i].fd = ~r->fds[i].fd;
			r->n_live--;
		}
}

bool
record_poll(struct recorder *r, struct pollfd *extra, size_t n, int timeout_ms)
{
	size_t i;

	GROW(r->fds, r->cap_fds, r->n_fds + n);
	for (i = 0; i < n; i++)
		r->fds[r->n_fds + i] = extra[i];
	if (poll(r->fds, r->n_fds + n, timeout_ms) > 0)
		retire_ended(r);
	for (i = 0; i < n; i++)
		extra[i].revents = r->fds[r->n_fds + i].revents;
	drain(r, false);
	return r->n_live > 0;
}

struct record_counts
record_counts(const struct recorder *r)
{
	return r->counts;
}

static void
write_lack(struct recorder *r, const char *what, uint64_t count)
{
	if (count)
		capture_write_lack(&r->w, what, count);
}

/* Processes too short for a sample of their own: an inherited event starts a
 * period anew in each. Some periods, or two in a hundred, are chance. */
static uint64_t
unsampled_ns(const struct recorder *r, uint64_t user_ns, uint64_t system_ns)
{
	uint64_t had = user_ns + (r->attr.exclude_kernel ? 0 : system_ns);
	uint64_t period = 1000000000u / r->opt.frequency;
	uint64_t seen = r->counts.weight + r->counts.lost * period;

	if (strcmp(r->opt.event->unit, "ns") ||
	    had <= seen + 10 * period + had / 50)
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
	free(r->cpus);
	free(r->rings);
	free(r->fds);
	free(r->found.pid);
	free(r->ended.pid);
	map_free(&r->attached);
	free(r->cache);
	free(r->frames);
	free(r);
}

struct record_counts
record_end(struct recorder *r, uint64_t user_ns, uint64_t system_ns)
{
	struct record_counts counts;
	size_t i;

	for (i = 0; i < r->n_fds; i++)
		ioctl(r->fds[i].fd < 0 ? ~r->fds[i].fd : r->fds[i].fd,
		      PERF_EVENT_IOC_DISABLE, 0);
	drain(r, true);
	record_write_kernel_symbols(r);
	record_write_vdso_symbols(r);
	record_write_all_jit_symbols(r);
	write_lack(r, "lost", r->counts.lost);
	write_lack(r, "throttled", r->counts.throttled);
	write_lack(r, "output-full", r->counts.dropped);
	write_lack(r, "exited", r->exited_samples);
	r->counts.unsampled_ns = unsampled_ns(r, user_ns, system_ns);
	write_lack(r, "unsampled-ns", r->counts.unsampled_ns);
	if (r->attr.exclude_kernel)
		write_lack(r, "kernel-frames", 1);
	capture_write_end(&r->w);
	pass_on(r);
	counts = r->counts;
	record_abandon(r);
	return counts;
}
