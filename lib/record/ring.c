/* SPDX-License-Identifier: MIT */
#include "record/ring.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/xalloc.h"

/* A record's size is a 16-bit number. */
enum { RECORD_MAX = 1 << 16 };

bool
ring_open(struct ring *r, int fd, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, 0);

	if (p == MAP_FAILED)
		return false;
	*r = (struct ring){ .page = p,
			    .data = (unsigned char *)p + page,
			    .size = size,
			    .straight = xmalloc(RECORD_MAX) };
	return true;
}

void
ring_close(struct ring *r)
{
	if (r->page)
		munmap(r->page, (size_t)sysconf(_SC_PAGESIZE) + r->size);
	free(r->straight);
	*r = (struct ring){ 0 };
}

size_t
ring_refresh(struct ring *r)
{
	r->head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	return (size_t)(r->head - r->tail);
}

const struct perf_event_header *
ring_peek(struct ring *r)
{
	size_t at = r->tail & (r->size - 1), first = r->size - at;
	const struct perf_event_header *h = (const void *)(r->data + at);
	struct perf_event_header copy;

	if (r->head - r->tail < sizeof *h)
		return NULL;
	/* Records begin at multiples of 8, so a header never wraps. */
	copy = *h;
	if (copy.size < sizeof copy || copy.size > r->head - r->tail)
		return NULL;
	if (copy.size <= first)
		return h;
	memcpy(r->straight, r->data + at, first);
	memcpy(r->straight + first, r->data, copy.size - first);
	return (const void *)r->straight;
}

void
ring_consume(struct ring *r, const struct perf_event_header *record)
{
	r->tail += record->size;
	__atomic_store_n(&r->page->data_tail, r->tail, __ATOMIC_RELEASE);
}
