/* SPDX-License-Identifier: MIT */
/* Address ranges, which may overlap, and what they belong to. */
#ifndef PK_SYMBOL_RANGES_H
#define PK_SYMBOL_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct range {
	uint64_t begin, end;
	uint32_t id;
};

/* A zeroed struct is empty. */
struct ranges {
	struct range *v;
	size_t n, cap;
	/* After ranges_sort: reach[i] is the largest end of v[0..i], so that
	 * a search backwards knows when to stop. */
	uint64_t *reach;
};

void ranges_add(struct ranges *r, struct range range);
/* By where they begin, then the longer first. Before any search. */
void ranges_sort(struct ranges *r);
/* The index behind the last range that begins at or before ADDR. */
size_t ranges_start(const struct ranges *r, uint64_t addr);
/* The next range before *AT that holds ADDR, the one that begins last first;
 * NULL when there is none, or only after 256 that do not hold it. */
const struct range *ranges_next(const struct ranges *r, uint64_t addr,
				size_t *at);
void ranges_free(struct ranges *r);

#endif
