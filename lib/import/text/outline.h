/* SPDX-License-Identifier: MIT */
/*
 * Call trees printed as an outline: a line a node, the deeper the further to
 * the right, with the node's total. What its children leave of the total is
 * the node's own, and becomes the value of the stack that ends there.
 *
 * A node at a column is the child of the last node further to the left. Node
 * totals that are less than their children's count as nothing more than them.
 */
#ifndef PK_IMPORT_TEXT_OUTLINE_H
#define PK_IMPORT_TEXT_OUTLINE_H

#include "import/text/text.h"

struct outline_node {
	size_t column;
	uint32_t name;
	double left; /* of its total */
};

/* The path to the last line's node; a zeroed struct is an empty one. */
struct outline {
	struct outline_node *nodes;
	size_t n, cap;
};

/* Adds the stacks of all nodes that end before this one, and then this. */
void outline_add(struct outline *o, struct import *im, size_t column,
		 struct slice name, double total);
/* Adds the stacks of all nodes that are left. */
void outline_end(struct outline *o, struct import *im);
void outline_free(struct outline *o);

#endif
