/* SPDX-License-Identifier: MIT */
/*
 * What can be sampled, and how the kernel is asked for it. Every refusal of
 * the kernel is put into a sentence that names the setting to change.
 */
#ifndef PK_RECORD_EVENT_H
#define PK_RECORD_EVENT_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"

struct event_type {
	const char *name;
	uint32_t type;	  /* PERF_TYPE_* */
	uint64_t config;  /* PERF_COUNT_* */
	const char *unit; /* of a sample's weight: ns or count */
	const char *what;
};

/* NULL-named entry last. */
extern const struct event_type event_types[];
/* NULL when there is none of that name. */
const struct event_type *event_find(const char *name);
/* Prints a line for each: name, whether this machine has it, what it is. */
void event_list(void);

/* perf_event_open(2) with close-on-exec; -1 and errno. */
int event_open(struct perf_event_attr *attr, pid_t tid, int cpu);

/* Why the kernel refused ATTR for TID with ERR, and what to do about it: one
 * sentence, added to WHY. */
void event_refusal(struct buf *why, const struct perf_event_attr *attr,
		   const char *name, pid_t tid, int err);

/* The number in a file such as /proc/sys/kernel/perf_event_paranoid, or
 * FALLBACK. */
long event_setting(const char *path, long fallback);

#define EVENT_PARANOID "/proc/sys/kernel/perf_event_paranoid"
#define EVENT_MLOCK_KB "/proc/sys/kernel/perf_event_mlock_kb"
#define EVENT_MAX_RATE "/proc/sys/kernel/perf_event_max_sample_rate"

#endif
