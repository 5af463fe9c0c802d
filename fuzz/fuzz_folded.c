/* SPDX-License-Identifier: MIT */
/* Folded stacks: read twice, edited, written, and made trees. */
#include <math.h>
#include <stdlib.h>
#include "profile/edit.h"
#include "profile/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_bytes(struct profile *p, const uint8_t *data, size_t size)
{
	struct input *in = input_from_bytes(
		(struct slice){ (const char *)data, size }, "fuzz");

	profile_read(p, in);
	input_close(in);
}

/* What must hold for any tree. */
static void
check_tree(const struct profile *p, double min, uint32_t max_depth)
{
	struct tree t = { 0 };
	size_t i;

	tree_build(&t, p, p->columns == 2, min, max_depth);
	if (!t.n || t.nodes[0].depth || t.max_depth > max_depth)
		abort();
	for (i = 1; i < t.n; i++) {
		const struct tree_node *node = &t.nodes[i];

		if (node->parent >= i || node->depth > max_depth ||
		    t.nodes[node->parent].depth + 1 != node->depth ||
		    node->symbol >= p->symbols.n)
			abort();
	}
	tree_free(&t);
}

/* Stacks lose frames, and no value is lost; runs add up to the stacks. */
static void
edit(const uint8_t *data, size_t size)
{
	struct profile_edits edits = { .collapse_recursion = true };
	struct profile p = { .in_order = size & 1 };
	double total;

	read_bytes(&p, data, size);
	total = p.total[0];
	edit_add_regex(&edits.hide, "--hide", "[aeiou]");
	edit_add_name(&edits.skip_after, "main");
	profile_edit(&p, &edits, size & 2);
	if (total == rint(total) && fabs(total) < 1e15 && !p.inexact &&
	    p.magnitude < 1e15 && p.total[0] != total)
		abort();
	profile_free(&p);
	edits_free(&edits);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile p = { 0 };
	struct output *out;

	edit(data, size);
	read_bytes(&p, data, size);
	/* A second file, which falls on the table of the first. */
	read_bytes(&p, data + size / 2, size - size / 2);
	check_tree(&p, 0, UINT32_MAX);
	check_tree(&p, p.magnitude / 7, 5);
	out = output_open("/dev/null", 0, NULL);
	profile_write(&p, out);
	output_close(out);
	profile_free(&p);
	return 0;
}
