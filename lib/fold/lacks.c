/* SPDX-License-Identifier: MIT */
/* What a recorder knows to be missing becomes stacks of one frame: the whole
 * is then what there was, and the picture shows what it does not know. */
#include "fold/internal.h"

#include <math.h>
#include "base/number.h"

static const struct lack_frame {
	const char *what, *frame;
	bool ns; /* counts nanoseconds, not samples */
} lack_frames[] = {
	{ "lost", "[lost]", false },
	{ "output-full", "[lost]", false },
	{ "throttled", "[throttled]", false },
	{ "exited", "[exited]", false },
	{ "unsampled-ns", "[unsampled]", true },
};

/* Nobody knows whose the missing samples were. */
static bool
is_filtered(const struct folder *f)
{
	const struct view *o = &f->view;

	return o->only_pid != UINT64_MAX || o->only_tid != UINT64_MAX ||
	       o->since || o->until != UINT64_MAX || o->only_comm ||
	       f->cap_left_out || (o->event && f->event == UINT32_MAX);
}

/* The one that is folded, or would be if it had a sample. */
static const struct capture_event *
lacking_event(const struct folder *f)
{
	return &f->capture.events[f->event == UINT32_MAX ? 0 : f->event];
}

/* What a sample stands for, in the event's unit. A lost one was rather one of
 * the clock's than a long wait. */
static double
mean_weight(const struct folder *f)
{
	struct slice hz = capture_meta(&f->capture, "frequency");
	const struct capture_event *e = lacking_event(f);
	double weight = 0, samples = 0;
	uint64_t frequency;
	size_t i;

	if (slice_is(e->unit, "ns") && parse_u64(hz, &frequency) && frequency)
		return 1e9 / (double)frequency;
	for (i = 0; i < f->n_counts; i++) {
		weight += f->counts[i].weight;
		samples += (double)f->counts[i].samples;
	}
	return samples ? weight / samples : 0;
}

static double
lack_value(const struct folder *f, const struct lack_frame *l, double count)
{
	const struct capture_event *e = lacking_event(f);
	double period = e->period ? (double)e->period : mean_weight(f);
	bool weight = fold_by_weight(f);
	double samples;

	if (l->ns == weight)
		return count;
	if (!l->ns)
		return round(count * period);
	samples = period ? count / period : 0;
	return samples < 1 ? 1 : (double)(uint64_t)(samples + 0.5);
}

void
fold_add_lacks(const struct folder *f, struct profile *p)
{
	size_t n = sizeof lack_frames / sizeof *lack_frames, i, k;

	if (!f->capture.n_events || is_filtered(f))
		return;
	for (i = 0; i < f->capture.n_lacks; i++)
		for (k = 0; k < n; k++) {
			const struct capture_count *c = &f->capture.lacks[i];
			const struct lack_frame *l = &lack_frames[k];
			uint32_t id;

			if (!slice_is(c->what, l->what) || !c->count)
				continue;
			id = intern_add(&p->symbols, slice_str(l->frame));
			profile_add(p, &id, 1,
				    lack_value(f, l, (double)c->count), 0);
		}
}
