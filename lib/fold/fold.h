/* SPDX-License-Identifier: MIT */
/*
 * Captures become folded stacks: samples are counted by thread and stack as
 * they are read, and only then is each distinct address named, once.
 */
#ifndef PK_FOLD_FOLD_H
#define PK_FOLD_FOLD_H

#include "capture/capture.h"
#include "profile/profile.h"
#include "symbol/symbol.h"

enum fold_value {
	FOLD_AUTO, /* weight for time that varies from sample to sample */
	FOLD_SAMPLES,
	FOLD_WEIGHT, /* in the event's unit */
};

enum fold_root { FOLD_COMM, FOLD_PID, FOLD_TID };

/* Suffixes: _[k] _[j] _[i]. */
enum { FOLD_KERNEL = 1, FOLD_JIT = 2, FOLD_INLINED = 4 };

struct fold_options {
	enum fold_root root; /* what the outermost frame is */
	struct symbol_options symbol;
	unsigned suffixes;
	bool addrs;   /* [module+0xoffset] for what has no name */
	bool modules; /* module`name */
	enum fold_value value;
	/* Which samples: UINT64_MAX, NULL: all. Times are ns since the start
	 * of the capture they are in; samples that are times themselves count
	 * as far as they lie in between. Without an event the first one that
	 * the captures define counts, or has samples. */
	uint64_t only_pid, only_tid, since, until;
	const char *only_comm, *event;
};

struct folder;
struct folder *folder_new(const struct fold_options *opt);
/* Reads all captures in IN; false as capture_read. */
bool folder_read(struct folder *f, struct input *in);
bool folder_has_captures(const struct folder *f);
/* Names everything, adds it to P and says what is missing and what would
 * cure it. Frees F. Without captures it does nothing. */
void folder_finish(struct folder *f, struct profile *p);

#endif
