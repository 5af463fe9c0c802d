/* SPDX-License-Identifier: MIT */
/* The recorder's state, shared by the files of this layer only. */
#ifndef PK_RECORD_INTERNAL_H
#define PK_RECORD_INTERNAL_H

#include "capture/write.h"
#include "process/kernel.h"
#include "process/walk.h"
#include "record/modfile.h"
#include "record/record.h"
#include "record/ring.h"

enum event_role {
	EVENT_TRACK,  /* no samples: tells of processes and mappings */
	EVENT_SAMPLE, /* becomes samples */
	EVENT_SWITCH, /* where a thread leaves its processor: off-CPU stacks */
};

/* An event as it is opened, for each target and processor. */
struct record_event {
	enum event_role role;
	const char *name, *unit;
	uint64_t period; /* nominal, in the unit; 0: it varies */
	bool is_clock;
	struct perf_event_attr attr;
	uint32_t capture_id;
};

/* Modules of the capture that are no files. */
enum special {
	TRUNCATED,
	UNREADABLE,
	NO_CFI,
	UNKNOWN,
	PREEMPTED,
	WAITING,
	N_SPECIALS
};

/* What a module of the capture stands for, so that a stack can be written
 * again in the next one. */
struct module_ref {
	enum { REF_SPECIAL, REF_FILE, REF_KERNEL } kind;
	uint32_t index; /* enum special, modules.list, kernel.parts */
};

struct recorder {
	struct record_options opt;
	struct record_event *events; /* [0] tracks */
	size_t n_events;
	bool chosen;		    /* events are settled */
	struct event_spec standard; /* without any of opt's */
	bool no_kernel;		    /* opt's, or the kernel's will */
	bool per_cpu;
	bool by_command, by_thread;
	struct sink *sink;
	struct capture_writer w;
	uint64_t start;	    /* of this capture: CLOCK_MONOTONIC, ns */
	uint64_t began;	    /* the first one */
	int64_t wall_ahead; /* what CLOCK_REALTIME is more than that */
	uint64_t enable_at, rotate_at; /* UINT64_MAX: done, never */
	uint64_t release_at;	       /* idle modules */
	uint64_t enabled; /* since when samples count; UINT64_MAX: not yet */
	struct slice command_line;
	pid_t command; /* 0 once its exec was seen */

	int *cpus;	 /* all that run */
	bool *is_chosen; /* by opt.cpus */
	size_t n_cpus, cap_cpus;
	struct ring *rings; /* one for each of cpus */
	/* What is polled: the event behind each ring, then one for each
	 * thread attached to, which hangs up when that and all it started have
	 * ended (and is -1 then). */
	struct pollfd *polls;
	size_t n_polls, cap_polls, n_live;
	struct record_fd {
		int fd;
		uint32_t event;
	} * fds; /* all others */
	size_t n_fds, cap_fds;
	struct map event_of_id; /* by the kernel's number */
	struct pid_list {
		pid_t *pid;
		size_t n, cap;
	} found;	       /* processes that ran already */
	struct map attached;   /* their threads that are sampled */
	struct map tracked;    /* threads whose process is tracked for -t */
	struct map strangers;  /* pids that are known to be none of ours */
	uint64_t last_time;    /* of the records handled so far */

	struct processes procs;
	struct kernel kernel;
	struct process_walker walker;
	size_t chain_max; /* frames that the kernel follows at most */
	size_t ring_size, ring_wanted;
	bool ring_refused; /* not for want of memory */
	uint32_t stack_wanted;
	struct module_ref *refs; /* by the capture's module id */
	size_t cap_refs;
	uint32_t specials[N_SPECIALS]; /* their ids; 0: not written yet */

	/* off-CPU time */
	uint32_t off_cpu_id; /* the capture's event */
	bool off_cpu_stacks;
	struct map waiting; /* tid: index in waits */
	struct wait *waits;
	size_t n_waits, cap_waits;

	struct record_counts counts; /* of this capture */
	struct record_counts before; /* of those that rotation has finished */
};

/* plan.c: rings, which events there will be, and what each is tied to. False
 * when TID (-1: processors) has ended meanwhile. */
void record_prepare(struct recorder *r);
bool record_choose_events(struct recorder *r, pid_t tid);
void record_refuse(struct recorder *r, const struct record_event *e, pid_t tid,
		   int err) __attribute__((noreturn));

/* attach.c: record_attach_..., switching the events of a role on or off, and
 * letting go of them all. */
void record_enable(struct recorder *r, bool tracking, bool sampling);
void record_disable(struct recorder *r);
void record_close_events(struct recorder *r);

/* sample.c: a SAMPLE record becomes an "s" record and its frames. */
void record_sample(struct recorder *r, const struct perf_event_header *h);
/* The time of a SAMPLE record of this recorder; 0 when it is too short. */
uint64_t record_sample_time(const struct perf_event_header *h);

/* sideband.c: what the kernel tells of processes. */
void record_sideband(struct recorder *r, const struct perf_event_header *h);
uint64_t record_sideband_time(const struct perf_event_header *h);
/* A process that ran before: its names and mappings. */
struct process *record_find_process(struct recorder *r, pid_t pid,
				    uint64_t time);
/* All that run. */
void record_find_processes(struct recorder *r);
/* A process that is recorded, found if need be; NULL for all others. */
struct process *record_get_process(struct recorder *r, pid_t pid,
				   uint64_t time);
/* Writes all live processes and names, for a capture that begins now. */
void record_repeat_processes(struct recorder *r);
/* Nanoseconds since the capture's start. */
uint64_t record_time(const struct recorder *r, uint64_t monotonic);

/* tree.c: modules and frames of the capture, written at first use. */
uint32_t record_special(struct recorder *r, uint32_t parent, enum special s);
uint32_t record_user_frame(struct recorder *r, uint32_t parent,
			   const struct unwind_frame *f);
uint32_t record_kernel_frame(struct recorder *r, uint32_t parent, uint64_t pc);
/* Forgets all of it. OLD receives what record_move_stack needs to write a
 * stack of the capture before into the one that begins. */
struct old_tree {
	struct nodes nodes;
	struct module_ref *refs;
};
void record_restart_tree(struct recorder *r, struct old_tree *old);
uint32_t record_move_stack(struct recorder *r, const struct old_tree *old,
			   uint32_t node);
void record_free_tree(struct old_tree *old);

/* offcpu.c: how long threads are off their processors, and where they left
 * them. TIME is the kernel's. */
void record_wait_begins(struct recorder *r, pid_t pid, pid_t tid, uint64_t time,
			bool preempted);
void record_wait_stack(struct recorder *r, pid_t pid, pid_t tid, uint32_t node);
void record_wait_ends(struct recorder *r, pid_t tid, uint32_t cpu,
		      uint64_t time);
/* A thread that was there before: it may have been waiting. */
void record_wait_unseen(struct recorder *r, pid_t pid, pid_t tid);
void record_wait_forget(struct recorder *r, pid_t tid);
/* Writes what has passed of all waits that go on. */
void record_split_waits(struct recorder *r, uint64_t time);
void record_move_waits(struct recorder *r, const struct old_tree *old);

/* names.c: symbols that nobody could look up later. May be called once for
 * each capture. */
void record_write_kernel_symbols(struct recorder *r);
void record_write_vdso_symbols(struct recorder *r);
/* Of files that were deleted or replaced or lie in another mount namespace;
 * under --embed, of all. May be repeated. */
void record_write_file_symbols(struct recorder *r);
/* Of modules that are `leaving`. */
void record_write_leaving_symbols(struct recorder *r);
void record_write_jit_symbols(struct recorder *r, pid_t pid);
void record_write_all_jit_symbols(struct recorder *r);

/* release.c: closes the files of modules that no process has mapped any more.
 * ..._idle is for now and then; what was sampled of them is named first, since
 * they may be deleted. ..._unused is for the end of a capture, whose symbols
 * are written. */
void record_release_idle(struct recorder *r);
void record_release_unused(struct recorder *r);

#endif
