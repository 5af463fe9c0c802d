/* SPDX-License-Identifier: MIT */
#include "import/text/text.h"

#include <stdlib.h>
#include "base/msg.h"
#include "base/text.h"
#include "base/xalloc.h"

bool
import_line(struct import *im, struct slice *line)
{
	if (!input_line(im->in, line))
		return false;
	while (line->len && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

void
import_skip(struct import *im)
{
	if (!im->skipped++)
		im->first_skipped = input_line_number(im->in);
}

/* ---- the stack in the making ---- */

static void
push(struct import *im, uint32_t id)
{
	GROW(im->ids, im->cap_ids, im->n_ids + 1);
	im->ids[im->n_ids++] = id;
}

void
import_frame_clean(struct import *im, struct slice name)
{
	push(im, intern_add(&im->p->symbols, name));
}

static uint32_t
intern_frame(struct import *im, struct slice name)
{
	buf_clear(&im->text);
	text_frame(&im->text, name);
	return intern_add(&im->p->symbols, buf_get(&im->text));
}

void
import_frame(struct import *im, struct slice name)
{
	push(im, intern_frame(im, name));
}

void
import_root(struct import *im, struct slice name)
{
	uint32_t id = intern_frame(im, name);

	push(im, id);
	if (!im->outermost_first)
		return;
	memmove(im->ids + 1, im->ids, (im->n_ids - 1) * sizeof *im->ids);
	im->ids[0] = id;
}

void
import_drop(struct import *im)
{
	im->n_ids = 0;
}

static void
turn_round(uint32_t *ids, size_t n)
{
	size_t i;

	for (i = 0; i < n / 2; i++) {
		uint32_t id = ids[i];

		ids[i] = ids[n - 1 - i];
		ids[n - 1 - i] = id;
	}
}

/* Whether a filter cannot tell: the format knows, but this sample does not. */
static unsigned
unsettled_by(const struct import *im)
{
	const struct view *v = im->view;
	const struct import_origin *o = &im->origin;
	unsigned unknown = 0;

	if (v->only_pid != UINT64_MAX && o->pid == UINT64_MAX &&
	    o->tid != v->only_pid)
		unknown |= IMPORT_PID;
	if (v->only_tid != UINT64_MAX && o->tid == UINT64_MAX)
		unknown |= IMPORT_TID;
	if (v->only_comm && !o->comm.ptr)
		unknown |= IMPORT_COMM;
	if ((v->since || v->until != UINT64_MAX) && o->time == UINT64_MAX)
		unknown |= IMPORT_TIME;
	return unknown & im->knows;
}

/* By its name, or by what that looks like in the output. */
static bool
is_called(struct slice comm, const char *want)
{
	size_t n = strlen(want), i;

	for (i = 0; i < n && i < comm.len; i++)
		if (comm.ptr[i] != want[i] &&
		    !(comm.ptr[i] == ';' && want[i] == ':') &&
		    !(comm.ptr[i] == ' ' && want[i] == '_'))
			return false;
	return n == comm.len;
}

/* What is not known does not filter: that is said. */
bool
import_wants_sample(struct import *im)
{
	const struct view *v = im->view;
	const struct import_origin *o = &im->origin;
	uint64_t since_start;
	unsigned unknown;

	if (o->time != UINT64_MAX && im->first_time == UINT64_MAX)
		im->first_time = o->time;
	since_start = o->time - im->first_time;
	if (o->time < im->first_time)
		since_start = 0;
	if ((v->only_pid != UINT64_MAX && o->pid != UINT64_MAX &&
	     o->pid != v->only_pid) ||
	    (v->only_tid != UINT64_MAX && o->tid != UINT64_MAX &&
	     o->tid != v->only_tid) ||
	    (v->only_comm && o->comm.ptr &&
	     !is_called(o->comm, v->only_comm)) ||
	    (o->time != UINT64_MAX &&
	     (since_start < v->since || since_start > v->until)))
		return false;
	unknown = unsettled_by(im);
	im->unsettled += unknown != 0;
	im->unsettled_by |= unknown;
	return true;
}

void
import_add(struct import *im, double value)
{
	struct profile *p = im->p;

	im->samples++;
	if (import_wants_sample(im) && (im->n_ids || value != 0)) {
		if (!im->outermost_first)
			turn_round(im->ids, im->n_ids);
		p->lines++;
		profile_add(p, im->ids, im->n_ids, value,
			    p->columns == 2 ? value : 0);
	}
	im->n_ids = 0;
}

/* ---- events ---- */

bool
import_wants_event(struct import *im, struct slice event)
{
	const char *want = im->view->event;
	size_t before = im->events.n;
	uint32_t id = intern_add(&im->events, event);

	if (im->events.n > before) {
		GROW(im->event_samples, im->cap_event_samples, im->events.n);
		im->event_samples[id] = 0;
		if (im->event == UINT32_MAX &&
		    (!want || slice_is(event, want) ||
		     slice_is(event_without_modifiers(event), want)))
			im->event = id;
	}
	im->event_samples[id]++;
	return id == im->event;
}

enum { MOST_EVENTS = 8 };

/* The events but the one that counts, with their samples. */
static void
list_events(const struct import *im, struct buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < im->events.n; i++) {
		if (i == im->event || n++ >= MOST_EVENTS)
			continue;
		buf_str(b, b->len ? ", " : "");
		buf_slice(b, intern_get(&im->events, (uint32_t)i));
		buf_printf(b, " (%llu)",
			   (unsigned long long)im->event_samples[i]);
	}
	if (n > MOST_EVENTS)
		buf_printf(b, " and %zu more", n - MOST_EVENTS);
}

static void
report_events(struct import *im)
{
	struct buf b = { 0 };

	list_events(im, &b);
	if (im->event == UINT32_MAX && im->events.n) {
		im->refused = true;
		trouble("%s: has no event %s; its events and their samples "
			"are: %s",
			input_name(im->in), im->view->event, b.ptr);
	} else if (b.len && !im->view->event) {
		warning("%s: only what it has of '%.*s' is counted; -e chooses "
			"another of its events: %s",
			input_name(im->in),
			(int)intern_get(&im->events, im->event).len,
			intern_get(&im->events, im->event).ptr, b.ptr);
	}
	buf_free(&b);
}

/* ---- a whole file ---- */

static void
report_unsettled(const struct import *im)
{
	unsigned by = im->unsettled_by;

	warning("%s: %llu of %llu samples do not tell their%s%s%s%s: they "
		"count, whatever was asked for",
		input_name(im->in), (unsigned long long)im->unsettled,
		(unsigned long long)im->samples,
		by & IMPORT_PID ? " process (perf script -F +pid does)" : "",
		by & IMPORT_TID ? " thread" : "",
		by & IMPORT_COMM ? " thread's name" : "",
		by & IMPORT_TIME ? " time" : "");
}

/* COUNTED: the samples that passed the filters. */
static void
report(struct import *im, const char *name, uint64_t counted)
{
	const char *file = input_name(im->in);

	report_events(im);
	if (im->samples && !counted && !im->refused)
		warning("%s: no sample passes the filters", file);
	if (im->unsettled)
		report_unsettled(im);
	if (!im->samples && !input_broken(im->in) && !im->refused)
		trouble("%s: there is no stack in it that could be read as %s",
			file, name);
	else if (im->skipped)
		warning("%s: %llu line%s (the first is line %llu) could not "
			"be read as %s and %s skipped",
			file, (unsigned long long)im->skipped,
			im->skipped == 1 ? "" : "s",
			(unsigned long long)im->first_skipped, name,
			im->skipped == 1 ? "was" : "were");
}

void
import_run(void (*read)(struct import *im), const char *name, unsigned knows,
	   struct input *in, struct profile *p, const struct view *view)
{
	struct import im = {
		.in = in,
		.p = p,
		.view = view,
		.knows = knows,
		.origin = { { NULL, 0 }, UINT64_MAX, UINT64_MAX, UINT64_MAX },
		.first_time = UINT64_MAX,
		.event = UINT32_MAX
	};

	uint64_t lines = p->lines;

	if (!p->columns)
		p->columns = 1;
	read(&im);
	report(&im, name, p->lines - lines);
	free(im.ids);
	free(im.event_samples);
	intern_free(&im.events);
	buf_free(&im.text);
}
