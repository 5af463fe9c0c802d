/* SPDX-License-Identifier: MIT */
/* Inside input: how it is read (input.c), what is done to stored bytes before
 * they are text (input_unpack.c), and its parts (input_parts.c). */
#ifndef PK_BASE_INPUT_INTERNAL_H
#define PK_BASE_INPUT_INTERNAL_H

#include <sys/types.h>
#include <zlib.h>
#include "base/input.h"

/* A block that stays in the second-level cache between read and scan; PAD
 * bytes behind the data may be read. */
enum { BLOCK = 256 * 1024, PEEK = 1024 * 1024, GZ_BLOCK = 64 * 1024, PAD = 64 };

struct input {
	char *name;
	int fd; /* -1: bytes in memory */
	struct slice memory;
	bool part; /* of a file: the bytes to stop, at next */
	off_t from, at, stop;
	char *data; /* [begin, end) is read and not yet consumed */
	size_t begin, end, cap;
	uint64_t line_number;
	bool eof, broken;
	bool whole; /* the last line ended in a newline */
	/* gzip: zlib's state, and whether it is inside a member */
	bool started, gzip, in_member;
	z_stream z;
	unsigned char *packed;
	/* UTF-16: what is read and not yet decoded */
	bool decided; /* the first bytes have told the encoding */
	enum { NARROW, LITTLE, BIG } units;
	unsigned char *wide;
	size_t wide_at, wide_end;
	char *map; /* the whole file, by input_map */
	size_t map_size;
	struct input *next_mapped; /* of all that are mapped files */
};

/* Room for CAP bytes; what IN had is the caller's to free. */
void input_alloc(struct input *in, size_t cap);
/* Reads more; false when there is no more. */
bool input_fill(struct input *in);

/* The file is not mapped any more. */
void input_unmap(struct input *in);

/* Says that the stream ends here, though it should not, and WHY. */
void input_break_off(struct input *in, const char *why);
/* Up to N bytes as stored, 0 at the end. */
size_t input_read_raw(struct input *in, void *to, size_t n);
/* The first GOT bytes of data are those of a gzip member. */
void input_begin_gzip(struct input *in, size_t got);
/* By the first bytes of data: a byte order mark is no text, and tells. */
void input_decide_encoding(struct input *in);
/* Up to N bytes, unpacked and as UTF-8; 0 at the end. */
size_t input_read_text(struct input *in, char *to, size_t n);

#endif
