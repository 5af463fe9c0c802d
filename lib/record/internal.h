/* SPDX-License-Identifier: MIT */
/* The recorder's state, shared by the files of this layer only. */
#ifndef PK_RECORD_INTERNAL_H
#define PK_RECORD_INTERNAL_H

#include "capture/write.h"
#include "record/kernel.h"
#include "record/process.h"
#include "record/record.h"
#include "record/ring.h"

/* More than fit into the largest copy of a stack, at 16 bytes a frame. */
enum { FRAMES_MAX = 1 << 13, CACHE_BITS = 14 };

struct recorder {
	struct record_options opt;
	struct perf_event_attr attr;
	struct sink *sink;
	struct capture_writer w;
	uint64_t start; /* CLOCK_MONOTONIC, ns */
	uint32_t event_id;
	bool by_command;
	pid_t command; /* 0 once its exec was seen */

	int *cpus;
	size_t n_cpus, cap_cpus;
	struct ring *rings; /* one for each of cpus */
	/* One for each thread attached to and each of cpus; -1: it ended. */
	struct pollfd *fds;
	size_t n_fds, cap_fds, n_live;
	struct pid_list {
		pid_t *pid;
		size_t n, cap;
	} found;	       /* processes that ran already */
	struct map attached;   /* their threads */
	uint64_t last_time;    /* of the records handled so far */
	struct pid_list ended; /* the last ones, and where the next goes */
	size_t next_ended;

	struct processes procs;
	struct kernel kernel;
	struct unwind_cached *cache;
	struct unwind_frame *frames;
	uint32_t truncated_module, no_cfi_module, unknown_module;

	struct record_counts counts;
	uint64_t exited_samples;
};

/* attach.c: what the machine allows, and letting go of all events and rings.
 * record_attach_... are there, too. */
void record_prepare(struct recorder *r);
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
/* Nanoseconds since the capture's start. */
uint64_t record_time(const struct recorder *r, uint64_t monotonic);

/* names.c: symbols that nobody could look up later. */
void record_write_kernel_symbols(struct recorder *r);
void record_write_vdso_symbols(struct recorder *r);
void record_write_jit_symbols(struct recorder *r, pid_t pid);
void record_write_all_jit_symbols(struct recorder *r);

#endif
