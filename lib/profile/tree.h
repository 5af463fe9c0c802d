/* SPDX-License-Identifier: MIT */
/*
 * A call tree: one node for each (parent, symbol), children in the bytewise
 * order of their names. It is built in one pass over the stacks in
 * PROFILE_BY_FRAME order, and nodes below a minimum are dropped the moment
 * they are complete, so that memory follows what will be drawn, not what was
 * read.
 */
#ifndef PK_PROFILE_TREE_H
#define PK_PROFILE_TREE_H

#include "profile/profile.h"

/* The root's symbol: it has none. */
#define TREE_ROOT UINT32_MAX

struct tree_node {
	uint32_t symbol; /* id in profile.symbols */
	uint32_t parent; /* index; the root (index 0) is its own parent */
	uint32_t depth;	 /* the root has 0 */
	double start;	 /* sum of the widths to the left of it */
	double total[2]; /* of it and everything it calls */
	double self[2];
};

struct tree {
	struct tree_node *nodes; /* preorder: a parent before its children */
	size_t n, cap;
	uint32_t max_depth;	 /* of the nodes that were kept */
	uint64_t n_complete;	 /* nodes there were before pruning, root too */
	uint32_t complete_depth; /* depth of the deepest of those */
};

/*
 * COLUMN's values are the widths (start, and the minimum's measure). Nodes of
 * less than MIN_TOTAL or of nothing are dropped, and so are nodes deeper than
 * MAX_DEPTH; their weight stays in their parent's total. Values below zero
 * count as zero. The tree is zeroed or freed before.
 */
void tree_build(struct tree *t, const struct profile *p, int column,
		double min_total, uint32_t max_depth);
void tree_free(struct tree *t);

#endif
