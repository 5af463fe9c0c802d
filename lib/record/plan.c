/* SPDX-License-Identifier: MIT */
/* What the machine and the user's privileges allow: buffers, events, and what
 * those are tied to. */
#include "record/internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/limit.h"
#include "base/msg.h"
#include "base/xalloc.h"

/* Room for some 120 full copies of a stack on each processor, and at most so
 * much in all. */
enum { RING_SIZE = 8 << 20, RINGS_MAX = 256 << 20, RING_MIN = 32 << 10 };
enum { CPUS_MAX = 1 << 14 };
/* Bytes a second that may be copied of other programs' stacks, if it comes to
 * the worst. */
enum { STRANGERS_MAX = 256 << 20 };

void __attribute__((noreturn))
record_refuse(struct recorder *r, const struct record_event *e, pid_t tid,
	      int err)
{
	struct buf why = { 0 };

	event_refusal(&why, &e->attr, e->name, tid, err);
	sink_abandon(r->sink);
	die("%s", why.ptr);
}

static bool
is_permission(int err)
{
	return err == EACCES || err == EPERM;
}

/* ---- processors and their rings ---- */

static void
add_cpus(struct recorder *r, int first, int last)
{
	for (; first <= last && r->n_cpus < CPUS_MAX; first++) {
		GROW(r->cpus, r->cap_cpus, r->n_cpus + 1);
		r->cpus[r->n_cpus++] = first;
	}
}

/* The processors that run, from a list such as 0-3,8. */
static void
find_cpus(struct recorder *r)
{
	FILE *f = fopen("/sys/devices/system/cpu/online", "re");
	int first, last, sep = ',';

	while (f && sep == ',' && fscanf(f, "%d", &first) == 1) {
		last = first;
		sep = getc(f);
		if (sep == '-' && fscanf(f, "%d", &last) == 1)
			sep = getc(f);
		add_cpus(r, first, last);
	}
	if (f)
		fclose(f);
	if (!r->n_cpus)
		add_cpus(r, 0, (int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
}

static void
choose_cpus(struct recorder *r)
{
	size_t i, k;

	r->is_chosen = xcalloc(r->n_cpus, sizeof *r->is_chosen);
	for (k = 0; k < r->n_cpus && !r->opt.n_cpus; k++)
		r->is_chosen[k] = true;
	for (i = 0; i < r->opt.n_cpus; i++) {
		for (k = 0; k < r->n_cpus && r->cpus[k] != r->opt.cpus[i];)
			k++;
		if (k == r->n_cpus) {
			sink_abandon(r->sink);
			die("-C: processor %d is not online", r->opt.cpus[i]);
		}
		r->is_chosen[k] = true;
	}
}

/* An event that counts nothing, on this very thread: its ring is there however
 * many targets come and go. A quarter full, a ring wants to be read. */
static struct record_event
ring_event(size_t size)
{
	return (struct record_event){
		.name = "dummy",
		.attr = { .size = sizeof(struct perf_event_attr),
			  .type = PERF_TYPE_SOFTWARE,
			  .config = PERF_COUNT_SW_DUMMY,
			  .disabled = 1,
			  .watermark = 1,
			  .wakeup_watermark = (uint32_t)(size / 4),
			  .use_clockid = 1,
			  .clockid = CLOCK_MONOTONIC,
			  .exclude_kernel = 1,
			  .exclude_hv = 1 },
	};
}

static void
close_rings(struct recorder *r)
{
	while (r->n_polls) {
		ring_close(&r->rings[--r->n_polls]);
		close(r->polls[r->n_polls].fd);
	}
}

/* False with errno when memory of that size is refused. */
static bool
open_rings(struct recorder *r, size_t size)
{
	struct record_event e = ring_event(size);
	size_t i;

	GROW(r->polls, r->cap_polls, r->n_cpus);
	for (i = 0; i < r->n_cpus; i++) {
		int fd = event_open(&e.attr, 0, r->cpus[i]), err;

		if (fd < 0)
			record_refuse(r, &e, 0, errno);
		r->polls[r->n_polls++] =
			(struct pollfd){ .fd = fd, .events = POLLIN };
		if (ring_open(&r->rings[i], fd, size))
			continue;
		err = errno;
		close_rings(r);
		errno = err;
		return false;
	}
	return true;
}

static size_t
first_ring_size(const struct recorder *r)
{
	size_t size = RING_SIZE;

	while (size > RING_MIN && size * r->n_cpus > RINGS_MAX)
		size /= 2;
	return size;
}

/* A copy of a stack that fills more than a quarter of a ring would leave no
 * room for the next. */
static void
fit_stack_size(struct recorder *r, size_t ring)
{
	uint32_t max = (uint32_t)(ring / 4 - 1024) & ~7u;

	r->stack_wanted = r->opt.stack_size;
	if (r->opt.unwind == RECORD_CFI && r->opt.stack_size > max)
		r->opt.stack_size = max;
}

/* How much memory this user may have is only known when it was granted:
 * smaller ones are tried until then. */
static void
open_largest_rings(struct recorder *r)
{
	size_t want = first_ring_size(r), size = want;

	r->rings = xcalloc(r->n_cpus, sizeof *r->rings);
	while (!open_rings(r, size)) {
		int err = errno;
		struct record_event e = ring_event(size);

		if (!is_permission(err) && err != ENOMEM)
			record_refuse(r, &e, 0, err);
		size /= 2;
		r->ring_refused |= err != ENOMEM;
		if (size >= RING_MIN)
			continue;
		sink_abandon(r->sink);
		die("no memory for the kernel's buffers: "
		    "kernel.perf_event_mlock_kb (%ld) and 'ulimit -l' limit it",
		    event_setting(EVENT_MLOCK_KB, 0));
	}
	r->ring_wanted = want;
	r->ring_size = size;
	fit_stack_size(r, size);
}

static void
limit_frequency(struct recorder *r)
{
	long max = event_setting(EVENT_MAX_RATE, 0);

	if (max <= 0 || r->opt.period || r->opt.frequency <= (uint64_t)max)
		return;
	note("sampling at %ld Hz: kernel.perf_event_max_sample_rate allows no "
	     "more",
	     max);
	r->opt.frequency = (uint64_t)max;
}

/* What has to be read in time does not take turns with what is sampled, where
 * the user may say so and has not chosen otherwise. The command was forked
 * before. */
enum { NICENESS = -10 };

static void
raise_priority(void)
{
	if (!getpriority(PRIO_PROCESS, 0))
		setpriority(PRIO_PROCESS, 0, NICENESS);
}

void
record_prepare(struct recorder *r)
{
	raise_file_limit();
	raise_priority();
	limit_frequency(r);
	find_cpus(r);
	choose_cpus(r);
	open_largest_rings(r);
	r->chain_max = (size_t)event_setting(EVENT_MAX_STACK, 127);
	r->no_kernel = r->opt.no_kernel;
}

/* ---- events ---- */

/* The registers that perf can give of 64-bit code, but for flags and
 * segments: ax to ip, r8 to r15. */
#define USER_REGS 0xff01ffu

/* What all events have in common; that of PERF_SAMPLE_* is what sideband.c
 * finds behind the records that are no samples. */
static struct perf_event_attr
common_attr(const struct recorder *r)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr),
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			       PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER,
		.disabled = 1,
		.inherit = !r->per_cpu,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.exclude_hv = 1,
		.exclude_guest = 1,
		.enable_on_exec = r->by_command && !r->per_cpu,
	};
}

static struct record_event *
add_event(struct recorder *r)
{
	r->events =
		xreallocarray(r->events, r->n_events + 1, sizeof *r->events);
	r->events[r->n_events] =
		(struct record_event){ .attr = common_attr(r) };
	return &r->events[r->n_events++];
}

static void
add_tracking(struct recorder *r)
{
	struct record_event *e = add_event(r);

	e->role = EVENT_TRACK;
	e->name = "dummy";
	e->attr.type = PERF_TYPE_SOFTWARE;
	e->attr.config = PERF_COUNT_SW_DUMMY;
	e->attr.exclude_kernel = 1;
	e->attr.mmap = e->attr.mmap2 = 1;
	e->attr.comm = e->attr.comm_exec = 1;
	e->attr.task = 1;
	e->attr.context_switch = r->opt.off_cpu;
}

static void
add_stacks(struct recorder *r, struct perf_event_attr *a)
{
	bool cfi = r->opt.unwind == RECORD_CFI;

	a->sample_type |= PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN;
	if (cfi)
		a->sample_type |=
			PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
	a->exclude_callchain_user = r->opt.unwind != RECORD_FP;
	a->exclude_callchain_kernel = r->no_kernel;
	a->sample_regs_user = cfi ? USER_REGS : 0;
	a->sample_stack_user = cfi ? r->opt.stack_size : 0;
	if (r->by_thread)
		a->inherit = 0;
}

/* Of clocks. The kernel raises shorter periods without a word. */
static uint64_t
shortest_period(void)
{
	long rate = event_setting(EVENT_MAX_RATE, 0);
	uint64_t period = rate > 0 ? 1000000000u / (uint64_t)rate : 0;

	return period > 10000 ? period : 10000;
}

/* A tracepoint is rare, or it was chosen to see each. Asked for the period, the
 * kernel would make a sample of each event it counts: it is only asked where
 * it varies. */
static void
set_period(struct recorder *r, struct record_event *e)
{
	bool each =
		e->attr.type == PERF_TYPE_TRACEPOINT && !r->opt.frequency_given;

	e->attr.freq = !r->opt.period && !each;
	if (e->attr.freq) {
		e->attr.sample_freq = r->opt.frequency;
		e->attr.sample_type |= PERF_SAMPLE_PERIOD;
	} else {
		e->attr.sample_period = r->opt.period ? r->opt.period : 1;
	}
	if (!e->attr.freq && e->is_clock &&
	    e->attr.sample_period < shortest_period())
		e->attr.sample_period = shortest_period();
	if (!e->attr.freq)
		e->period = e->attr.sample_period;
	else if (!strcmp(e->unit, "ns"))
		e->period = 1000000000u / r->opt.frequency;
}

static void
add_sampling(struct recorder *r, const struct event_spec *s)
{
	struct record_event *e = add_event(r);

	e->role = EVENT_SAMPLE;
	e->name = s->name;
	e->unit = s->unit;
	e->is_clock = !strcmp(s->unit, "ns");
	e->attr.type = s->type;
	e->attr.config = s->config;
	e->attr.exclude_user = s->exclude_user;
	e->attr.exclude_kernel = s->exclude_kernel || r->no_kernel;
	/* An idle processor's time is nobody's. */
	e->attr.exclude_idle = r->per_cpu;
	add_stacks(r, &e->attr);
	if (r->opt.delay_ns)
		e->attr.enable_on_exec = 0;
	set_period(r, e);
	if (r->opt.wall)
		e->name = "wall";
}

/* The kernel counts it, in the thread that leaves: its stack is the one to
 * which the wait belongs. */
static void
add_switching(struct recorder *r)
{
	struct record_event *e = add_event(r);

	e->role = EVENT_SWITCH;
	e->name = "context-switches";
	e->unit = "count";
	e->attr.type = PERF_TYPE_SOFTWARE;
	e->attr.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
	e->attr.sample_period = e->period = 1;
	add_stacks(r, &e->attr);
}

static struct event_spec
spec_of(const char *name)
{
	struct buf why = { 0 };
	struct event_spec s;

	event_parse(name, &s, &why);
	return s;
}

/* Without -e: cycles, or the clock where those are not to be had. */
static void
build_events(struct recorder *r, const char *standard)
{
	bool alone = r->opt.off_cpu && !r->opt.wall;
	size_t i;

	r->n_events = 0;
	add_tracking(r);
	for (i = 0; i < r->opt.n_events; i++)
		add_sampling(r, &r->opt.events[i]);
	if (!r->opt.n_events && !alone) {
		free(r->standard.name);
		r->standard = spec_of(standard);
		add_sampling(r, &r->standard);
	}
	if (r->opt.off_cpu && r->off_cpu_stacks)
		add_switching(r);
}

/* 0, or the errno for which the event is refused. */
static int
try_event(struct recorder *r, const struct record_event *e, pid_t tid)
{
	int fd = r->per_cpu ? event_open(&e->attr, -1, r->cpus[0])
			    : event_open(&e->attr, tid, -1);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* The first event that is refused, or NULL; *ERR tells why. */
static struct record_event *
refused_event(struct recorder *r, pid_t tid, int *err)
{
	size_t i;

	for (i = 0; i < r->n_events; i++) {
		*err = try_event(r, &r->events[i], tid);
		if (*err)
			return &r->events[i];
	}
	return NULL;
}

static bool
are_clocks(const struct recorder *r)
{
	size_t i;

	if (r->opt.off_cpu)
		return false;
	for (i = 0; i < r->opt.n_events; i++)
		if (strcmp(r->opt.events[i].unit, "ns") &&
		    (r->opt.events[i].type != PERF_TYPE_HARDWARE ||
		     r->opt.events[i].config != PERF_COUNT_HW_CPU_CYCLES))
			return false;
	return true;
}

/* Whether watching whole processors for one command's sake is worth it, and
 * allowed. */
static bool
suits_processors(struct recorder *r)
{
	uint64_t copied = r->opt.unwind == RECORD_CFI ? r->opt.stack_size : 0;
	struct perf_event_attr attr = {
		.size = sizeof attr,
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000,
		.disabled = 1,
	};
	int fd;

	if (!r->by_command || r->opt.period || !are_clocks(r) ||
	    copied * r->n_cpus * r->opt.frequency > STRANGERS_MAX)
		return false;
	fd = event_open(&attr, -1, r->cpus[0]);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void
choose_scope(struct recorder *r)
{
	r->per_cpu = r->opt.everything || r->opt.scope == RECORD_PER_CPU ||
		     (r->opt.scope == RECORD_AUTO && !r->by_thread &&
		      suits_processors(r));
}

/* Something less than what was refused; false when there is nothing. */
static bool
lower_demands(struct recorder *r, const struct record_event *e, int err,
	      const char **standard)
{
	if (is_permission(err) && e->role == EVENT_SWITCH) {
		note("where threads wait is not seen, only how long: "
		     "kernel.perf_event_paranoid is %ld; set it to 1 or less, "
		     "or record as root",
		     event_setting(EVENT_PARANOID, 2));
		r->off_cpu_stacks = false;
		return true;
	}
	if (is_permission(err) && e->role == EVENT_SAMPLE && !r->no_kernel &&
	    !r->per_cpu && e->attr.type != PERF_TYPE_TRACEPOINT &&
	    !e->attr.exclude_user) {
		r->no_kernel = true;
		return true;
	}
	if (!is_permission(err) && e->role == EVENT_SAMPLE &&
	    !r->opt.n_events && strcmp(*standard, "cpu-clock")) {
		note("no hardware counter for cycles here (a virtual "
		     "machine?): sampling cpu-clock instead");
		*standard = "cpu-clock";
		return true;
	}
	return false;
}

static void
say_what_is_less(const struct recorder *r)
{
	size_t i;

	if (r->ring_size < r->ring_wanted)
		note("the kernel's buffers are %zu KiB instead of %zu, which "
		     "may cost samples: %s",
		     r->ring_size >> 10, r->ring_wanted >> 10,
		     r->ring_refused
			     ? "kernel.perf_event_mlock_kb limits them for "
			       "this user"
			     : "there is no memory for more; 'ulimit -v' may "
			       "limit it");
	if (r->opt.stack_size < r->stack_wanted)
		note("copying %u bytes of stack instead of %u: the kernel's "
		     "buffers are small",
		     r->opt.stack_size, r->stack_wanted);
	if (r->no_kernel && !r->opt.no_kernel)
		note("kernel frames are left out: kernel.perf_event_paranoid "
		     "is %ld; set it to 1 or less, or record as root",
		     event_setting(EVENT_PARANOID, 2));
	for (i = 0; i < r->n_events; i++)
		if (r->events[i].is_clock && r->opt.period &&
		    r->events[i].period != r->opt.period)
			note("%s: a sample every %llu ns: the kernel takes "
			     "none more often "
			     "(kernel.perf_event_max_sample_rate)",
			     r->events[i].name,
			     (unsigned long long)r->events[i].period);
}

bool
record_choose_events(struct recorder *r, pid_t tid)
{
	const char *standard = r->opt.wall ? "cpu-clock" : "cycles";
	struct record_event *e;
	int err;

	choose_scope(r);
	r->off_cpu_stacks = r->opt.off_cpu;
	build_events(r, standard);
	while ((e = refused_event(r, tid, &err))) {
		if (err == ESRCH)
			return false;
		if (!lower_demands(r, e, err, &standard))
			record_refuse(r, e, r->per_cpu ? -1 : tid, err);
		build_events(r, standard);
	}
	say_what_is_less(r);
	r->chosen = true;
	return true;
}
