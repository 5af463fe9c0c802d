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
/* A name as a frame of a folded line: ';' becomes ':', and bytes that would
 * break the line (below 0x20, 0x7f) become \xHH. */
void text_frame(struct buf *out, struct slice s);

#endif
