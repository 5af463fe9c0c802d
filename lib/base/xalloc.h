/* SPDX-License-Identifier: MIT */
/* Memory that is there or ends the program with a message. Products of sizes
 * are checked. Everything is freed with free(). */
#ifndef PK_BASE_XALLOC_H
#define PK_BASE_XALLOC_H

#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xmemdup0(const char *p, size_t n); /* adds a NUL behind the copy */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A capacity of at least NEED, growing by half again; for GROW. */
size_t grow_capacity(size_t have, size_t need);

/* Makes room for NEED elements in the array PTR that has room for CAP. */
#define GROW(ptr, cap, need)                                                \
	do {                                                                \
		if ((size_t)(need) > (cap)) {                               \
			(cap) = grow_capacity((cap), (need));               \
			(ptr) = xreallocarray((ptr), (cap), sizeof *(ptr)); \
		}                                                           \
	} while (0)

#endif
