/* SPDX-License-Identifier: MIT */
/* Each distinct string of bytes once, numbered from 0 in the order of first
 * sight. A zeroed struct is an empty table. */
#ifndef PK_BASE_INTERN_H
#define PK_BASE_INTERN_H

#include <stdint.h>
#include "base/arena.h"
#include "base/hash.h"
#include "base/slice.h"

/* All that most look-ups need, so that they take one miss of the cache for the
 * slot and one for the text. */
struct intern_slot {
	uint32_t tag;	  /* the hash's upper half */
	uint32_t id;	  /* from 1; 0 is empty */
	const char *text; /* its length is in the 8 bytes before it */
};

struct intern {
	struct arena arena;
	char *next; /* room for text; HASH_STRIPE bytes behind it are there */
	size_t left;
	struct slice *names; /* padded (hash.h), with a NUL behind each */
	struct intern_slot *slots;
	size_t n, cap, mask;
};

uint32_t intern_add(struct intern *t, struct slice s);
/* The same for a caller that has hash_name(s) already. */
uint32_t intern_add_hashed(struct intern *t, struct slice s, uint64_t hash);
/* intern_add for N names, from whose starts 64 bytes may be read: the inner
 * loop of reading folded stacks. */
void intern_add_padded(struct intern *t, const struct slice *names, size_t n,
		       uint32_t *ids);
void intern_free(struct intern *t);

static inline struct slice
intern_get(const struct intern *t, uint32_t id)
{
	return t->names[id];
}

#endif
