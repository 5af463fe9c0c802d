/* SPDX-License-Identifier: MIT */
/*
 * profile_show write FILE...: reads folded stacks, prints them merged.
 * profile_show tree COLUMN MIN MAX-DEPTH FILE...: prints the call tree in
 * preorder, `depth start total self name`, with both columns' values where
 * there are two; then what there was before pruning.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/msg.h"
#include "base/number.h"
#include "profile/tree.h"

static void
read_files(struct profile *p, char **paths)
{
	for (; *paths; paths++) {
		struct input *in = input_open(*paths, "folded stacks");

		profile_read(p, in);
		input_close(in);
	}
}

static void
write_profile(const struct profile *p)
{
	struct output *out = output_open(NULL, 0, NULL);

	profile_write(p, out);
	output_close(out);
}

static void
print_values(const struct profile *p, const double *values)
{
	char text[NUMBER_MAX];
	int i;

	for (i = 0; i < p->columns; i++) {
		number_format(text, values[i]);
		printf("%s%s", i ? "/" : " ", text);
	}
}

static void
print_tree(const struct profile *p, const struct tree *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct tree_node *node = &t->nodes[i];
		struct slice name = SLICE_LIT("(root)");

		if (node->symbol != TREE_ROOT)
			name = intern_get(&p->symbols, node->symbol);
		if (i && t->nodes[node->parent].depth + 1 != node->depth)
			die("node %zu does not hang from the level above", i);
		printf("%u %.15g", node->depth, node->start);
		print_values(p, node->total);
		print_values(p, node->self);
		printf(" %.*s\n", (int)name.len, name.ptr);
	}
	printf("%llu nodes, %u deep; %u kept\n",
	       (unsigned long long)t->n_complete, t->complete_depth,
	       t->max_depth);
}

int
main(int argc, char **argv)
{
	struct profile p = { 0 };
	struct tree t = { 0 };

	msg_init("profile_show", 2);
	if (argc > 2 && !strcmp(argv[1], "write")) {
		read_files(&p, argv + 2);
		write_profile(&p);
	} else if (argc > 5 && !strcmp(argv[1], "tree")) {
		read_files(&p, argv + 5);
		tree_build(&t, &p, atoi(argv[2]), atof(argv[3]),
			   (uint32_t)strtoul(argv[4], NULL, 10));
		print_tree(&p, &t);
	} else {
		die("usage: see the source");
	}
	tree_free(&t);
	profile_free(&p);
	return msg_status();
}
