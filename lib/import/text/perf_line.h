/* SPDX-License-Identifier: MIT */
/*
 * The two kinds of lines that perf script writes: one for each event, and one
 * for each frame of its stack.
 *
 *	COMM PID[/TID] [CPU] TIME: PERIOD EVENT: what the event says
 *		PC SYMBOL+0xOFFSET (DSO)
 *
 * perf script -F leaves any of the fields out. The name of the thread may hold
 * anything, numbers and blanks too, or be empty.
 */
#ifndef PK_IMPORT_TEXT_PERF_LINE_H
#define PK_IMPORT_TEXT_PERF_LINE_H

#include <stdint.h>
#include "base/slice.h"

struct perf_event {
	struct slice comm;
	uint64_t pid, tid; /* UINT64_MAX: unknown; a lone number is the tid */
	uint64_t time;	   /* ns; UINT64_MAX: unknown */
	double period;	   /* 0: none */
	struct slice name; /* without its colon; empty: not said */
	struct slice rest; /* behind the colon: a tracepoint's fields, or the
			      one frame of a sample without a stack */
	bool is_sample;	   /* no mapping, fork or the like */
};

/* How much of an event line is there: a frame may look like one that has
 * nothing but a name and a number. */
enum perf_sureness { PERF_NO, PERF_MAYBE, PERF_SURE };
enum perf_sureness perf_event_parse(struct slice line, struct perf_event *e);

struct perf_frame {
	struct slice pc;   /* hexadecimal */
	struct slice name; /* without +0xOFFSET; may be empty */
	struct slice dso;  /* empty: not said */
};

/* False when LINE is no frame: PC, and a name, or a module, or both. */
bool perf_frame_parse(struct slice line, struct perf_frame *f);

#endif
