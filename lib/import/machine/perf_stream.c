/* SPDX-License-Identifier: MIT */
/* Records of a pipe, or unpacked ones, in chunks. A chunk that is full when a
 * round ends holds no record that waits after the next one: then all that is
 * older than this round's records has been handed over. */
#include "import/machine/perf_internal.h"

unsigned char *
perf_stream_room(struct perf_file *f, struct perf_stream *s, size_t *room)
{
	struct perf_chunk *chunk;
	size_t rest = s->filled - s->taken;

	if (!s->now || PERF_CHUNK_BYTES - s->filled <= PERF_RECORD_LARGEST) {
		chunk = perf_spool_take(f);
		if (!chunk)
			return NULL;
		/* a record of which only the beginning is there */
		if (s->now) {
			memcpy(chunk->bytes, s->now->bytes + s->taken, rest);
			s->now->next = s->full;
			s->full = s->now;
		}
		s->now = chunk;
		s->taken = 0;
		s->filled = rest;
	}
	*room = PERF_CHUNK_BYTES - s->filled;
	return s->now->bytes + s->filled;
}

void
perf_stream_put(struct perf_file *f, struct perf_stream *s, size_t n)
{
	s->filled += n;
	s->taken += perf_take_records(f, s->now->bytes + s->taken,
				      s->filled - s->taken);
}

void
perf_stream_end(struct perf_file *f, struct perf_stream *s)
{
	if (!f->stopped)
		f->cut += s->filled - s->taken;
	if (s->now) {
		s->now->next = s->full;
		s->full = s->now;
	}
	s->now = NULL;
	s->taken = s->filled = 0;
}

static void
free_chunks(struct perf_file *f, struct perf_chunk *chunk)
{
	while (chunk) {
		struct perf_chunk *next = chunk->next;

		perf_spool_give(f, chunk);
		chunk = next;
	}
}

void
perf_stream_round(struct perf_file *f, struct perf_stream *s)
{
	free_chunks(f, s->old);
	s->old = s->full;
	s->full = NULL;
}

void
perf_stream_free(struct perf_file *f, struct perf_stream *s)
{
	perf_stream_end(f, s);
	free_chunks(f, s->full);
	free_chunks(f, s->old);
	s->full = s->old = NULL;
}
