/* SPDX-License-Identifier: MIT */
#include "import/text/perf_script.h"

#include <stdlib.h>
#include "base/text.h"
#include "base/xalloc.h"

enum {
	/* Bytes of what was met that are kept, at least; more when the
	 * profile is larger itself. */
	KEPT = 4 << 20,
	/* Longer lines are parsed anew each time. */
	LONGEST_LINE = 4096,
	LEAST_KNOWN = 4096,
};
/* Values from here on are spans. */
#define SPAN 0x80000000u

void
perf_reader_init(struct perf_reader *r, struct import *im)
{
	*r = (struct perf_reader){ .im = im, .known_mask = LEAST_KNOWN - 1 };
	r->known = xcalloc(LEAST_KNOWN, sizeof *r->known);
}

static void
forget(struct perf_reader *r)
{
	perf_table_clear(&r->lines_met);
	perf_table_clear(&r->chains_met);
	r->n_met = r->n_spans = 0;
	memset(r->known, 0, (r->known_mask + 1) * sizeof *r->known);
}

static void
grow_known(struct perf_reader *r)
{
	free(r->known);
	r->known_mask = r->known_mask * 4 + 3;
	r->known = xcalloc(r->known_mask + 1, sizeof *r->known);
	r->n_unknown = 0;
}

/* The memory of what was met follows that of the profile. */
static void
limit_memory(struct perf_reader *r)
{
	const struct profile *p = r->im->p;
	size_t kept = (r->lines_met.n + r->chains_met.n) *
			      sizeof *r->lines_met.entries +
		      r->n_met * sizeof *r->met + r->n_spans * sizeof *r->spans;
	size_t most = p->n_frames * sizeof *p->frames +
		      p->n_stacks * sizeof *p->stacks;

	if (kept > KEPT + most)
		forget(r);
	if (r->n_unknown > r->known_mask && p->n_stacks > r->known_mask / 2)
		grow_known(r);
}

static void
skip_line(struct perf_reader *r)
{
	if (!r->im->skipped++)
		r->im->first_skipped = r->lines;
}

/* ---- event lines ---- */

static void
add_root_name(struct perf_reader *r, const struct perf_event *e)
{
	size_t i;

	buf_clear(&r->name);
	buf_slice(&r->name, e->comm);
	if (!e->comm.len && e->tid != UINT64_MAX) {
		/* What perf calls threads whose name it never saw. */
		buf_char(&r->name, ':');
		buf_u64(&r->name, e->tid);
	}
	if (r->im->view->root != VIEW_COMM) {
		buf_char(&r->name, '-');
		if (e->pid == UINT64_MAX)
			buf_char(&r->name, '?');
		else
			buf_u64(&r->name, e->pid);
	}
	if (r->im->view->root == VIEW_TID) {
		buf_char(&r->name, '/');
		if (e->tid == UINT64_MAX)
			buf_str(&r->name, "-1");
		else
			buf_u64(&r->name, e->tid);
	}
	for (i = 0; i < r->name.len; i++)
		if (r->name.ptr[i] == ' ')
			r->name.ptr[i] = '_';
}

static bool
is_last_thread(const struct perf_reader *r, const struct perf_event *e)
{
	return r->has_last && e->pid == r->last_pid && e->tid == r->last_tid &&
	       slice_eq(e->comm, buf_get(&r->last_comm));
}

void
perf_reader_thread(struct perf_reader *r, const struct perf_event *e)
{
	if (is_last_thread(r, e))
		return;
	r->has_last = true;
	r->last_pid = e->pid;
	r->last_tid = e->tid;
	buf_clear(&r->last_comm);
	buf_slice(&r->last_comm, e->comm);
	r->java = slice_is(e->comm, "java");
	add_root_name(r, e);
	buf_clear(&r->text);
	text_frame(&r->text, buf_get(&r->name));
	r->root = intern_add(&r->im->p->symbols, buf_get(&r->text));
}

static bool
wants_event(struct perf_reader *r, struct slice name)
{
	struct import *im = r->im;
	bool wanted;

	if (!name.len)
		return true;
	if (r->last_event.ptr && slice_eq(name, r->last_event)) {
		im->event_samples[r->last_event_id]++;
		return r->last_event_id == im->event;
	}
	wanted = import_wants_event(im, name);
	r->last_event_id = intern_add(&im->events, name);
	r->last_event = intern_get(&im->events, r->last_event_id);
	return wanted;
}

static double
value_of(const struct perf_reader *r, const struct perf_event *e)
{
	return r->im->view->value == VIEW_SAMPLES || e->period == 0 ? 1
								    : e->period;
}

static void
take_frame(struct perf_reader *r, const struct perf_frame *f)
{
	size_t i;

	r->n_made = 0;
	perf_frame_symbols(r, f);
	GROW(r->ids, r->cap_ids, r->n_ids + r->n_made);
	for (i = 0; i < r->n_made; i++)
		r->ids[r->n_ids++] = r->made[i];
}

static void
begin_sample(struct perf_reader *r, const struct perf_event *e)
{
	struct import *im = r->im;
	struct perf_frame f;

	r->n_ids = 0;
	r->in_sample = r->began = e->is_sample;
	if (!e->is_sample)
		return;
	im->origin.comm = e->comm;
	im->origin.pid = e->pid;
	im->origin.tid = e->tid;
	im->origin.time = e->time;
	r->wanted = import_wants_sample(im);
	r->wanted = wants_event(r, e->name) && r->wanted;
	if (!r->wanted)
		return;
	r->value = value_of(r, e);
	perf_reader_thread(r, e);
	if (e->rest.len && perf_frame_parse(e->rest, &f) && f.dso.len)
		take_frame(r, &f);
}

/* ---- stacks ---- */

/* The stack with N frames, innermost first, below the root. */
static uint32_t
find_stack(struct perf_reader *r, const uint32_t *ids, size_t n)
{
	size_t i;

	GROW(r->stack, r->cap_stack, n + 1);
	r->stack[0] = r->root;
	for (i = 0; i < n; i++)
		r->stack[i + 1] = ids[n - 1 - i];
	return profile_find(r->im->p, r->stack, n + 1);
}

static void
count_stack(struct perf_reader *r, uint32_t stack)
{
	struct profile *p = r->im->p;

	p->lines++;
	profile_count(p, stack, r->value, p->columns == 2 ? r->value : 0);
}

static void
end_sample(struct perf_reader *r)
{
	if (!r->in_sample)
		return;
	r->in_sample = false;
	r->im->samples++;
	if (r->wanted)
		count_stack(r, find_stack(r, r->ids, r->n_ids));
}

/* ---- lines and chains that were met before ---- */

static uint32_t
keep_span(struct perf_reader *r, const uint32_t *ids, size_t n, uint32_t lines)
{
	GROW(r->met, r->cap_met, r->n_met + n);
	if (n)
		memcpy(r->met + r->n_met, ids, n * sizeof *ids);
	GROW(r->spans, r->cap_spans, r->n_spans + 1);
	r->spans[r->n_spans] =
		(struct perf_span){ (uint32_t)r->n_met, (uint32_t)n, lines };
	r->n_met += n;
	return SPAN + (uint32_t)r->n_spans++;
}

/* The span of VALUE; of a symbol, one that lies in *ONE. */
static struct perf_span
span_of(const struct perf_reader *r, uint32_t value, uint32_t *one,
	const uint32_t **ids)
{
	if (value >= SPAN) {
		struct perf_span s = r->spans[value - SPAN];

		*ids = r->met + s.first;
		return s;
	}
	*one = value - 1;
	*ids = one;
	return (struct perf_span){ 0, 1, 1 };
}

static uint32_t
make_frame(struct perf_reader *r, const struct perf_frame *f)
{
	r->n_made = 0;
	perf_frame_symbols(r, f);
	if (r->n_made == 1 && r->made[0] < SPAN - 1)
		return r->made[0] + 1;
	return keep_span(r, r->made, r->n_made, 1);
}

/* Functions are hit at many addresses: the line without them, which differs
 * from all lines by its salt. */
static struct perf_hash
hash_function(const struct perf_reader *r, const struct perf_frame *f)
{
	struct perf_hash h = perf_hash_line(f->name, r->java + 2u);
	struct perf_hash dso = perf_hash_line(f->dso, h.a);

	return (struct perf_hash){ dso.a, dso.b ^ h.b };
}

static uint32_t
parse_line(struct perf_reader *r, struct slice line)
{
	struct perf_frame f;
	struct perf_hash hash;
	uint32_t made;

	if (!perf_frame_parse(line, &f))
		return keep_span(r, NULL, 0, 0);
	if (r->im->view->addrs)
		return make_frame(r, &f);
	hash = hash_function(r, &f);
	made = perf_table_get(&r->lines_met, hash);
	if (made)
		return made;
	made = make_frame(r, &f);
	perf_table_put(&r->lines_met, hash, made);
	return made;
}

static uint32_t
find_line(struct perf_reader *r, struct slice line, struct perf_hash hash)
{
	uint32_t value = perf_table_get(&r->lines_met, hash);

	if (value)
		return value;
	value = parse_line(r, line);
	perf_table_put(&r->lines_met, hash, value);
	return value;
}

static struct slice
cut_line(struct slice *text)
{
	return slice_cut(text, '\n');
}

/* Lines that are looked for at once, so that memory has time to answer. */
enum { AHEAD = 16 };

/* Appends what LINES stand for to r->ids; false when one is no frame. */
static bool
take_lines(struct perf_reader *r, const struct slice *lines,
	   const struct perf_hash *hashes, size_t n)
{
	const uint32_t *ids;
	uint32_t one;
	size_t i, k;

	for (i = 0; i < n; i++) {
		uint32_t value = find_line(r, lines[i], hashes[i]);
		struct perf_span s = span_of(r, value, &one, &ids);

		if (!s.lines)
			return false;
		GROW(r->ids, r->cap_ids, r->n_ids + s.n);
		for (k = 0; k < s.n; k++)
			r->ids[r->n_ids++] = ids[k];
	}
	return true;
}

/* What the lines behind the first one stand for. */
static uint32_t
parse_chain(struct perf_reader *r, struct slice text)
{
	struct slice lines[AHEAD];
	struct perf_hash hashes[AHEAD];
	uint32_t n_lines = 1;
	size_t n;

	r->n_ids = 0;
	while (text.len) {
		for (n = 0; n < AHEAD && text.len; n++) {
			lines[n] = cut_line(&text);
			if (lines[n].len > LONGEST_LINE)
				return keep_span(r, NULL, 0, 0);
			hashes[n] = perf_hash_line(lines[n], r->java);
			perf_table_prefetch(&r->lines_met, hashes[n]);
		}
		if (!take_lines(r, lines, hashes, n))
			return keep_span(r, NULL, 0, 0);
		n_lines += (uint32_t)n;
	}
	return keep_span(r, r->ids, r->n_ids, n_lines);
}

static uint32_t
find_chain(struct perf_reader *r, struct slice text, struct perf_hash hash)
{
	uint32_t value = perf_table_get(&r->chains_met, hash);

	if (value)
		return value;
	value = parse_chain(r, text);
	perf_table_put(&r->chains_met, hash, value);
	return value;
}

static uint32_t
join_stack(struct perf_reader *r, uint32_t line, uint32_t chain)
{
	const uint32_t *inner, *outer;
	uint32_t one, none;
	struct perf_span s = span_of(r, line, &one, &inner);
	struct perf_span t = span_of(r, chain, &none, &outer);

	GROW(r->ids, r->cap_ids, (size_t)s.n + t.n);
	if (s.n)
		memcpy(r->ids, inner, s.n * sizeof *r->ids);
	if (t.n)
		memcpy(r->ids + s.n, outer, t.n * sizeof *r->ids);
	return find_stack(r, r->ids, (size_t)s.n + t.n);
}

/* The stack of the innermost line and its callers. */
static uint32_t
find_known(struct perf_reader *r, uint32_t line, uint32_t chain)
{
	uint64_t hash = hash_mix((uint64_t)line << 32 | chain, r->root);
	struct perf_known *k = &r->known[hash & r->known_mask];

	if (k->chain == chain && k->line == line && k->root == r->root)
		return k->stack;
	r->n_unknown++;
	*k = (struct perf_known){ chain, line, r->root,
				  join_stack(r, line, chain) };
	return k->stack;
}

static uint64_t
count_lines(struct slice text)
{
	uint64_t n = 0;

	while (text.len) {
		cut_line(&text);
		n++;
	}
	return n;
}

/*
 * All of a sample's frames at once, if all of them are there, at the start of
 * TEXT, and plain; else they are to be read line by line. Returns what is
 * behind the blank line that ends them.
 */
static const char *
take_frames(struct perf_reader *r, struct slice text)
{
	const char *end = text.ptr + text.len, *blank;
	struct slice rest = text, first = cut_line(&rest), chain;
	struct perf_hash first_hash, hash;
	struct perf_span span;
	uint32_t line, callers;

	if (r->n_ids || first.len > LONGEST_LINE || !rest.len)
		return NULL;
	first_hash = perf_hash_line(first, r->java);
	perf_table_prefetch(&r->lines_met, first_hash);
	blank = perf_hash_frames(rest.ptr, end, r->java, &hash);
	if (!blank)
		return NULL;
	chain = (struct slice){ rest.ptr, (size_t)(blank - rest.ptr) };
	if (!r->wanted) {
		r->lines += count_lines(chain) + 1;
	} else {
		limit_memory(r);
		line = find_line(r, first, first_hash);
		callers = find_chain(r, chain, hash);
		span = r->spans[callers - SPAN];
		r->n_ids = 0;
		if (!span.lines ||
		    (line >= SPAN && !r->spans[line - SPAN].lines))
			return NULL;
		r->lines += span.lines;
		count_stack(r, find_known(r, line, callers));
	}
	r->in_sample = false;
	r->im->samples++;
	r->lines++;
	return blank + 1;
}

/* ---- line by line ---- */

/* `  FILE:LINE` or `  MODULE[ADDRESS]`, as perf script -F +srcline writes it
 * under a frame. */
static bool
take_source_line(struct perf_reader *r, struct slice line)
{
	struct profile *p = r->im->p;
	uint32_t *frame;

	if (!r->in_sample || !slice_starts(line, "  "))
		return false;
	if (!r->wanted || !r->n_ids || !r->im->view->lines || line.len < 3 ||
	    line.ptr[2] == ':' || line.ptr[2] == '?' ||
	    line.ptr[line.len - 1] == ']')
		return true;
	frame = &r->ids[r->n_ids - 1];
	buf_clear(&r->text);
	buf_slice(&r->text, intern_get(&p->symbols, *frame));
	buf_char(&r->text, ':');
	text_frame(&r->text, (struct slice){ line.ptr + 2, line.len - 2 });
	*frame = intern_add(&p->symbols, buf_get(&r->text));
	return true;
}

static bool
take_frame_line(struct perf_reader *r, struct slice line)
{
	struct perf_frame f;

	if (!r->in_sample || !perf_frame_parse(line, &f))
		return false;
	if (r->wanted)
		take_frame(r, &f);
	return true;
}

static void
take_line(struct perf_reader *r, struct slice line)
{
	struct perf_event e;
	enum perf_sureness sure = PERF_NO;

	while (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	r->lines++;
	if (!line.len) {
		end_sample(r);
		return;
	}
	if (*line.ptr == '#')
		return;
	if (*line.ptr != '\t')
		sure = perf_event_parse(line, &e);
	if (sure != PERF_SURE && take_frame_line(r, line))
		return;
	/* Blanks in front make it a frame without its event. */
	if (sure == PERF_NO || (sure == PERF_MAYBE && *line.ptr == ' ')) {
		if (!take_source_line(r, line))
			skip_line(r);
		return;
	}
	end_sample(r);
	begin_sample(r, &e);
}

void
perf_reader_block(struct perf_reader *r, struct slice block)
{
	const char *end = block.ptr + block.len, *next;

	while (block.len) {
		take_line(r, cut_line(&block));
		if (!r->began)
			continue;
		r->began = false;
		if (!block.len || *block.ptr != '\t')
			continue;
		next = take_frames(r, block);
		if (!next)
			continue;
		block = (struct slice){ next, (size_t)(end - next) };
	}
}

void
perf_reader_finish(struct perf_reader *r)
{
	end_sample(r);
	perf_table_free(&r->lines_met);
	perf_table_free(&r->chains_met);
	free(r->spans);
	free(r->met);
	free(r->known);
	free(r->ids);
	free(r->stack);
	free(r->made);
	buf_free(&r->last_comm);
	buf_free(&r->text);
	buf_free(&r->name);
}
