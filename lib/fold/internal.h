/* SPDX-License-Identifier: MIT */
#ifndef PK_FOLD_INTERNAL_H
#define PK_FOLD_INTERNAL_H

#include "fold/fold.h"
#include "symbol/resolve.h"

/* The samples of one stack under one outermost frame. */
struct fold_count {
	uint32_t root; /* id in folder.roots */
	uint32_t node;
	uint64_t samples;
	double weight;
};

struct folder {
	struct view view;
	struct symbol_options symbol;
	struct capture capture;
	struct intern roots;
	struct map root_of_name; /* of --comm: name_id -> id in roots */
	bool has_last_root; /* what root_of said last, and of which name_id */
	uint32_t last_name, last_root;
	struct map index; /* root << 32 | node: index in counts */
	uint32_t *last;	  /* by node: 1 + index in counts, the last one used */
	size_t cap_last;
	struct fold_count *counts;
	size_t n_counts, cap_counts;
	/* With view.time_order: runs of one count, by the time of their first
	 * sample. */
	struct fold_run {
		uint64_t time, samples;
		double weight;
		uint32_t count; /* index in counts */
	} *runs;
	size_t n_runs, cap_runs;
	uint64_t samples; /* that were counted */
	/* Samples that --event left out, by event. */
	uint64_t *left_out;
	size_t cap_left_out;
	uint32_t event; /* the one that counts, UINT32_MAX: none yet; see
			 * choose_event */
	struct resolution names;
	uint32_t *group; /* folder_report's: see group_modules */
};

/* Whether weights are counted. */
bool fold_by_weight(const struct folder *f);

/* lacks.c: what was not recorded becomes stacks of its own, so that who looks
 * at the picture sees it. */
void fold_add_lacks(const struct folder *f, struct profile *p);

/* missing.c: says what is missing and what would cure it. */
void folder_report(struct folder *f);
/* gaps.c: the same for what names do not need. */
void report_gaps(const struct folder *f);

#endif
