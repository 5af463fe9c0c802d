/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as XML text. Markup is escaped; bytes that are no UTF-8 become
 * U+FFFD; what XML forbids or the eye cannot see (control characters, bidi
 * marks, noncharacters) is written out as \xHH or \u{HHHH}.
 */
#ifndef PK_SVG_XML_H
#define PK_SVG_XML_H

#include "base/buf.h"

void xml_text(struct buf *out, struct slice s);
/* The same for a string, which is an attribute's value or text. */
void xml_str(struct buf *out, const char *s);
/* At most CELLS characters of it (wide ones count twice), the last an
 * ellipsis when something was cut. */
void xml_text_cut(struct buf *out, struct slice s, size_t cells);

#endif
