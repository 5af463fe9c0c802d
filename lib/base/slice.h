/* SPDX-License-Identifier: MIT */
/* A view of bytes that somebody else owns. Names may hold any byte, NUL too. */
#ifndef PK_BASE_SLICE_H
#define PK_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

#define SLICE_LIT(s) ((struct slice){ (s), sizeof(s) - 1 })

static inline struct slice
slice_str(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

static inline bool
slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

static inline bool
slice_starts(struct slice a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && !memcmp(a.ptr, prefix, n);
}

/* Bytewise order; a prefix sorts before what it begins. */
static inline int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* What follows the last '/', or all of it. */
struct slice slice_basename(struct slice path);

/* Cuts the text before the next SEP off REST and returns it; what is left
 * of REST begins behind SEP. Without a SEP all of REST is returned and REST
 * becomes empty with a NULL pointer. */
struct slice slice_cut(struct slice *rest, char sep);

#endif
