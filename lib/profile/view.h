/* SPDX-License-Identifier: MIT */
/* Which samples of a recording are counted, and how their stacks are written:
 * the options that captures and all imported formats share. */
#ifndef PK_PROFILE_VIEW_H
#define PK_PROFILE_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

/* What the outermost frame is, where the format knows it. */
enum view_root { VIEW_COMM, VIEW_PID, VIEW_TID };

enum view_names {
	VIEW_NAMES_SHORT, /* demangled, without parameters and return type */
	VIEW_NAMES_FULL,  /* demangled, with them */
	VIEW_NAMES_RAW,	  /* as the symbol table, or the file, has them */
};

enum view_value {
	/* What the format's users expect: the period of perf's samples, the
	 * weight of times that vary, else the number of samples. */
	VIEW_AUTO,
	VIEW_SAMPLES,
	VIEW_WEIGHT, /* in the event's unit */
};

/* Suffixes: _[k] _[j] _[i]. */
enum { VIEW_KERNEL = 1, VIEW_JIT = 2, VIEW_INLINED = 4 };

struct view {
	enum view_root root;
	enum view_names names;
	enum view_value value;
	unsigned suffixes;
	bool no_inlines; /* leave inlined calls out */
	bool addrs;	 /* [module+0xoffset] for what has no name */
	bool modules;	 /* module`name */
	bool lines;	 /* name:file:line */
	bool time_order; /* runs of equal stacks, in the order of time */
	/* Which samples: UINT64_MAX, NULL: all. Times are ns since the start
	 * of the recording they are in; samples that are times themselves
	 * count as far as they lie in between. Without an event the first one
	 * that is defined counts, or has samples. */
	uint64_t only_pid, only_tid, since, until;
	const char *only_comm, *event;
};

#define VIEW_DEFAULT                                            \
	{                                                       \
		.only_pid = UINT64_MAX, .only_tid = UINT64_MAX, \
		.until = UINT64_MAX                             \
	}

/* NAME of an event of perf's without its modifiers: cycles of cycles:ppp.
 * It matches a view's event that has none. */
struct slice event_without_modifiers(struct slice name);

#endif
