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

/* As output_open_lenient; ends the program when it cannot be opened. The
 * thread starts with sink_start, so that the caller can fork before. */
struct sink *sink_open(const char *path, bool gzip);
void sink_start(struct sink *s);

/*
 * For a recording in several files: the path is a pattern of strftime(3), in
 * UTC. sink_next ends a file and begins
 * another; of the finished ones the last KEEP are kept, all if 0.
 */
struct sink *sink_open_pattern(const char *pattern, bool gzip, unsigned keep);
void sink_next(struct sink *s);
/* PATTERN filled in for that moment; the caller frees it. */
char *sink_name_file(const char *pattern, time_t when);

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

/* Waits until all is written. 0, or the errno of what failed (EPIPE: the
 * reader went away). Frees S. */
int sink_close(struct sink *s);
/* Throws everything away; no file is left behind. */
void sink_abandon(struct sink *s);

#endif
