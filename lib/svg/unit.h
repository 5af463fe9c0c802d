/* SPDX-License-Identifier: MIT */
/* What values are, and how they are written for people. */
#ifndef PK_SVG_UNIT_H
#define PK_SVG_UNIT_H

#include "base/buf.h"

struct unit {
	const char *name; /* written behind the number, unless it is scaled */
	const struct scale *scale; /* NULL: as it is */
	double factor;		   /* to the scale's own unit */
};

/* "ns", "us", "ms", "s" and "bytes" are scaled: 1.2 s, 340 MiB. Any other
 * name is a plain count of things. NAME must outlive the unit. */
struct unit unit_named(const char *name);
void unit_format(struct buf *out, const struct unit *u, double v);
/* With commas between thousands; fractions stay. */
void number_grouped(struct buf *out, double v);

#endif
