/* SPDX-License-Identifier: MIT */
/*
 * What can be sampled: events by the names that perf has for them, and
 * perf_event_open(2) itself. refusal.c puts every refusal of the kernel into a
 * sentence that names the setting to change.
 */
#ifndef PK_RECORD_EVENT_H
#define PK_RECORD_EVENT_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"

struct event_spec {
	char *name;	  /* as it was asked for; owned */
	uint32_t type;	  /* PERF_TYPE_* */
	uint64_t config;  /* PERF_COUNT_*, a tracepoint's number, ... */
	const char *unit; /* of a sample's weight: ns or count */
	bool exclude_user, exclude_kernel; /* behind a colon, u or k alone */
};

/*
 * NAME is a word of `-e list`, r and a raw hexadecimal code, or SYSTEM:EVENT
 * for a tracepoint; :u or :k behind it leaves the kernel or user code out.
 * False when there is no such event, with a sentence why in WHY.
 */
bool event_parse(const char *name, struct event_spec *out, struct buf *why);

/* Prints a line for each: name, whether this machine has it, what it is. */
void event_list(void);

/* perf_event_open(2) with close-on-exec; -1 and errno. */
int event_open(const struct perf_event_attr *attr, pid_t tid, int cpu);

/* Why the kernel refused ATTR for TID (-1: whole processors) with ERR, and
 * what to do about it: one sentence, added to WHY. */
void event_refusal(struct buf *why, const struct perf_event_attr *attr,
		   const char *name, pid_t tid, int err);

/* The number in a file such as /proc/sys/kernel/perf_event_paranoid, or
 * FALLBACK. */
long event_setting(const char *path, long fallback);

#define EVENT_PARANOID "/proc/sys/kernel/perf_event_paranoid"
#define EVENT_MLOCK_KB "/proc/sys/kernel/perf_event_mlock_kb"
#define EVENT_MAX_RATE "/proc/sys/kernel/perf_event_max_sample_rate"
#define EVENT_MAX_STACK "/proc/sys/kernel/perf_event_max_stack"

/* tracepoint.c: the number of tracepoint SYSTEM:EVENT; false with a sentence
 * in WHY. */
bool tracepoint_find(const char *name, uint64_t *id, struct buf *why);
void tracepoint_list(void);

#endif
