/* SPDX-License-Identifier: MIT */
/* Each distinct string of bytes once, numbered from 0 in the order of first
 * sight. A zeroed struct is an empty table. */
#ifndef PK_BASE_INTERN_H
#define PK_BASE_INTERN_H

#include <stdint.h>
#include "base/arena.h"
#include "base/slice.h"

struct intern {
	struct arena arena;
	struct slice *names;
	uint64_t *slots; /* hash's upper half, id + 1; 0 is empty */
	size_t n, cap, mask;
};

uint32_t intern_add(struct intern *t, struct slice s);
/* The same for a caller that has hash_bytes(s) already. */
uint32_t intern_add_hashed(struct intern *t, struct slice s, uint64_t hash);
/* -1 when S was never added. */
int64_t intern_find(const struct intern *t, struct slice s);
void intern_free(struct intern *t);

static inline struct slice
intern_get(const struct intern *t, uint32_t id)
{
	return t->names[id];
}

#endif
