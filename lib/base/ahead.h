/* SPDX-License-Identifier: MIT */
/* A thread that reads an input ahead of who uses it, so that waiting for a
 * pipe, or unpacking, and parsing go on side by side. */
#ifndef PK_BASE_AHEAD_H
#define PK_BASE_AHEAD_H

#include "base/input.h"

struct ahead;

/* From here on IN is the thread's, until ahead_end. On one processor, or where
 * no thread is to be had, it reads in the caller's. */
struct ahead *ahead_begin(struct input *in);
/* As input_block. */
bool ahead_block(struct ahead *a, struct slice *block);
/* After ahead_block said that there is no more. */
void ahead_end(struct ahead *a);

#endif
