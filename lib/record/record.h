/* SPDX-License-Identifier: MIT */
/*
 * A recording: perf events on some threads and all that they start, or on
 * whole processors, their samples unwound as they arrive, written as a
 * capture.
 *
 * The life of one: record_new, record_attach_... for each target,
 * record_begin, record_poll until it returns false or the caller has enough,
 * record_end. Whatever the kernel refuses ends the program with a sentence.
 */
#ifndef PK_RECORD_RECORD_H
#define PK_RECORD_RECORD_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/slice.h"
#include "record/event.h"
#include "record/sink.h"

enum record_unwind {
	RECORD_CFI,  /* from a copy of the stack, by call-frame information */
	RECORD_FP,   /* frame pointers, followed by the kernel */
	RECORD_NONE, /* the innermost frame only */
};

/*
 * What an event is tied to. One on a thread is inherited by all that the
 * thread starts, but starts a new period in each: processes shorter than that
 * leave no samples. One on a processor sees them, needs privileges, and copies
 * the stacks of all others, too, which are then left out.
 */
enum record_scope {
	RECORD_AUTO, /* processors for a command and clocks, where allowed */
	RECORD_PER_THREAD,
	RECORD_PER_CPU,
};

struct record_options {
	const struct event_spec *events; /* none: cycles, else cpu-clock */
	size_t n_events;
	uint64_t frequency;   /* samples a second and processor, unless: */
	uint64_t period;      /* events from sample to sample; 0: frequency */
	bool frequency_given; /* tracepoints are sampled each time otherwise */
	enum record_unwind unwind;
	uint32_t stack_size; /* bytes copied with each sample, for CFI */
	enum record_scope scope;
	bool everything; /* all processes */
	bool no_kernel;	 /* neither samples nor frames of it */
	bool off_cpu;	 /* how long threads wait, and where */
	bool wall;	 /* that and cpu-clock, as one event */
	bool embed;	 /* symbols of all modules, for another machine */
	const int *cpus; /* sample these only; none: all */
	size_t n_cpus;
	uint64_t delay_ns;  /* from record_begin to the first sample */
	uint64_t rotate_ns; /* a new capture each time; 0: one */
};

/* The largest, in multiples of 8, that the kernel copies. */
enum { RECORD_STACK_MAX = 65528 };

struct record_counts {
	uint64_t samples, lost, dropped, throttled, unsampled_ns;
	uint64_t exited;   /* samples of tasks that were being reaped */
	uint64_t clock_ns; /* the weight of clock samples */
	bool began;	   /* sampling, after a delay */
};

struct recorder *record_new(const struct record_options *opt,
			    struct sink *sink);

/* A child that waits before its exec: sampled from then on. With
 * options.everything all else is, too, and it only ends the recording. */
void record_attach_command(struct recorder *r, pid_t child);
/* All threads of a process that runs. */
void record_attach_process(struct recorder *r, pid_t pid);
/* One thread, and nothing that it starts. */
void record_attach_thread(struct recorder *r, pid_t tid);
/* All processes, until the caller has enough. */
void record_attach_everything(struct recorder *r);

/* Writes the capture's head, with the caller's COMMAND line as text (or empty
 * for processes; kept, not copied), and lets the events count. */
void record_begin(struct recorder *r, struct slice command);

/* Waits for samples, or for one of EXTRA (n descriptors, whose revents are
 * set), at most TIMEOUT_MS, and handles what has come. False once all targets
 * and their descendants have ended. */
bool record_poll(struct recorder *r, struct pollfd *extra, size_t n,
		 int timeout_ms);

/* Of the whole recording so far. */
struct record_counts record_counts(const struct recorder *r);

/* Stops, handles what is left and writes the capture's end. CPU_NS, when not
 * 0, is the processor time (user, system) that the kernel accounted to the
 * targets: what samples did not see of it is written as a lack. Frees R;
 * the sink stays open. */
struct record_counts record_end(struct recorder *r, uint64_t user_ns,
				uint64_t system_ns);

/* Instead of record_end, when there is nothing to record after all. */
void record_abandon(struct recorder *r);

#endif
