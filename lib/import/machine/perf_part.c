/* SPDX-License-Identifier: MIT */
/*
 * The parts of the recorded kernel by address: a treap (Seidel and Aragon,
 * Algorithmica 16, 1996), so that neither rising nor falling addresses, and
 * no mixture of them, make it slow. What was replaced stays in the list, as
 * frames may be in it already.
 */
#include "import/machine/perf_data.h"

#include "base/hash.h"
#include "base/xalloc.h"

/* Cuts TREE into the parts that end at or before ADDR, and the others. They
 * are apart, so the order of ends is that of starts. */
static void
split(struct perf_part *list, uint32_t tree, uint64_t addr, uint32_t *low,
      uint32_t *high)
{
	while (tree) {
		struct perf_part *p = &list[tree];

		if (p->end <= addr) {
			*low = tree;
			low = &p->high;
			tree = p->high;
		} else {
			*high = tree;
			high = &p->low;
			tree = p->low;
		}
	}
	*low = *high = 0;
}

/* All of LOW lie below all of HIGH. */
static uint32_t
join(struct perf_part *list, uint32_t low, uint32_t high)
{
	uint32_t root, *at = &root;

	while (low && high) {
		if (list[low].weight > list[high].weight) {
			*at = low;
			at = &list[low].high;
			low = *at;
		} else {
			*at = high;
			at = &list[high].low;
			high = *at;
		}
	}
	*at = low ? low : high;
	return root;
}

/* Takes out of TREE, whose parts all end behind START, those that begin before
 * END. What begins there ends the search: as they are apart, only the last of
 * them can reach beyond. */
static uint32_t
without_overlap(struct perf_part *list, uint32_t tree, uint64_t end)
{
	uint32_t gone, kept, first;

	split(list, tree, end, &gone, &kept);
	for (first = kept; first && list[first].low; first = list[first].low)
		;
	if (first && list[first].start < end)
		split(list, kept, list[first].end, &gone, &kept);
	return kept;
}

struct perf_part *
perf_add_part(struct perf_parts *t, uint64_t start, uint64_t end)
{
	uint32_t low, high, added = (uint32_t)t->n;
	struct perf_part *p;

	GROW(t->list, t->cap, t->n + 1);
	p = &t->list[t->n++];
	*p = (struct perf_part){ .start = start, .end = end };
	if (!added) /* the kernel itself, which is around all others */
		return p;
	/* The address of the list is nothing a recording can know. */
	p->weight = hash_mix(hash_mix(added, (uintptr_t)t), added);
	split(t->list, t->root, start, &low, &high);
	high = without_overlap(t->list, high, end);
	t->root = join(t->list, join(t->list, low, added), high);
	return p;
}

struct perf_part *
perf_find_part(const struct perf_parts *t, uint64_t addr)
{
	uint32_t at = t->root;

	while (at) {
		struct perf_part *p = &t->list[at];

		if (addr < p->start)
			at = p->low;
		else if (addr >= p->end)
			at = p->high;
		else
			return p;
	}
	return &t->list[0];
}
