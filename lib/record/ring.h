/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ring buffers, one a processor, read in the order of time.
 * Records' layout: linux/perf_event.h.
 */
#ifndef PK_RECORD_RING_H
#define PK_RECORD_RING_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	struct perf_event_mmap_page *page;
	const unsigned char *data;
	size_t size;		 /* of the data, a power of two */
	uint64_t tail, head;	 /* [tail, head) is written and not consumed */
	unsigned char *straight; /* a record that wraps, made contiguous */
};

/* Maps the ring of an event; false with errno when the kernel refuses. */
bool ring_open(struct ring *r, int fd, size_t size);
void ring_close(struct ring *r);

/* Sees what the kernel has written by now. Returns the bytes waiting. */
size_t ring_refresh(struct ring *r);

/* The oldest record, contiguous, valid until ring_consume; NULL when there is
 * none (or the kernel wrote nonsense). */
const struct perf_event_header *ring_peek(struct ring *r);
void ring_consume(struct ring *r, const struct perf_event_header *record);

#endif
