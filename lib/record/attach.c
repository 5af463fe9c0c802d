/* SPDX-License-Identifier: MIT */
/* Asking the kernel: which event, on which threads, into which buffers. */
#include "record/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "base/limit.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"

/* Room for some 60 full copies of a stack on each processor, and at most so
 * much in all. */
enum { RING_SIZE = 4 << 20, RINGS_MAX = 256 << 20, RING_MIN = 32 << 10 };
enum { CPUS_MAX = 1 << 14 };

/* ---- the event ---- */

/* The registers that perf can give of 64-bit code, but for flags and
 * segments: ax to ip, r8 to r15. */
#define USER_REGS 0xff01ffu

static void
set_attr(struct recorder *r, const struct event_type *e)
{
	bool cfi = r->opt.unwind == RECORD_CFI;

	r->opt.event = e;
	r->attr = (struct perf_event_attr){
		.size = sizeof r->attr,
		.type = e->type,
		.config = e->config,
		.freq = 1,
		.sample_freq = r->opt.frequency,
		.sample_type =
			PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD |
			PERF_SAMPLE_CALLCHAIN |
			(cfi ? PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER
			     : 0),
		.disabled = 1,
		.inherit = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.enable_on_exec = r->by_command,
		.sample_id_all = 1,
		.watermark = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.exclude_hv = 1,
		.exclude_guest = 1,
		.exclude_callchain_user = r->opt.unwind != RECORD_FP,
		.sample_regs_user = cfi ? USER_REGS : 0,
		.sample_stack_user = cfi ? r->opt.stack_size : 0,
	};
}

static void __attribute__((noreturn))
refuse(struct recorder *r, pid_t tid, int err)
{
	struct buf why = { 0 };

	event_refusal(&why, &r->attr,
		      r->opt.event ? r->opt.event->name : "cycles", tid, err);
	sink_abandon(r->sink);
	die("%s", why.ptr);
}

static bool
is_permission(int err)
{
	return err == EACCES || err == EPERM;
}

/* Kernel frames need a privilege of their own. */
static bool
leave_out_kernel(struct recorder *r)
{
	if (r->attr.exclude_kernel)
		return false;
	r->attr.exclude_kernel = 1;
	return true;
}

static int
open_without_kernel(struct recorder *r, pid_t tid, int cpu)
{
	int fd = event_open(&r->attr, tid, cpu);

	if (fd >= 0 || !is_permission(errno) || !leave_out_kernel(r))
		return fd;
	fd = event_open(&r->attr, tid, cpu);
	if (fd >= 0)
		note("kernel frames are left out: kernel.perf_event_paranoid "
		     "is %ld; set it to 1 or less, or record as root",
		     event_setting(EVENT_PARANOID, 2));
	return fd;
}

/* Decides what is sampled, on this very thread; false when it has ended. */
static bool
choose_event(struct recorder *r, pid_t tid)
{
	const struct event_type *e = r->opt.event;
	int fd;

	set_attr(r, e ? e : event_find("cycles"));
	fd = open_without_kernel(r, tid, -1);
	if (fd < 0 && !e && !is_permission(errno) && errno != ESRCH) {
		note("no hardware counter for cycles here (a virtual "
		     "machine?): sampling cpu-clock instead");
		set_attr(r, event_find("cpu-clock"));
		fd = open_without_kernel(r, tid, -1);
	}
	if (fd < 0 && errno == ESRCH)
		return false;
	if (fd < 0)
		refuse(r, tid, errno);
	close(fd);
	return true;
}

/* ---- rings ---- */

static size_t
first_ring_size(const struct recorder *r)
{
	size_t size = RING_SIZE;

	while (size > RING_MIN && size * r->n_cpus > RINGS_MAX)
		size /= 2;
	return size;
}

void
record_close_events(struct recorder *r)
{
	size_t i;

	for (i = 0; i < r->n_cpus; i++)
		ring_close(&r->rings[i]);
	for (i = 0; i < r->n_fds; i++)
		close(r->fds[i].fd < 0 ? ~r->fds[i].fd : r->fds[i].fd);
	r->n_fds = r->n_live = 0;
}

static bool
open_rings(struct recorder *r, size_t size)
{
	size_t i;

	for (i = 0; i < r->n_cpus; i++)
		if (!ring_open(&r->rings[i], r->fds[i].fd, size)) {
			int err = errno;

			while (i--)
				ring_close(&r->rings[i]);
			errno = err;
			return false;
		}
	return true;
}

static void
close_thread(struct recorder *r, size_t first)
{
	while (r->n_fds > first) {
		close(r->fds[--r->n_fds].fd);
		r->n_live--;
	}
}

/* One event for each processor, inherited by all that the thread starts; all
 * of one processor share its ring. False when the thread has ended. */
static bool
open_thread(struct recorder *r, pid_t tid)
{
	size_t first = r->n_fds, i;

	GROW(r->fds, r->cap_fds, r->n_fds + r->n_cpus);
	for (i = 0; i < r->n_cpus; i++) {
		int fd = event_open(&r->attr, tid, r->cpus[i]);

		if (fd < 0 && errno == ESRCH) {
			close_thread(r, first);
			return false;
		}
		if (fd < 0)
			refuse(r, tid, errno);
		r->fds[r->n_fds++] =
			(struct pollfd){ .fd = fd, .events = POLLIN };
		r->n_live++;
		if (first && ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, r->fds[i].fd))
			refuse(r, tid, errno);
	}
	return true;
}

/* A copy of a stack that fills more than a quarter of a ring would leave no
 * room for the next, and a ring that is a quarter full wants to be read. */
static void
fit_to_ring(struct recorder *r, size_t size)
{
	uint32_t max = (uint32_t)(size / 4 - 1024) & ~7u;

	r->attr.wakeup_watermark = (uint32_t)(size / 4);
	if (r->attr.sample_stack_user > max)
		r->attr.sample_stack_user = max;
}

static void
say_shrunk(struct recorder *r, size_t size, size_t want)
{
	if (size < want)
		note("the kernel's buffers are %zu KiB instead of %zu, which "
		     "may cost samples: kernel.perf_event_mlock_kb limits "
		     "them for this user",
		     size >> 10, want >> 10);
	if (r->opt.unwind != RECORD_CFI ||
	    r->attr.sample_stack_user == r->opt.stack_size)
		return;
	note("copying %u bytes of stack instead of %u: the kernel's buffers "
	     "are small",
	     r->attr.sample_stack_user, r->opt.stack_size);
	r->opt.stack_size = r->attr.sample_stack_user;
}

/* What a ring needs is settled when its event is opened, and whether the user
 * may have it only then: smaller ones are tried until one is granted. False
 * when the thread has ended. */
static bool
attach_first(struct recorder *r, pid_t tid)
{
	size_t want = first_ring_size(r), size = want;

	if (!choose_event(r, tid))
		return false;
	for (;; size /= 2) {
		if (size < RING_MIN) {
			sink_abandon(r->sink);
			die("no memory for the kernel's buffers: "
			    "kernel.perf_event_mlock_kb (%ld) and 'ulimit -l' "
			    "limit it",
			    event_setting(EVENT_MLOCK_KB, 0));
		}
		fit_to_ring(r, size);
		if (!open_thread(r, tid))
			return false;
		if (open_rings(r, size))
			break;
		if (!is_permission(errno) && errno != ENOMEM)
			refuse(r, tid, errno);
		record_close_events(r);
	}
	say_shrunk(r, size, want);
	return true;
}

static void
limit_frequency(struct recorder *r)
{
	long max = event_setting(EVENT_MAX_RATE, 0);

	if (max <= 0 || r->opt.frequency <= (uint64_t)max)
		return;
	note("sampling at %ld Hz: kernel.perf_event_max_sample_rate allows no "
	     "more",
	     max);
	r->opt.frequency = (uint64_t)max;
}

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

void
record_prepare(struct recorder *r)
{
	limit_frequency(r);
	find_cpus(r);
	raise_file_limit();
	r->rings = xcalloc(r->n_cpus, sizeof *r->rings);
}

/* ---- targets ---- */

void
record_attach_command(struct recorder *r, pid_t child)
{
	r->by_command = true;
	r->command = child;
	if (!attach_first(r, child))
		refuse(r, child, ESRCH);
	process_start(&r->procs, child, getpid(), SLICE_LIT("pk-sample"));
}

/* Threads that appear meanwhile inherit the events of those that made them;
 * looking again would count them twice. */
static bool
attach_threads(struct recorder *r, pid_t pid)
{
	char path[64];
	struct dirent *d;
	bool attached = false;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		uint64_t tid;
		bool added;

		if (!parse_u64(slice_str(d->d_name), &tid))
			continue;
		map_put(&r->attached, tid, &added);
		if (!added)
			attached = true;
		else if (r->n_fds ? open_thread(r, (pid_t)tid)
				  : attach_first(r, (pid_t)tid))
			attached = true;
	}
	if (dir)
		closedir(dir);
	return attached;
}

/* The process that a thread belongs to; 0 when there is none. */
static pid_t
process_of(pid_t tid)
{
	char path[64], line[128];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && !pid && fgets(line, sizeof line, f))
		if (sscanf(line, "Tgid: %d", &pid) != 1)
			pid = 0;
	if (f)
		fclose(f);
	return pid;
}

void
record_attach_process(struct recorder *r, pid_t tid)
{
	pid_t pid = process_of(tid);
	size_t i;

	if (!pid || !attach_threads(r, pid))
		refuse(r, tid, ESRCH);
	for (i = 0; i < r->found.n; i++)
		if (r->found.pid[i] == pid)
			return;
	GROW(r->found.pid, r->found.cap, r->found.n + 1);
	r->found.pid[r->found.n++] = pid;
}
