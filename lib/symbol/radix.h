/* SPDX-License-Identifier: MIT */
/* Sorts addresses that carry an index: stable, and linear in their number
 * (least significant digit first; digits that do not vary are skipped). */
#ifndef PK_SYMBOL_RADIX_H
#define PK_SYMBOL_RADIX_H

#include <stddef.h>
#include <stdint.h>

struct radix_key {
	uint64_t key;
	size_t index;
};

/* Sorts A in place; B is room for as many. */
void radix_sort(struct radix_key *a, struct radix_key *b, size_t n);

#endif
