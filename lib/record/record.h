/* SPDX-License-Identifier: MIT */
/*
 * A recording: perf events on some threads and all that they start, their
 * samples unwound as they arrive, written as a capture.
 *
 * The life of one: record_new, record_attach for each target, record_begin,
 * record_poll until it returns false or the caller has enough, record_end.
 * Whatever the kernel refuses ends the program with a sentence.
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

struct record_options {
	const struct event_type *event; /* NULL: cycles, else cpu-clock */
	uint64_t frequency;		/* samples a second and processor */
	enum record_unwind unwind;
	uint32_t stack_size; /* bytes copied with each sample, for CFI */
};

/* The largest, in multiples of 8, that the kernel copies. */
enum { RECORD_STACK_MAX = 65528 };

struct record_counts {
	uint64_t samples, weight, lost, dropped, throttled, unsampled_ns;
};

struct recorder *record_new(const struct record_options *opt,
			    struct sink *sink);

/* A child that waits before its exec: sampled from then on. */
void record_attach_command(struct recorder *r, pid_t child);
/* All threads of a process that runs. */
void record_attach_process(struct recorder *r, pid_t pid);

/* Writes the capture's head, with the caller's COMMAND line as text (or empty
 * for processes), and lets the events count. */
void record_begin(struct recorder *r, struct slice command);

/* Waits for samples, or for one of EXTRA (n descriptors, whose revents are
 * set), at most TIMEOUT_MS, and handles what has come. False once all targets
 * and their descendants have ended. */
bool record_poll(struct recorder *r, struct pollfd *extra, size_t n,
		 int timeout_ms);

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
