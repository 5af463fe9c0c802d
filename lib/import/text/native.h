/* SPDX-License-Identifier: MIT */
/* Frames of native code as reports print them, with or without names. */
#ifndef PK_IMPORT_TEXT_NATIVE_H
#define PK_IMPORT_TEXT_NATIVE_H

#include "import/text/text.h"

/* What is known of a frame; the rest is empty. */
struct native_frame {
	struct slice name; /* with its parameters */
	struct slice file;
	uint64_t line;
	struct slice module; /* a path */
	uint64_t offset;     /* in the module; UINT64_MAX: unknown */
	bool inlined;
};

/* The frame as the view wants it, by its symbol id. */
uint32_t native_symbol(struct import *im, const struct native_frame *f);

/* Cuts "FILE:LINE" or "FILE:LINE:COLUMN" apart; false if it is neither. */
bool native_place(struct slice place, struct native_frame *f);

/* A stack in the making, innermost frame first. A zeroed struct is empty. */
struct native_stack {
	uint32_t *ids;
	size_t n, cap;
	uint64_t address; /* of the last frame */
};

/* Adds a frame. Of frames with one address the inner ones are inlined calls;
 * equal ones are recursion. */
void native_push(struct import *im, struct native_stack *s, uint64_t address,
		 const struct native_frame *f);
/* Makes the N frames at IDS, innermost first, import's stack. */
void native_take(struct import *im, const uint32_t *ids, size_t n);

#endif
