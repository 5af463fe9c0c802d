/* SPDX-License-Identifier: MIT */
/*
 * What lines of frames stand for, known by 96 bits of their hash: among a
 * billion lines the chance of two that are taken for one is below 1 in 10^10,
 * and no text has to be kept or compared.
 */
#ifndef PK_IMPORT_TEXT_PERF_CACHE_H
#define PK_IMPORT_TEXT_PERF_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

struct perf_hash {
	uint64_t a, b;
};

struct perf_entry {
	uint64_t b;
	uint32_t a;	/* the upper half */
	uint32_t value; /* the caller's, not 0 */
};

/* A zeroed struct is an empty table. */
struct perf_table {
	struct perf_entry *entries;
	size_t n, mask;
};

/* Asks memory for where HASH is. */
static inline void
perf_table_prefetch(const struct perf_table *t, struct perf_hash hash)
{
	if (t->entries)
		__builtin_prefetch(&t->entries[hash.b & t->mask]);
}

/* The value of HASH, or 0; and the setting of one that has none. */
uint32_t perf_table_get(const struct perf_table *t, struct perf_hash hash);
void perf_table_put(struct perf_table *t, struct perf_hash hash,
		    uint32_t value);
void perf_table_clear(struct perf_table *t); /* keeps the memory */
void perf_table_free(struct perf_table *t);

/* SALT: what else the meaning depends on. From text's end 64 bytes may be
 * read. */
struct perf_hash perf_hash_line(struct slice text, uint64_t salt);
/*
 * The same of the lines at AT that begin with a tab. Returns the newline of
 * the blank line that ends them; NULL when something else does, or END.
 */
const char *perf_hash_frames(const char *at, const char *end, uint64_t salt,
			     struct perf_hash *hash);

#endif
