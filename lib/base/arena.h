/* SPDX-License-Identifier: MIT */
/* Memory for whole-profile data: handed out in small pieces, never moved,
 * freed all at once. A zeroed struct is an empty arena. */
#ifndef PK_BASE_ARENA_H
#define PK_BASE_ARENA_H

#include <stddef.h>
#include "base/slice.h"

struct arena {
	struct arena_chunk *chunk;
	char *next;
	size_t left;
};

/* SIZE bytes aligned to 8, not cleared. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy of S, unaligned, with a NUL behind it that len does not count. */
struct slice arena_copy(struct arena *a, struct slice s);
void arena_free(struct arena *a);

#endif
