/* SPDX-License-Identifier: MIT */
/*
 * Taking lines of other tools apart, from the left: what the readers of stack
 * dumps share. A function that takes something off a slice leaves the slice
 * as it is when the thing is not there.
 */
#ifndef PK_IMPORT_TEXT_SCAN_H
#define PK_IMPORT_TEXT_SCAN_H

#include "import/text/text.h"

static inline bool
scan_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Part of a name in C. */
static inline bool
scan_is_word(char c)
{
	return c == '_' || scan_is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* The next line of a head, for guesses; the last one may be cut short. */
bool scan_line(struct slice *head, struct slice *line);

/* S without its first N bytes. */
static inline struct slice
scan_from(struct slice s, size_t n)
{
	return n ? (struct slice){ s.ptr + n, s.len - n } : s;
}

/* The number of blanks and tabs that S begins with. */
size_t scan_indent(struct slice s);
/* S without blanks and tabs at both ends. */
struct slice scan_trim(struct slice s);
/* Takes blanks and tabs off; false if there is none. */
bool scan_blanks(struct slice *s);
/* Takes TEXT off. */
bool scan_text(struct slice *s, const char *text);
/* Takes decimal digits off; false, too, if they do not fit. */
bool scan_u64(struct slice *s, uint64_t *out);
/* Takes hexadecimal digits off, of which there must be MIN. */
bool scan_hex(struct slice *s, size_t min);
/* Takes an address with its 0x off. */
bool scan_address(struct slice *s);
/* Takes everything before the first blank or tab off, which may be nothing. */
struct slice scan_word(struct slice *s);
/* Where TEXT begins in S for the first or the last time; S.len: nowhere. */
size_t scan_find(struct slice s, const char *text);
size_t scan_find_last(struct slice s, const char *text);
/* All of S is a whole number, which may be negative. */
bool scan_value(struct slice s, double *out);

/* What --names asks for: NAME without the parameters, or as it is. */
struct slice scan_function(const struct view *v, struct slice name);
/* NAME without the offset behind it, +0x1f or +0x1f/0x20, unless the view
 * wants names as the file has them. */
struct slice scan_without_offset(const struct view *v, struct slice name);

/* What is known of a frame besides its name; empty where it is not. */
struct scan_place {
	struct slice module; /* a path */
	struct slice source; /* FILE:LINE */
};

/* import_frame with what the view wants of module and source line; [unknown]
 * for an empty NAME. */
void scan_frame(struct import *im, struct slice name, struct scan_place place);
/* The frame of an address without a name: [module], or [unknown]; with
 * --addrs and an OFFSET, which has its 0x, [module+0xoffset]. */
void scan_unnamed(struct import *im, struct slice module, struct slice offset);

#endif
