/* SPDX-License-Identifier: MIT */
/*
 * Files, pipes and standard input as lines. gzip is recognised by content
 * (several members too) and is transparent, and so is UTF-16 that begins with a
 * byte order mark; that of UTF-8 is dropped. Lines may have any length and
 * hold any byte. Plain input is read in large blocks straight into the line
 * buffer, at the speed memory allows.
 *
 * Errors: a file that cannot be opened ends the program. A stream that breaks
 * off (a read error, a cut or damaged gzip member) is trouble(): it is said,
 * the lines before the break are delivered, and msg_status() tells.
 *
 * While standard input is a pipe, the first two interrupts from the keyboard do
 * not end the program: whatever writes into the pipe ends, and what it wrote
 * until then is used.
 */
#ifndef PK_BASE_INPUT_H
#define PK_BASE_INPUT_H

#include <stdint.h>
#include "base/slice.h"

struct input;

/* PATH "-" is standard input. WHAT names what is wanted ("folded stacks"),
 * for the message when standard input is a terminal, or PATH a folder. */
struct input *input_open(const char *path, const char *what);
/* The same, but where PATH is a folder, FOLDER may know a file in it that is
 * meant; it returns NULL otherwise. */
typedef struct input *input_folder_fn(const char *path);
struct input *input_open_or(const char *path, const char *what,
			    input_folder_fn *folder);
/* The regular file at PATH, opened without waiting for anybody. NULL with
 * errno: it cannot be, or is none (EISDIR, ENOTSUP). */
struct input *input_open_regular(const char *path);
/* The same over bytes in memory, which must outlive it; NAME for messages. */
struct input *input_from_bytes(struct slice bytes, const char *name);
/* The next line without its newline, valid until the next call; false at the
 * end. A last line without a newline counts. */
bool input_line(struct input *in, struct slice *line);
/*
 * The next lines, as many as are to be had at once, whole and with their
 * newlines; only the last line of the input may lack its own. Never empty;
 * false at the end. Valid until the next call; 64 bytes behind it may be read
 * (and hold anything). Lines taken this way are not numbered.
 */
bool input_block(struct input *in, struct slice *block);

/* The next bytes, as many as are to be had at once and at most N; 0 at the
 * end. */
size_t input_read(struct input *in, void *to, size_t n);
/*
 * All that is left of a plain file, or of bytes in memory, as one piece that
 * stays until input_close; IN is then at its end. False where that cannot be
 * had (a pipe, gzip), and nothing is consumed. A file that somebody cuts off
 * meanwhile ends the program, which is said.
 */
bool input_map(struct input *in, struct slice *all);
/* After input_map: gives back all but the map, the descriptor too. IN is good
 * for its name and for input_close. */
void input_keep_map(struct input *in);
/* Copies to TO up to N bytes at FROM, which lies within what input_map gave;
 * how many there were. Of a file they are read: that is several times faster
 * than a map's pages when they are first looked at. */
size_t input_map_copy(const struct input *in, const char *from, void *to,
		      size_t n);
/*
 * The same in memory that is the caller's until it gives it back with a later
 * call: blocks may be read in one thread and used in another. Begin with a
 * zeroed struct each; input_memory_free frees one that is not given back.
 */
struct input_memory {
	char *data;
	size_t cap;
};
bool input_take(struct input *in, struct slice *block,
		struct input_memory *memory);
void input_memory_free(struct input_memory *memory);

/* How many bytes there are yet to read, where that is known; else 0. After
 * input_peek. */
uint64_t input_left(const struct input *in);

/* Splitting takes this many bytes for each part. */
enum { INPUT_LEAST_PART = 4 << 20 };
/*
 * Cuts what is left of a plain file at line starts into at most N inputs of
 * about equal size, for threads of their own, after input_peek. IN stays where
 * it is and must outlive them. Returns how many there are: 0 when IN is no
 * plain file or too small.
 */
int input_split(const struct input *in, int n, struct input *parts[]);
/* The same, but a part begins behind a blank line. */
int input_split_paragraphs(const struct input *in, int n,
			   struct input *parts[]);
/* A part of its own of what PART was at first. */
struct input *input_again(const struct input *part);
/* Closes a part; IN's lines then count as read. */
void input_join(struct input *in, struct input *part);
/* Closes a part that is not wanted after all; IN stays where it is. */
void input_drop(struct input *part);

/* The first bytes, as many as are to be had up to 1 MiB, without consuming
 * them; only before the first input_line. */
struct slice input_peek(struct input *in);
/* The same, but at least N of them, which is cheaper for few. */
struct slice input_peek_some(struct input *in, size_t n);
/* The same, but as much more as the first line needs. */
struct slice input_peek_line(struct input *in);
/* For messages: the path, or "standard input". */
const char *input_name(const struct input *in);
uint64_t input_line_number(const struct input *in); /* of the last line */
/* Whether the last line ended in a newline. */
bool input_line_is_whole(const struct input *in);
/* Whether the stream broke off, which has then been said. */
bool input_broken(const struct input *in);
void input_close(struct input *in);

#endif
