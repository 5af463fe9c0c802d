/* SPDX-License-Identifier: MIT */
/* Frames as the Java runtimes print them: `at NAME(FILE:LINE)`. */
#ifndef PK_IMPORT_TEXT_JAVA_H
#define PK_IMPORT_TEXT_JAVA_H

#include "import/text/text.h"

/* Whether TEXT, without blanks in front, is a frame. NAME is what stands before
 * the parenthesis, WHERE what stands in it and behind. */
bool java_is_frame(struct slice text, struct slice *name, struct slice *where);
/* Adds the frame that TEXT is, as the view wants it; false if it is none. */
bool java_frame(struct import *im, struct slice text);
/* A thread's name as root: with --tid as NAME-?/TID, as no process is known;
 * TID UINT64_MAX is unknown. */
void java_root(struct import *im, struct slice name, uint64_t pid,
	       uint64_t tid);

#endif
