/* SPDX-License-Identifier: MIT */
/* Changes to whole stacks: which ones stay, and which of their frames. */
#ifndef PK_PROFILE_EDIT_H
#define PK_PROFILE_EDIT_H

#include <regex.h>
#include "profile/profile.h"

/* A list of regular expressions or names; any of them may match. */
struct edit_words {
	const char **words;
	regex_t *regexes; /* of names: NULL */
	size_t n, cap, cap_regexes;
};

/* In the order in which they are done. A name or expression is held against a
 * frame as it is written, and without the ending _[k], _[j] or _[i]. */
struct profile_edits {
	struct edit_words focus;      /* only stacks with such a frame */
	struct edit_words ignore;     /* no stacks with such a frame */
	struct edit_words skip_after; /* names: what is outside of the
				       * innermost such frame goes */
	struct edit_words hide;	      /* such frames go */
	bool collapse_recursion;      /* equal neighbours are one frame */
};

void edit_add_name(struct edit_words *w, const char *name);
/* An extended regular expression, regex(7); a mistake is OPTION's misuse. */
void edit_add_regex(struct edit_words *w, const char *option, const char *text);
bool edits_are_none(const struct profile_edits *e);

/*
 * Edits all stacks of P. KEEP_ROOT: their outermost frame is no function but
 * whose stack it is, and stays. A stack of which nothing is left becomes
 * [hidden], so that its value is not lost.
 */
void profile_edit(struct profile *p, const struct profile_edits *e,
		  bool keep_root);
void edits_free(struct profile_edits *e);

#endif
