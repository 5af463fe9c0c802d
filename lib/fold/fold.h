/* SPDX-License-Identifier: MIT */
/*
 * Captures become folded stacks: samples are counted by thread and stack as
 * they are read, and only then is each distinct address named, once.
 */
#ifndef PK_FOLD_FOLD_H
#define PK_FOLD_FOLD_H

#include "capture/capture.h"
#include "profile/profile.h"
#include "profile/view.h"
#include "symbol/symbol.h"

struct fold_options {
	const struct view *view;
	struct symbol_options symbol; /* names, inlines, lines: the view's */
};

struct folder;
struct folder *folder_new(const struct fold_options *opt);
/* What a reader of captures fills, and what it hands each sample to, with the
 * folder as its context. */
struct capture *folder_capture(struct folder *f);
void folder_sample(void *folder, const struct capture_sample *s);
bool folder_has_captures(const struct folder *f);
/* Whether what was read until now counts in nanoseconds. */
bool folder_unit_is_ns(const struct folder *f);
/* Names everything, adds it to P and says what is missing and what would
 * cure it. Frees F. Without captures it does nothing. */
void folder_finish(struct folder *f, struct profile *p);
/* For those who only wanted the captures read. */
void folder_free(struct folder *f);

#endif
