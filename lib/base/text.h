/* SPDX-License-Identifier: MIT */
/* Untrusted bytes made fit for one line. */
#ifndef PK_BASE_TEXT_H
#define PK_BASE_TEXT_H

#include "base/buf.h"

/* Bytes below 0x20, 0x7f and the backslash become \xHH: free text in
 * captures. */
void text_escape(struct buf *out, struct slice s);
/* Undoes text_escape; a backslash that begins no \xHH stays as it is. */
void text_unescape(struct buf *out, struct slice s);
/*
 * How many bytes the character at the start of S has, which is not empty, if it
 * may go to a terminal; 0 for bytes that could control it or are no UTF-8: C0,
 * C1, what changes the direction of writing.
 */
size_t text_printable(struct slice s);
/* Text for people: all that is not printable becomes \xHH. */
void text_show(struct buf *out, struct slice s);
/* A name as a frame of a folded line: ';' becomes ':', and bytes that would
 * break the line or control a terminal (below 0x20, 0x7f, and the two of a C1
 * character in UTF-8) become \xHH. Other bytes stay, UTF-8 or not. */
void text_frame(struct buf *out, struct slice s);

#endif
