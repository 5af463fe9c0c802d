/* SPDX-License-Identifier: MIT */
/*
 * Large arrays without a page fault for every 4 KiB: a fault costs from a
 * quarter of a microsecond up to 25 in a virtual machine, more than the work
 * on the page. Only hints to the kernel; without them all works the same.
 */
#ifndef PK_BASE_PAGES_H
#define PK_BASE_PAGES_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include "base/msg.h"
#include "base/xalloc.h"

/* From this size on an array takes whole huge pages. */
enum { PAGES_LARGE = 256 << 10, PAGES_HUGE = 2 << 20 };

static inline size_t
pages_size(size_t n)
{
	if (n > SIZE_MAX / 4)
		die("out of memory");
	return n < PAGES_LARGE
		       ? n
		       : (n + PAGES_HUGE - 1) & ~(size_t)(PAGES_HUGE - 1);
}

/* N bytes, not cleared, to be freed with free(); in huge pages when large. */
static inline void *
pages_alloc(size_t n)
{
	void *p;

	if (n < PAGES_LARGE)
		return xmalloc(n);
	n = pages_size(n);
	if (posix_memalign(&p, PAGES_HUGE, n))
		die("out of memory");
	madvise(p, n, MADV_HUGEPAGE);
	return p;
}

static inline void *
pages_calloc(size_t n, size_t size)
{
	void *p;

	if (__builtin_mul_overflow(n, size, &n))
		die("out of memory");
	if (n < PAGES_LARGE)
		return xcalloc(n, 1);
	p = pages_alloc(n);
	return memset(p, 0, n);
}

/* Address space for N bytes, memory only as it is written; NULL where that is
 * not to be had or N is small. */
static inline void *
pages_reserve(uint64_t n)
{
	void *p;

	if (n < PAGES_HUGE || n > SIZE_MAX / 4 ||
	    posix_memalign(&p, PAGES_HUGE, pages_size((size_t)n)))
		return NULL;
	madvise(p, (size_t)n, MADV_HUGEPAGE);
	return p;
}

/* Moves the USED bytes of P to a place with room for N. */
static inline void *
pages_grow(void *p, size_t used, size_t n)
{
	void *to = pages_alloc(n);

	if (used)
		memcpy(to, p, used);
	free(p);
	return to;
}

/* GROW (xalloc.h) for arrays of which the first USED elements are in use. */
#define PAGES_GROW(ptr, cap, used, need)                                  \
	do {                                                              \
		if ((size_t)(need) > (cap)) {                             \
			(cap) = (need) / 2 < (cap) ? 2 * (cap) : (need);  \
			if ((cap) > SIZE_MAX / 4 / sizeof *(ptr))         \
				die("out of memory");                     \
			(cap) = pages_size((cap) * sizeof *(ptr)) /       \
				sizeof *(ptr);                            \
			(ptr) = pages_grow((ptr), (used) * sizeof *(ptr), \
					   (cap) * sizeof *(ptr));        \
		}                                                         \
	} while (0)

/* Backs the whole pages within [p, p + n), which are about to be written. */
static inline void
pages_populate(void *p, size_t n)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t from = ((uintptr_t)p + 4095) & ~(uintptr_t)4095;
	uintptr_t to = ((uintptr_t)p + n) & ~(uintptr_t)4095;

	if (to > from)
		madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
	(void)p;
	(void)n;
#endif
}

#endif
