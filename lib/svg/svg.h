/* SPDX-License-Identifier: MIT */
/*
 * A folded profile as a flame graph: one SVG that is complete without its
 * script. Frames lie in the nested image #frames, one group a level, whose x
 * and width are percent of the root; labels lie over them in #labels. A frame
 * is a rect whose title is `name (N samples, P%)`, with two columns
 * `name (N samples, P%; D%)`.
 */
#ifndef PK_SVG_SVG_H
#define PK_SVG_SVG_H

#include "base/output.h"
#include "profile/profile.h"
#include "svg/palette.h"
#include "svg/unit.h"

struct svg_options {
	const char *title, *subtitle; /* "" for none */
	const char *name_type;	      /* before a frame's details, or "" */
	struct unit unit;
	const struct palette *palette;
	double width; /* in pixels; 0 fills the page */
	double frame_height;
	/* Narrower frames are left out: in pixels of WIDTH, or of 1200 when
	 * that is 0; in percent of the whole when min_width_percent. */
	double min_width;
	bool min_width_percent;
	bool inverted; /* the root on top */
};

/* Draws the last column. Ends the program when there is nothing to draw. */
void svg_write(const struct profile *p, const struct svg_options *o,
	       struct output *out);

#endif
