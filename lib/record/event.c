/* SPDX-License-Identifier: MIT */
#include "record/event.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HARDWARE(name, config, what)                                       \
	{                                                                  \
		name, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##config, "count", \
			what                                               \
	}
#define SOFTWARE(name, config, unit, what)                                   \
	{                                                                    \
		name, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##config, unit, what \
	}

const struct event_type event_types[] = {
	HARDWARE("cycles", CPU_CYCLES, "processor cycles"),
	HARDWARE("instructions", INSTRUCTIONS, "instructions retired"),
	HARDWARE("cache-references", CACHE_REFERENCES,
		 "last-level cache accesses"),
	HARDWARE("cache-misses", CACHE_MISSES, "last-level cache misses"),
	HARDWARE("branches", BRANCH_INSTRUCTIONS, "branch instructions"),
	HARDWARE("branch-misses", BRANCH_MISSES, "mispredicted branches"),
	HARDWARE("bus-cycles", BUS_CYCLES, "bus cycles"),
	HARDWARE("ref-cycles", REF_CPU_CYCLES,
		 "cycles at the nominal frequency"),
	HARDWARE("stalled-cycles-frontend", STALLED_CYCLES_FRONTEND,
		 "cycles waiting for instructions"),
	HARDWARE("stalled-cycles-backend", STALLED_CYCLES_BACKEND,
		 "cycles waiting for data or units"),
	SOFTWARE("cpu-clock", CPU_CLOCK, "ns", "processor time, by a timer"),
	SOFTWARE("task-clock", TASK_CLOCK, "ns", "processor time of the task"),
	SOFTWARE("page-faults", PAGE_FAULTS, "count", "page faults"),
	SOFTWARE("minor-faults", PAGE_FAULTS_MIN, "count",
		 "page faults without input or output"),
	SOFTWARE("major-faults", PAGE_FAULTS_MAJ, "count",
		 "page faults that read from a device"),
	SOFTWARE("context-switches", CONTEXT_SWITCHES, "count",
		 "times a thread left a processor"),
	SOFTWARE("cpu-migrations", CPU_MIGRATIONS, "count",
		 "times a thread changed processors"),
	SOFTWARE("alignment-faults", ALIGNMENT_FAULTS, "count",
		 "misaligned accesses the kernel mended"),
	{ NULL, 0, 0, NULL, NULL },
};

const struct event_type *
event_find(const char *name)
{
	const struct event_type *e;

	for (e = event_types; e->name; e++)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}

int
event_open(struct perf_event_attr *attr, pid_t tid, int cpu)
{
	return (int)syscall(SYS_perf_event_open, attr, tid, cpu, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

static bool
is_available(const struct event_type *e)
{
	struct perf_event_attr attr = { .size = sizeof attr,
					.type = e->type,
					.config = e->config,
					.sample_period = 1000003,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1 };
	int fd = event_open(&attr, 0, -1);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

void
event_list(void)
{
	const struct event_type *e;

	for (e = event_types; e->name; e++)
		printf("%-24s %-13s %s\n", e->name,
		       is_available(e) ? "available" : "not available",
		       e->what);
}

long
event_setting(const char *path, long fallback)
{
	FILE *f = fopen(path, "re");
	long v = fallback;

	if (!f)
		return fallback;
	if (fscanf(f, "%ld", &v) != 1)
		v = fallback;
	fclose(f);
	return v;
}

static void
explain_permission(struct buf *why, pid_t tid)
{
	long paranoid = event_setting(EVENT_PARANOID, -2);

	if (!geteuid())
		buf_printf(why,
			   "the kernel refuses perf_event_open even to root: "
			   "inside a container, start it with --cap-add "
			   "PERFMON and a seccomp profile that allows the "
			   "call (docker: --security-opt seccomp=unconfined)");
	else if (paranoid > 2)
		buf_printf(why,
			   "kernel.perf_event_paranoid is %ld, which lets "
			   "only root sample: as root, run 'sysctl "
			   "kernel.perf_event_paranoid=1'",
			   paranoid);
	else if (tid > 0 && kill(tid, 0) && errno == EPERM)
		buf_printf(why,
			   "process %d belongs to somebody else: sample it as "
			   "that user or as root",
			   (int)tid);
	else
		buf_printf(why,
			   "the kernel refuses perf_event_open to this user "
			   "(kernel.perf_event_paranoid is %ld): a container's "
			   "seccomp filter or a security module forbids it; "
			   "run as root or allow the call there",
			   paranoid);
}

void
event_refusal(struct buf *why, const struct perf_event_attr *attr,
	      const char *name, pid_t tid, int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		explain_permission(why, tid);
		break;
	case ENOSYS:
		buf_str(why, "the kernel refuses perf_event_open: it was built "
			     "without CONFIG_PERF_EVENTS");
		break;
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		buf_printf(why,
			   "this machine does not count '%s'; 'pk-sample -e "
			   "list' shows what it does",
			   name);
		break;
	case ESRCH:
		buf_printf(why, "there is no process %d", (int)tid);
		break;
	case EMFILE:
		buf_str(why, "too many open files: an event takes one for "
			     "each thread and processor; raise 'ulimit -n'");
		break;
	case EBUSY:
		buf_printf(why, "another program holds the counter for '%s'",
			   name);
		break;
	case EINVAL:
		buf_printf(why,
			   "the kernel does not accept '%s' at %llu samples a "
			   "second with these options (Linux 4.1 or later is "
			   "needed)",
			   name, (unsigned long long)attr->sample_freq);
		break;
	default:
		buf_printf(why, "perf_event_open: %s", strerror(err));
	}
}
