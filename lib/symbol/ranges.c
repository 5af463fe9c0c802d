/* SPDX-License-Identifier: MIT */
#include "symbol/ranges.h"

#include <stdlib.h>
#include "base/xalloc.h"

enum { MAX_OVERLAPS = 256 };

void
ranges_add(struct ranges *r, struct range range)
{
	GROW(r->v, r->cap, r->n + 1);
	r->v[r->n++] = range;
}

static int
compare_ranges(const void *pa, const void *pb)
{
	const struct range *a = pa, *b = pb;

	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

void
ranges_sort(struct ranges *r)
{
	uint64_t reach = 0;
	size_t i;

	if (r->n)
		qsort(r->v, r->n, sizeof *r->v, compare_ranges);
	r->reach = xreallocarray(r->reach, r->n, sizeof *r->reach);
	for (i = 0; i < r->n; i++) {
		if (r->v[i].end > reach)
			reach = r->v[i].end;
		r->reach[i] = reach;
	}
}

size_t
ranges_start(const struct ranges *r, uint64_t addr)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->v[mid].begin <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct range *
ranges_next(const struct ranges *r, uint64_t addr, size_t *at)
{
	int steps;

	for (steps = 0; *at && steps < MAX_OVERLAPS; steps++) {
		if (r->reach[*at - 1] <= addr)
			break;
		if (r->v[--*at].end > addr)
			return &r->v[*at];
	}
	*at = 0;
	return NULL;
}

void
ranges_free(struct ranges *r)
{
	free(r->v);
	free(r->reach);
}
