/* SPDX-License-Identifier: MIT */
/*
 * Colours of frames. A palette is a range of shades; a frame's shade follows
 * from its name alone, so that a function has the same colour in every
 * picture. Frames name their shade by a class of one letter, and a style
 * sheet says what it is, for light and for dark pages.
 */
#ifndef PK_SVG_PALETTE_H
#define PK_SVG_PALETTE_H

#include "base/buf.h"

struct palette;

/* NULL when there is none of that name. */
const struct palette *palette_find(const char *name);
/* "hot, mem": for messages. */
void palette_names(struct buf *out);

/* The class of a name's shade; 0: none, which shows as grey. */
char palette_class(struct slice name);
/* The class for a change between two columns, red for growth and blue for
 * shrinkage; CHANGE is a share of the greatest change, -1..1. */
char palette_change_class(double change);

/* Rules for all classes, of two columns' changes when DIFFERENTIAL. */
void palette_css(struct buf *out, const struct palette *p, bool differential);

#endif
