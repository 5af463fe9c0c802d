/* SPDX-License-Identifier: MIT */
/*
 * Files, pipes and standard input as lines. gzip is recognised by content
 * (several members too) and is transparent. Lines may have any length and
 * hold any byte. Plain input is read in large blocks straight into the line
 * buffer, at the speed memory allows.
 *
 * Errors: a file that cannot be opened ends the program. A stream that breaks
 * off (a read error, a cut or damaged gzip member) is trouble(): it is said,
 * the lines before the break are delivered, and msg_status() tells.
 */
#ifndef PK_BASE_INPUT_H
#define PK_BASE_INPUT_H

#include <stdint.h>
#include "base/slice.h"

struct input;

/* PATH "-" is standard input. WHAT names what is wanted ("folded stacks"),
 * for the message when standard input is a terminal. */
struct input *input_open(const char *path, const char *what);
/* The same over bytes in memory, which must outlive it; NAME for messages. */
struct input *input_from_bytes(struct slice bytes, const char *name);
/* The next line without its newline, valid until the next call; false at the
 * end. A last line without a newline counts. */
bool input_line(struct input *in, struct slice *line);
/* The first bytes, as many as are to be had up to 1 MiB, without consuming
 * them; only before the first input_line. */
struct slice input_peek(struct input *in);
/* For messages: the path, or "standard input". */
const char *input_name(const struct input *in);
uint64_t input_line_number(const struct input *in); /* of the last line */
/* Whether the stream broke off, which has then been said. */
bool input_broken(const struct input *in);
void input_close(struct input *in);

#endif
