/* SPDX-License-Identifier: MIT */
/* A table from 64-bit keys to 32-bit values, for ids and counters' indices.
 * A zeroed struct is an empty one. */
#ifndef PK_BASE_MAP_H
#define PK_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map {
	struct map_entry {
		uint64_t key;
		uint32_t value, used;
	} * entries;
	size_t n, mask;
};

/* The value's place, made with value 0 when the key is new (*ADDED tells,
 * unless NULL); valid until the next map_put. */
uint32_t *map_put(struct map *m, uint64_t key, bool *added);
/* NULL when the key was never put. */
uint32_t *map_find(const struct map *m, uint64_t key);
void map_remove(struct map *m, uint64_t key);
void map_free(struct map *m);

#endif
