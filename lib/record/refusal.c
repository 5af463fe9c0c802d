/* SPDX-License-Identifier: MIT */
/* Why the kernel did not allow it, and what to change. */
#include "record/event.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
explain_permission(struct buf *why, const struct perf_event_attr *attr,
		   pid_t tid)
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
	else if (tid < 0)
		buf_printf(why,
			   "sampling whole processors (-a, --per-cpu) is "
			   "root's: kernel.perf_event_paranoid is %ld; as "
			   "root, run 'sysctl kernel.perf_event_paranoid=0'",
			   paranoid);
	else if (attr->type == PERF_TYPE_TRACEPOINT)
		buf_printf(why,
			   "tracepoints are root's: "
			   "kernel.perf_event_paranoid is %ld; as root, run "
			   "'sysctl kernel.perf_event_paranoid=-1'",
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
		explain_permission(why, attr, tid);
		break;
	case ENOSYS:
		buf_str(why, "the kernel refuses perf_event_open: it was built "
			     "without CONFIG_PERF_EVENTS, or a container's "
			     "seccomp filter says so");
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
		buf_printf(why, "there is no process or thread %d", (int)tid);
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
			   "the kernel does not accept '%s' with a %s of %llu "
			   "and these options (Linux 4.3 or later is needed)",
			   name, attr->freq ? "frequency" : "period",
			   (unsigned long long)attr->sample_freq);
		break;
	default:
		buf_printf(why, "perf_event_open: %s", strerror(err));
	}
}
