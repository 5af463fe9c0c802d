/* SPDX-License-Identifier: MIT */
/*
 * Records in the order of their times. Each processor's ring is nearly in
 * order by itself, and perf reads one after the other: what waits consists of
 * runs, which are merged (natural merge sort, Knuth 5.2.4), so that equal
 * times keep the order of the file.
 *
 * A round is over when perf has read each ring once. Whatever is older than
 * all that had been read when the round before it was over has arrived.
 */
#include "import/machine/perf_internal.h"

#include "base/xalloc.h"

void
perf_queue_put(struct perf_queue *q, uint64_t time, const unsigned char *record)
{
	GROW(q->items, q->cap, q->n + 1);
	q->items[q->n++] = (struct perf_item){ time, record };
	if (time > q->newest)
		q->newest = time;
}

/* Ends of the runs there are; how many. */
static size_t
find_runs(struct perf_queue *q)
{
	size_t n = 0, i;

	for (i = 1; i <= q->n; i++) {
		if (i < q->n && q->items[i].time >= q->items[i - 1].time)
			continue;
		GROW(q->runs, q->cap_runs, n + 1);
		q->runs[n++] = i;
	}
	return n;
}

static void
merge(struct perf_item *to, const struct perf_item *a,
      const struct perf_item *end_a, const struct perf_item *b,
      const struct perf_item *end_b)
{
	while (a < end_a && b < end_b)
		*to++ = b->time < a->time ? *b++ : *a++;
	if (a < end_a)
		memcpy(to, a, (size_t)(end_a - a) * sizeof *a);
	else if (b < end_b)
		memcpy(to, b, (size_t)(end_b - b) * sizeof *b);
}

static void
swap_arrays(struct perf_queue *q)
{
	struct perf_item *items = q->items;
	size_t cap = q->cap;

	q->items = q->other;
	q->cap = q->cap_other;
	q->other = items;
	q->cap_other = cap;
}

/* Merges each two neighbours of N runs; how many are left. */
static size_t
merge_neighbours(struct perf_queue *q, size_t n)
{
	const struct perf_item *from = q->items;
	size_t begin = 0, made = 0, i;

	for (i = 0; i < n; i += 2) {
		size_t mid = q->runs[i], end = i + 1 < n ? q->runs[i + 1] : mid;

		merge(q->other + begin, from + begin, from + mid, from + mid,
		      from + end);
		q->runs[made++] = begin = end;
	}
	swap_arrays(q);
	return made;
}

static void
sort(struct perf_queue *q)
{
	size_t n = find_runs(q);

	if (n > 1)
		GROW(q->other, q->cap_other, q->n);
	while (n > 1)
		n = merge_neighbours(q, n);
}

static void
hand_over_until(struct perf_file *f, uint64_t time)
{
	struct perf_queue *q = &f->queue;
	size_t i;

	sort(q);
	for (i = 0; i < q->n && q->items[i].time <= time; i++)
		perf_hand_over(f, q->items[i].record);
	q->n -= i;
	if (i && q->n)
		memmove(q->items, q->items + i, q->n * sizeof *q->items);
}

void
perf_finish_round(struct perf_file *f)
{
	hand_over_until(f, f->queue.newest_then);
	f->queue.newest_then = f->queue.newest;
}

void
perf_finish_all(struct perf_file *f)
{
	hand_over_until(f, UINT64_MAX);
}

void
perf_queue_free(struct perf_queue *q)
{
	free(q->items);
	free(q->other);
	free(q->runs);
}
