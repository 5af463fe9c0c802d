/* SPDX-License-Identifier: MIT */
/*
 * Where a recorder's bytes go: a thread of its own writes (and compresses)
 * them, so that a slow reader or disk never keeps the recorder from emptying
 * the kernel's rings.
 */
#ifndef PK_RECORD_SINK_H
#define PK_RECORD_SINK_H

#include <stdbool.h>
#include <time.h>
#include "base/slice.h"

struct sink;

/* A recording in several files. */
struct sink_rotation {
	const char *pattern; /* of strftime(3), in UTC; not copied */
	double period;	     /* from one file to the next, seconds */
	unsigned keep;	     /* of the finished files, the last; all if 0 */
};

/* As output_open_lenient; ends the program when it cannot be opened. The
 * thread starts with sink_start, so that the caller can fork before. */
struct sink *sink_open(const char *path, bool gzip);
void sink_start(struct sink *s);

/*
 * The first of several files, named for the time BEGINS; sink_next ends a file
 * and begins another. No file is overwritten but one of this recording's whose
 * name the pattern gives again, as a ring does: whatever else has the name
 * stays, and ".1", ".2"... is added. So it is with a name that comes again only
 * because the clock was set back: less than a period and a half behind the
 * file that has it, by that clock.
 */
struct sink *sink_open_rotated(const struct sink_rotation *rotation, bool gzip,
			       time_t begins);
void sink_next(struct sink *s, time_t begins);
/* Whether no file, of the next thousands from now on, has the name of the one
 * before: %M and 59 seconds meet once an hour. */
bool sink_pattern_differs(const char *pattern, double period);

/* Takes a copy. Never blocks on the output. */
void sink_put(struct sink *s, struct slice bytes);
/* Whether so much waits to be written that samples have to be left out. */
bool sink_is_full(struct sink *s);
/* False once the output has failed for good: the reader went away, the disk
 * is full. */
bool sink_is_alive(struct sink *s);

/* No more will be put. Waits at most MS for all to be written; false when that
 * was not enough. May be called again. */
bool sink_finish(struct sink *s, unsigned ms);

/* Waits until all is written. 0, or the errno of what failed first (EPIPE: the
 * reader went away); *NAME is then what could not be written, to be freed, else
 * NULL. Frees S. */
int sink_close(struct sink *s, char **name);
/* Throws everything away; no file is left behind. */
void sink_abandon(struct sink *s);

#endif
