/* SPDX-License-Identifier: MIT */
/*
 * A capture in memory, written as pk-capture(5) while it is being read: what
 * other tools recorded becomes a capture, and several captures become one.
 *
 * Hand capture_copy_sample to the reader, with the copy as its context, and
 * call capture_copy_finish when all is read. Read back, the result has the same
 * stacks, events, names of threads and symbols, and the same is missing. What
 * the model does not keep is not in it: who forked whom, and when.
 */
#ifndef PK_CAPTURE_COPY_H
#define PK_CAPTURE_COPY_H

#include "base/output.h"
#include "capture/capture.h"

struct capture_copy;

/* C is what the reader fills; it and OUT stay the caller's. */
struct capture_copy *capture_copy_new(const struct capture *c,
				      struct output *out);
void capture_copy_sample(void *copy, const struct capture_sample *s);
/* Writes what is left, and the end; frees COPY. Must come before anybody sorts
 * C's symbols. */
void capture_copy_finish(struct capture_copy *copy);

#endif
