/* SPDX-License-Identifier: MIT */
/*
 * Where results go: standard output, or a file that is written under a
 * temporary name beside it and renamed when whole, so that half a result
 * never looks like one. Any failure ends the program with a message and
 * leaves no temporary file, also when a signal ends the program.
 */
#ifndef PK_BASE_OUTPUT_H
#define PK_BASE_OUTPUT_H

#include <stdint.h>
#include "base/slice.h"

struct output;

enum {
	OUTPUT_GZIP = 1,
	/* Refuse to write to a terminal: it is no text for people. */
	OUTPUT_NO_TERMINAL = 2,
};

/* PATH NULL or "-" is standard output. WHAT ("a picture") is for the message
 * that refuses a terminal. */
struct output *output_open(const char *path, unsigned flags, const char *what);
void output_write(struct output *out, const void *p, size_t n);
void output_slice(struct output *out, struct slice s);
/* Flushes, closes, renames. */
void output_close(struct output *out);

/* For recorders, which must outlive their reader: as output_open, but a
 * write that fails returns false (errno tells) and writes go out at once. */
struct output *output_open_lenient(const char *path, unsigned flags,
				   const char *what);
/* A file of its own, as above; NULL with errno, and no message, when there
 * can be none or something that is no file has the name. */
struct output *output_try_open(const char *path, unsigned flags);
bool output_try_write(struct output *out, const void *p, size_t n);
bool output_try_close(struct output *out);
/* Throws away what a file would have become; frees OUT. */
void output_abandon(struct output *out);

#endif
