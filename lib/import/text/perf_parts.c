/* SPDX-License-Identifier: MIT */
/*
 * perf script's text with several threads. A file is cut behind blank lines,
 * where no sample is under way. The first part goes into the profile itself;
 * the others are read beside it, into profiles of their own, as if what was
 * known of the file at the cut still held. Where it does not, or sums would
 * depend on the order, such a part is read again in its turn.
 *
 * Of what cannot be cut, pipes and packed files, one thread reads ahead.
 */
#include "import/text/perf_script.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/ahead.h"
#include "base/limit.h"
#include "base/xalloc.h"

enum { MOST_THREADS = 8 };
/* Sums of whole numbers are exact, in any order, up to here. */
static const double exact = 9007199254740992.0;

static void
read_input(struct perf_reader *r, struct input *in)
{
	struct slice block;

	while (input_block(in, &block))
		perf_reader_block(r, block);
}

/* ---- parts of a file ---- */

struct part {
	struct import im;
	struct profile profile;
	uint64_t lines;
	struct slice event; /* that counts, by what was known; or empty */
	uint64_t first_time;
	pthread_t thread;
	bool threaded;
};

static struct slice
event_of(const struct import *im)
{
	if (im->event == UINT32_MAX)
		return (struct slice){ NULL, 0 };
	return intern_get(&im->events, im->event);
}

static uint64_t *
count_of_event(struct import *im, struct slice name, uint32_t *id)
{
	size_t before = im->events.n;

	*id = intern_add(&im->events, name);
	GROW(im->event_samples, im->cap_event_samples, im->events.n);
	if (im->events.n > before)
		im->event_samples[*id] = 0;
	return &im->event_samples[*id];
}

static void
part_init(struct part *part, const struct import *im, struct input *in)
{
	*part = (struct part){ .event = event_of(im),
			       .first_time = im->first_time };
	part->profile.columns = im->p->columns;
	part->profile.in_order = im->p->in_order;
	part->im = (struct import){ .in = in,
				    .p = &part->profile,
				    .view = im->view,
				    .knows = im->knows,
				    .origin = im->origin,
				    .first_time = im->first_time,
				    .event = UINT32_MAX };
	if (part->event.ptr)
		count_of_event(&part->im, part->event, &part->im.event);
}

static void
part_free(struct part *part)
{
	profile_free(&part->profile);
	free(part->im.event_samples);
	intern_free(&part->im.events);
}

static void *
read_part(void *arg)
{
	struct part *part = arg;
	struct perf_reader r;

	perf_reader_init(&r, &part->im);
	read_input(&r, part->im.in);
	perf_reader_finish(&r);
	part->lines = r.lines;
	return NULL;
}

/* Whether the part's thread knew what reading in order knows by now. */
static bool
is_right(const struct part *part, const struct import *im)
{
	const struct profile *p = &part->profile;

	return part->threaded && slice_eq(part->event, event_of(im)) &&
	       part->first_time == im->first_time && !p->inexact &&
	       !im->p->inexact && p->magnitude + im->p->magnitude < exact;
}

static void
merge_events(struct import *im, const struct import *from)
{
	uint32_t id;
	size_t i;

	for (i = 0; i < from->events.n; i++) {
		struct slice name = intern_get(&from->events, (uint32_t)i);

		*count_of_event(im, name, &id) += from->event_samples[i];
		if (i == from->event)
			im->event = id;
	}
}

static void
merge_part(struct perf_reader *r, struct part *part)
{
	struct import *im = r->im, *from = &part->im;

	merge_events(im, from);
	if (!im->skipped && from->skipped)
		im->first_skipped = r->lines + from->first_skipped;
	im->skipped += from->skipped;
	im->samples += from->samples;
	im->unsettled += from->unsettled;
	im->unsettled_by |= from->unsettled_by;
	im->first_time = from->first_time;
	r->lines += part->lines;
	profile_merge(im->p, &part->profile);
}

/* In order: IN's end is that of the last part. */
static void
take_parts(struct perf_reader *r, struct part *parts, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct part *part = &parts[i];
		struct input *again;

		if (part->threaded)
			pthread_join(part->thread, NULL);
		if (is_right(part, r->im)) {
			merge_part(r, part);
		} else {
			again = input_again(part->im.in);
			read_input(r, again);
			input_drop(again);
		}
		input_join(r->im->in, part->im.in);
		part_free(part);
	}
}

/* False, with nothing read, where IN is not to be cut. */
static bool
read_in_parts(struct perf_reader *r)
{
	struct input *inputs[MOST_THREADS], *in = r->im->in;
	struct part parts[MOST_THREADS];
	int n, i;

	n = input_split_paragraphs(in, usable_processors(MOST_THREADS), inputs);
	for (i = 1; i < n; i++) {
		struct part *part = &parts[i];

		part_init(part, r->im, inputs[i]);
		part->threaded =
			!pthread_create(&part->thread, NULL, read_part, part);
	}
	if (n) {
		read_input(r, inputs[0]);
		input_join(in, inputs[0]);
		take_parts(r, parts + 1, n - 1);
	}
	return n > 0;
}

static void
read_ahead(struct perf_reader *r)
{
	struct ahead *a = ahead_begin(r->im->in);
	struct slice block;

	while (ahead_block(a, &block))
		perf_reader_block(r, block);
	ahead_end(a);
}

void
perf_read_all(struct import *im)
{
	struct perf_reader r;
	struct slice block;

	perf_reader_init(&r, im);
	/* Small inputs are read now, and of large ones what counts in them
	 * is known. */
	if (input_block(im->in, &block)) {
		perf_reader_block(&r, block);
		if (!read_in_parts(&r))
			read_ahead(&r);
	}
	perf_reader_finish(&r);
}
