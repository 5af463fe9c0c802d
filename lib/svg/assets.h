/* SPDX-License-Identifier: MIT */
/* share/flamegraph.css and share/flamegraph.js, put into the program when it
 * is built (embed.awk). */
#ifndef PK_SVG_ASSETS_H
#define PK_SVG_ASSETS_H

extern const char svg_style[];
extern const char svg_script[];

#endif
