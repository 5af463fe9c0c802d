/* SPDX-License-Identifier: MIT */
#include "fold/internal.h"

#include <stdlib.h>
#include "base/msg.h"
#include "base/text.h"
#include "base/xalloc.h"

struct folder *
folder_new(const struct fold_options *opt)
{
	struct folder *f = xcalloc(1, sizeof *f);

	f->view = *opt->view;
	f->symbol = opt->symbol;
	f->symbol.names = (enum symbol_names)f->view.names;
	f->symbol.inlines = !f->view.no_inlines;
	f->symbol.lines = f->view.lines;
	f->event = UINT32_MAX;
	return f;
}

/* ---- counting ---- */

static void
forget_counts(struct folder *f)
{
	map_free(&f->index);
	f->index = (struct map){ 0 };
	if (f->last)
		memset(f->last, 0, f->cap_last * sizeof *f->last);
	f->n_counts = 0;
	f->n_runs = 0;
	f->samples = 0;
}

static void
leave_out(struct folder *f, uint32_t event, uint64_t samples)
{
	while (f->cap_left_out <= event) {
		size_t cap = f->cap_left_out;

		GROW(f->left_out, f->cap_left_out, (size_t)event + 1);
		memset(f->left_out + cap, 0,
		       (f->cap_left_out - cap) * sizeof *f->left_out);
	}
	f->left_out[event] += samples;
}

/* Whether EVENT is what was asked for: by its name, or by that without
 * modifiers where no event has the name itself. */
static bool
is_asked_for(const struct folder *f, uint32_t event)
{
	const struct capture *c = &f->capture;
	size_t i;

	if (slice_is(c->events[event].name, f->view.event))
		return true;
	if (!slice_is(event_without_modifiers(c->events[event].name),
		      f->view.event))
		return false;
	for (i = 0; i < c->n_events; i++)
		if (slice_is(c->events[i].name, f->view.event))
			return false;
	return true;
}

/* The event that was asked for counts; else the first one that was defined, or
 * as long as that has no sample the first one that has. */
static void
choose_event(struct folder *f, uint32_t event)
{
	bool is_first = !f->view.event && event == 0;

	if (f->event == event)
		return;
	if (is_first && f->event != UINT32_MAX) {
		if (f->samples)
			leave_out(f, f->event, f->samples);
		forget_counts(f);
	}
	if (is_first || (f->event == UINT32_MAX &&
			 (!f->view.event || is_asked_for(f, event))))
		f->event = event;
}

static bool
is_wanted_event(struct folder *f, uint32_t event)
{
	if (event != f->event)
		leave_out(f, event, 1);
	return event == f->event;
}

/* By its name, or by what the name looks like in the output. */
static bool
is_wanted_name(const char *want, struct slice name)
{
	struct buf b = { 0 };
	bool is = slice_is(name, want);

	if (is)
		return true;
	text_frame(&b, name);
	is = slice_is(buf_get(&b), want);
	buf_free(&b);
	return is;
}

/* Each sample is a time of its own, WEIGHT ns that end at TIME. */
static bool
is_interval(const struct capture_event *e)
{
	return !e->period && !e->weighed && slice_is(e->unit, "ns");
}

/* Whether S lies between since and until; an interval is cut to what does. */
static bool
clip(const struct folder *f, const struct capture_sample *s, uint64_t *weight)
{
	uint64_t begin = s->time, end = s->time;

	if (is_interval(&f->capture.events[s->event]))
		begin -= s->weight < begin ? s->weight : begin;
	if (end < f->view.since || begin > f->view.until)
		return false;
	if (begin == end)
		return true;
	if (begin < f->view.since) {
		*weight -= f->view.since - begin;
		begin = f->view.since;
	}
	if (end > f->view.until) {
		*weight -= end - f->view.until;
		end = f->view.until;
	}
	return begin < end;
}

static bool
is_wanted(struct folder *f, const struct capture_sample *s)
{
	const struct view *o = &f->view;

	return (o->only_pid == UINT64_MAX || s->pid == o->only_pid) &&
	       (o->only_tid == UINT64_MAX || s->tid == o->only_tid) &&
	       (!o->only_comm || is_wanted_name(o->only_comm, s->name)) &&
	       is_wanted_event(f, s->event);
}

static uint32_t
make_root(struct folder *f, const struct capture_sample *s)
{
	struct buf b = { 0 };
	uint32_t id;

	if (s->name_id == UINT32_MAX)
		buf_str(&b, "[unknown]");
	else
		text_frame(&b, s->name);
	if (f->view.root != VIEW_COMM)
		buf_printf(&b, "-%llu", (unsigned long long)s->pid);
	if (f->view.root == VIEW_TID)
		buf_printf(&b, "/%llu", (unsigned long long)s->tid);
	id = intern_add(&f->roots, buf_get(&b));
	buf_free(&b);
	return id;
}

/* A name is written once: there is one sample after the other of it. */
static uint32_t
root_of(struct folder *f, const struct capture_sample *s)
{
	bool added;
	uint32_t *root;

	if (f->view.root != VIEW_COMM)
		return make_root(f, s);
	if (f->has_last_root && f->last_name == s->name_id)
		return f->last_root;
	root = map_put(&f->root_of_name, s->name_id, &added);
	if (added)
		*root = make_root(f, s);
	f->has_last_root = true;
	f->last_name = s->name_id;
	f->last_root = *root;
	return *root;
}

/* The count of NODE that was asked for last, a guess: 1 + index, or 0. */
static uint32_t *
last_count(struct folder *f, uint32_t node)
{
	size_t cap = f->cap_last;

	GROW(f->last, f->cap_last, (size_t)node + 1);
	if (f->cap_last > cap)
		memset(f->last + cap, 0, (f->cap_last - cap) * sizeof *f->last);
	return &f->last[node];
}

static struct fold_count *
count_of(struct folder *f, uint32_t root, uint32_t node)
{
	uint32_t *last = last_count(f, node), *index;
	bool added;

	if (*last && f->counts[*last - 1].root == root)
		return &f->counts[*last - 1];
	index = map_put(&f->index, (uint64_t)root << 32 | node, &added);
	if (added) {
		GROW(f->counts, f->cap_counts, f->n_counts + 1);
		f->counts[f->n_counts] =
			(struct fold_count){ .root = root, .node = node };
		*index = (uint32_t)f->n_counts++;
	}
	*last = *index + 1;
	return &f->counts[*index];
}

static void
add_run(struct folder *f, uint64_t time, uint32_t count, uint64_t weight)
{
	struct fold_run *last = f->n_runs ? &f->runs[f->n_runs - 1] : NULL;

	if (!last || last->count != count || time < last->time) {
		GROW(f->runs, f->cap_runs, f->n_runs + 1);
		last = &f->runs[f->n_runs++];
		*last = (struct fold_run){ .time = time, .count = count };
	}
	last->samples++;
	last->weight += (double)weight;
}

void
folder_sample(void *folder, const struct capture_sample *s)
{
	struct folder *f = folder;
	struct fold_count *c;
	uint64_t weight = s->weight;

	choose_event(f, s->event);
	if (!clip(f, s, &weight) || !is_wanted(f, s))
		return;
	c = count_of(f, root_of(f, s), s->node);
	c->samples++;
	c->weight += (double)weight;
	f->samples++;
	if (f->view.time_order)
		add_run(f, s->time, (uint32_t)(c - f->counts), weight);
}

struct capture *
folder_capture(struct folder *f)
{
	return &f->capture;
}

bool
folder_has_captures(const struct folder *f)
{
	return f->capture.n_captures > 0;
}

/* ---- naming ---- */

/* All nodes on the way from a counted one to the outermost. */
static uint8_t *
mark_nodes(const struct folder *f)
{
	uint8_t *wanted = xcalloc(f->capture.nodes.n, 1);
	size_t i;

	for (i = 0; i < f->n_counts; i++) {
		uint32_t n = f->counts[i].node;

		for (; n && !wanted[n]; n = f->capture.nodes.list[n].parent)
			wanted[n] = 1;
	}
	return wanted;
}

/* What people call the module: a file's last part, [jit 12] without its
 * number. */
static struct slice
module_name(const struct capture_module *m)
{
	struct slice s = m->path;

	if (s.len && s.ptr[0] == '/')
		return slice_basename(s);
	if (slice_starts(s, "[jit "))
		return SLICE_LIT("[jit]");
	return s;
}

static void
add_unnamed(const struct folder *f, const struct capture_module *m,
	    uint64_t addr, struct buf *b)
{
	struct slice name = module_name(m);
	bool bracketed = name.len > 2 && name.ptr[0] == '[';

	if (bracketed)
		name = (struct slice){ name.ptr + 1, name.len - 2 };
	buf_char(b, '[');
	text_frame(b, name);
	if (f->view.addrs &&
	    (m->base != CAPTURE_ABSOLUTE || slice_is(name, "jit")))
		buf_printf(b, "+0x%llx", (unsigned long long)addr);
	buf_char(b, ']');
}

static void
add_suffix(const struct folder *f, const struct capture_module *m,
	   const struct symbol_frame *frame, struct buf *b)
{
	unsigned s = f->view.suffixes;

	if (s & VIEW_KERNEL &&
	    (m->base == CAPTURE_KERNEL || slice_is(m->path, "[kernel]")))
		buf_str(b, "_[k]");
	else if (s & VIEW_JIT && slice_starts(m->path, "[jit "))
		buf_str(b, "_[j]");
	else if (s & VIEW_INLINED && frame->inlined)
		buf_str(b, "_[i]");
}

/* One frame as folded text. */
static void
add_frame(const struct folder *f, const struct location *l,
	  const struct symbol_frame *frame, struct buf *b)
{
	const struct capture_module *m = &f->capture.modules[l->module];

	if (!frame->name.len) {
		add_unnamed(f, m, l->addr, b);
		add_suffix(f, m, frame, b);
		return;
	}
	if (f->view.modules) {
		text_frame(b, module_name(m));
		buf_char(b, '`');
	}
	text_frame(b, frame->name);
	if (f->view.lines && frame->line) {
		buf_char(b, ':');
		text_frame(b, slice_basename(frame->file));
		buf_printf(b, ":%u", frame->line);
	}
	add_suffix(f, m, frame, b);
}

/* The symbol ids of all frames of all locations. */
static uint32_t *
name_frames(const struct folder *f, struct profile *p)
{
	const struct resolution *r = &f->names;
	uint32_t *ids = xcalloc(r->n_frames, sizeof *ids), k;
	struct buf b = { 0 };
	size_t i;

	for (i = 0; i < r->n_locations; i++)
		for (k = 0; k < r->locations[i].n; k++) {
			uint32_t at = r->locations[i].first + k;

			buf_clear(&b);
			add_frame(f, &r->locations[i], &r->frames[at], &b);
			ids[at] = intern_add(&p->symbols, buf_get(&b));
		}
	buf_free(&b);
	return ids;
}

struct row {
	uint32_t *ids;
	size_t n, cap;
};

/* The stack of NODE as symbol ids, innermost first, then turned round. */
static void
fill_row(const struct folder *f, const uint32_t *ids, uint32_t node,
	 struct row *row)
{
	size_t i;

	row->n = 0;
	for (; node; node = f->capture.nodes.list[node].parent) {
		const struct location *l =
			&f->names.locations[f->names.of_node[node]];

		GROW(row->ids, row->cap, row->n + l->n + 1);
		memcpy(row->ids + row->n, ids + l->first, l->n * sizeof *ids);
		row->n += l->n;
	}
	GROW(row->ids, row->cap, row->n + 1);
	for (i = 0; i < row->n / 2; i++) {
		uint32_t id = row->ids[i];

		row->ids[i] = row->ids[row->n - 1 - i];
		row->ids[row->n - 1 - i] = id;
	}
}

bool
fold_by_weight(const struct folder *f)
{
	if (f->view.value != VIEW_AUTO || f->event == UINT32_MAX)
		return f->view.value == VIEW_WEIGHT;
	return is_interval(&f->capture.events[f->event]) ||
	       f->capture.events[f->event].weighed;
}

bool
folder_unit_is_ns(const struct folder *f)
{
	return fold_by_weight(f) && f->event != UINT32_MAX &&
	       slice_is(f->capture.events[f->event].unit, "ns");
}

struct adder {
	const struct folder *f;
	struct profile *p;
	const uint32_t *ids;
	struct row row;
	bool by_weight;
};

static void
add_count(struct adder *a, const struct fold_count *c, uint64_t samples,
	  double weight)
{
	struct row *row = &a->row;
	uint32_t root =
		intern_add(&a->p->symbols, intern_get(&a->f->roots, c->root));

	fill_row(a->f, a->ids, c->node, row);
	memmove(row->ids + 1, row->ids, row->n * sizeof *row->ids);
	row->ids[0] = root;
	profile_add(a->p, row->ids, row->n + 1,
		    a->by_weight ? weight : (double)samples, 0);
}

static int
by_time(const void *va, const void *vb)
{
	const struct fold_run *a = va, *b = vb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return (a->count > b->count) - (a->count < b->count);
}

static void
add_runs(struct adder *a, struct folder *f)
{
	size_t i;

	if (f->n_runs)
		qsort(f->runs, f->n_runs, sizeof *f->runs, by_time);
	for (i = 0; i < f->n_runs; i++)
		add_count(a, &f->counts[f->runs[i].count], f->runs[i].samples,
			  f->runs[i].weight);
}

static void
add_counts(struct folder *f, struct profile *p)
{
	uint32_t *ids = name_frames(f, p);
	struct adder a = { f, p, ids, { 0 }, fold_by_weight(f) };
	size_t i;

	if (f->view.time_order)
		add_runs(&a, f);
	else
		for (i = 0; i < f->n_counts; i++)
			add_count(&a, &f->counts[i], f->counts[i].samples,
				  f->counts[i].weight);
	free(a.row.ids);
	free(ids);
}

void
folder_free(struct folder *f)
{
	resolution_free(&f->names);
	capture_free(&f->capture);
	intern_free(&f->roots);
	map_free(&f->root_of_name);
	map_free(&f->index);
	free(f->last);
	free(f->counts);
	free(f->runs);
	free(f->left_out);
	free(f);
}

/* That no capture knows the event that was asked for is a mistake. */
static bool
is_unknown_event(const struct folder *f)
{
	struct buf names = { 0 };
	size_t i;

	for (i = 0; i < f->capture.n_events; i++) {
		if (!f->view.event || is_asked_for(f, (uint32_t)i))
			break;
		buf_printf(&names, "%s%.*s", i ? ", " : "",
			   (int)f->capture.events[i].name.len,
			   f->capture.events[i].name.ptr);
	}
	if (i == f->capture.n_events && i)
		trouble("--event '%s': no capture has that event; there are: "
			"%s",
			f->view.event, names.ptr);
	buf_free(&names);
	return i == f->capture.n_events && i;
}

static void
report(struct folder *f)
{
	if (is_unknown_event(f))
		return;
	folder_report(f);
	report_gaps(f);
	if (f->n_counts && f->view.value == VIEW_AUTO && fold_by_weight(f) &&
	    slice_is(f->capture.events[f->event].unit, "ns"))
		note("values are nanoseconds: pk-flamesvg --unit ns");
}

void
folder_finish(struct folder *f, struct profile *p)
{
	uint8_t *wanted;

	if (f->capture.n_captures) {
		wanted = mark_nodes(f);
		resolution_make(&f->names, &f->capture, wanted, &f->symbol);
		free(wanted);
		if (!p->columns)
			p->columns = 1;
		add_counts(f, p);
		fold_add_lacks(f, p);
		report(f);
	}
	folder_free(f);
}
