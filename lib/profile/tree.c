/* SPDX-License-Identifier: MIT */
/*
 * Neighbours in PROFILE_BY_FRAME order say where the tree branches: between
 * branches all nodes have the same weight. So the stacks are gone through
 * once with a row of open branches (as suffix arrays are walked by their
 * longest common prefixes: Kasai et al., 2001), and only branches that weigh
 * enough become nodes, one for each frame. The work follows the number of
 * stacks, not of nodes.
 */
#include "profile/tree.h"

#include "base/xalloc.h"

/* Frames from the branch below it up to DEPTH, whose nodes weigh the same. */
struct branch {
	size_t first; /* place in the order of the first stack with them */
	uint32_t depth;
	double start;
	double total[2], self[2];
};

struct builder {
	struct tree *t;
	const struct profile *p;
	const uint32_t *order;
	int column;
	double min_total;
	uint32_t max_depth;
	struct branch *open; /* from the root on */
	size_t n_open, cap_open;
	uint32_t *firsts; /* of the nodes' branches */
	size_t cap_firsts;
	double at; /* sum of the widths so far */
};

static const uint32_t *
frames_at(const struct builder *b, size_t i)
{
	return b->p->frames + b->p->stacks[b->order[i]].first;
}

static void
add_node(struct builder *b, const struct branch *from, uint32_t depth)
{
	struct tree *t = b->t;
	struct tree_node *node;

	GROW(t->nodes, t->cap, t->n + 1);
	GROW(b->firsts, b->cap_firsts, t->n + 1);
	b->firsts[t->n] = (uint32_t)from->first;
	node = &t->nodes[t->n++];
	*node = (struct tree_node){
		.depth = depth,
		.start = from->start,
		.total = { from->total[0], from->total[1] },
	};
	node->symbol = depth ? frames_at(b, from->first)[depth - 1] : TREE_ROOT;
	if (depth == from->depth) {
		node->self[0] = from->self[0];
		node->self[1] = from->self[1];
	}
}

/* Nodes for a complete branch, which begins above depth BELOW: innermost
 * first, so that all nodes are the reverse of preorder, branch by branch. */
static void
add_nodes(struct builder *b, const struct branch *from, uint32_t below)
{
	uint32_t depth = from->depth;

	if (from->total[b->column] < b->min_total ||
	    from->total[b->column] <= 0)
		return;
	if (depth > b->max_depth)
		depth = b->max_depth;
	for (; depth > below; depth--)
		add_node(b, from, depth);
}

static void
push_branch(struct builder *b, struct branch branch)
{
	GROW(b->open, b->cap_open, b->n_open + 1);
	b->open[b->n_open++] = branch;
}

/* Completes what lies deeper than the COMMON frames of two neighbours. */
static void
close_branches(struct builder *b, uint32_t common)
{
	while (b->open[b->n_open - 1].depth > common) {
		struct branch top = b->open[--b->n_open];
		struct branch *below = &b->open[b->n_open - 1];

		if (below->depth < common) {
			add_nodes(b, &top, common);
			top.depth = common;
			top.self[0] = top.self[1] = 0;
			push_branch(b, top);
			return;
		}
		add_nodes(b, &top, below->depth);
		below->total[0] += top.total[0];
		below->total[1] += top.total[1];
	}
}

static void
add_stack(struct builder *b, size_t i, uint32_t common)
{
	const struct profile_stack *s = &b->p->stacks[b->order[i]];
	struct branch new = { .first = i, .depth = s->depth, .start = b->at };
	int k;

	close_branches(b, common);
	for (k = 0; k < 2; k++)
		new.total[k] = new.self[k] = s->value[k] > 0 ? s->value[k] : 0;
	b->at += new.total[b->column];
	b->t->n_complete += s->depth - common;
	if (s->depth > b->t->complete_depth)
		b->t->complete_depth = s->depth;
	if (s->depth) {
		push_branch(b, new);
		return;
	}
	for (k = 0; k < 2; k++) {
		b->open[0].total[k] += new.total[k];
		b->open[0].self[k] += new.total[k];
	}
}

static uint32_t
common_depth(const struct builder *b, size_t i)
{
	const uint32_t *x = frames_at(b, i - 1), *y = frames_at(b, i);
	uint32_t n = b->p->stacks[b->order[i - 1]].depth;
	uint32_t n_y = b->p->stacks[b->order[i]].depth, k = 0;

	if (n_y < n)
		n = n_y;
	while (k < n && x[k] == y[k])
		k++;
	return k;
}

/* Far enough ahead for memory to answer: stacks lie in another order. */
enum { AHEAD = 12 };

static void
add_stacks(struct builder *b)
{
	const struct profile *p = b->p;
	size_t i;

	for (i = 0; i < p->n_stacks; i++) {
		if (i + 2 * AHEAD < p->n_stacks)
			__builtin_prefetch(&p->stacks[b->order[i + 2 * AHEAD]]);
		if (i + AHEAD < p->n_stacks)
			__builtin_prefetch(frames_at(b, i + AHEAD));
		add_stack(b, i, i ? common_depth(b, i) : 0);
	}
	close_branches(b, 0);
	add_node(b, &b->open[0], 0);
}

/* Where each node goes in preorder: a stable counting sort by the branches'
 * first stacks, of the nodes from last to first. */
static uint32_t *
preorder(const struct builder *b)
{
	size_t n_stacks = b->p->n_stacks, i;
	uint32_t *next = xcalloc(n_stacks + 2, sizeof *next);
	uint32_t *place = xcalloc(b->t->n, sizeof *place);

	for (i = 0; i < b->t->n; i++)
		next[b->firsts[i] + 1]++;
	for (i = 0; i < n_stacks; i++)
		next[i + 1] += next[i];
	for (i = b->t->n; i-- > 0;)
		place[i] = next[b->firsts[i]]++;
	free(next);
	return place;
}

/* Follows each cycle of the permutation, so that the nodes, which are most of
 * the memory, are there only once. */
static void
permute(struct tree_node *nodes, uint32_t *place, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		while (place[i] != i) {
			uint32_t to = place[i];
			struct tree_node node = nodes[to];

			nodes[to] = nodes[i];
			nodes[i] = node;
			place[i] = place[to];
			place[to] = to;
		}
	}
}

/* Parents, from the depths of nodes in preorder. */
static void
link_parents(struct tree *t)
{
	uint32_t *open, i;

	for (i = 0; i < t->n; i++)
		if (t->nodes[i].depth > t->max_depth)
			t->max_depth = t->nodes[i].depth;
	open = xcalloc((size_t)t->max_depth + 1, sizeof *open);
	for (i = 0; i < t->n; i++) {
		uint32_t depth = t->nodes[i].depth;

		t->nodes[i].parent = depth ? open[depth - 1] : 0;
		open[depth] = i;
	}
	free(open);
}

void
tree_build(struct tree *t, const struct profile *p, int column,
	   double min_total, uint32_t max_depth)
{
	uint32_t *order = profile_sort(p, PROFILE_BY_FRAME), *place;
	struct builder b = { .t = t,
			     .p = p,
			     .order = order,
			     .column = column,
			     .min_total = min_total,
			     .max_depth = max_depth };

	*t = (struct tree){ .n_complete = 1 };
	push_branch(&b, (struct branch){ 0 });
	add_stacks(&b);
	place = preorder(&b);
	permute(t->nodes, place, t->n);
	link_parents(t);
	free(place);
	free(b.firsts);
	free(b.open);
	free(order);
}

void
tree_free(struct tree *t)
{
	free(t->nodes);
	*t = (struct tree){ 0 };
}
