/* SPDX-License-Identifier: MIT */
#include "profile/profile.h"

#include <math.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/msg.h"
#include "base/pages.h"
#include "base/xalloc.h"

static uint64_t
slot_of(uint64_t hash, size_t index)
{
	return (hash & ~(uint64_t)UINT32_MAX) | (index + 1);
}

/* Text rarely has less than this for a frame, and for a stack. */
enum { FRAME_TEXT = 8, STACK_TEXT = 64 };

void
profile_reserve(struct profile *p, uint64_t bytes)
{
	uint64_t frames = bytes / FRAME_TEXT, stacks = bytes / STACK_TEXT;

	if (p->cap_frames || p->cap_stacks)
		return;
	p->frames = pages_reserve(frames * sizeof *p->frames);
	p->cap_frames = p->frames ? frames : 0;
	p->stacks = pages_reserve(stacks * sizeof *p->stacks);
	p->cap_stacks = p->stacks ? stacks : 0;
}

static void
rehash(struct profile *p, size_t n_slots)
{
	uint64_t *old = p->slots;
	size_t old_n = old ? p->mask + 1 : 0, i, at;

	p->slots = pages_calloc(n_slots, sizeof *p->slots);
	p->mask = n_slots - 1;
	for (i = 0; i < old_n; i++) {
		if (!old[i])
			continue;
		/* The slot has the hash's upper half, the stack its lower. */
		at = p->stacks[(uint32_t)old[i] - 1].tag & p->mask;
		while (p->slots[at])
			at = (at + 1) & p->mask;
		p->slots[at] = old[i];
	}
	free(old);
}

static bool
is_stack(const struct profile *p, const struct profile_stack *s,
	 const uint32_t *frames, size_t depth)
{
	return s->depth == depth &&
	       (!depth ||
		!memcmp(p->frames + s->first, frames, depth * sizeof *frames));
}

static struct profile_stack *
new_stack(struct profile *p, const uint32_t *frames, size_t depth,
	  uint64_t hash)
{
	struct profile_stack *s;

	if (p->n_stacks >= UINT32_MAX - 1 || depth > UINT32_MAX)
		die("more than 4 billion distinct stacks");
	PAGES_GROW(p->stacks, p->cap_stacks, p->n_stacks, p->n_stacks + 1);
	PAGES_GROW(p->frames, p->cap_frames, p->n_frames, p->n_frames + depth);
	s = &p->stacks[p->n_stacks++];
	*s = (struct profile_stack){ .first = p->n_frames,
				     .depth = (uint32_t)depth,
				     .tag = (uint32_t)hash };
	if (depth)
		memcpy(p->frames + p->n_frames, frames, depth * sizeof *frames);
	p->n_frames += depth;
	return s;
}

static struct profile_stack *
find_or_add(struct profile *p, const uint32_t *frames, size_t depth,
	    uint64_t hash)
{
	uint64_t slot;
	struct profile_stack *s;
	size_t at;

	if (p->n_stacks + 1 > p->mask / 2)
		rehash(p, p->mask ? (p->mask + 1) * 4 : 1024);
	for (at = hash & p->mask; (slot = p->slots[at]);
	     at = (at + 1) & p->mask) {
		s = &p->stacks[(uint32_t)slot - 1];
		if (slot >> 32 == hash >> 32 && is_stack(p, s, frames, depth))
			return s;
	}
	p->slots[at] = slot_of(hash, p->n_stacks);
	return new_stack(p, frames, depth, hash);
}

static void
add_run(struct profile *p, uint32_t stack, const double values[2])
{
	struct profile_run *last = p->n_runs ? &p->runs[p->n_runs - 1] : NULL;

	if (!last || last->stack != stack) {
		GROW(p->runs, p->cap_runs, p->n_runs + 1);
		last = &p->runs[p->n_runs++];
		*last = (struct profile_run){ .stack = stack };
	}
	last->value[0] += values[0];
	last->value[1] += values[1];
}

static void
add_to(struct profile *p, struct profile_stack *s, const double values[2])
{
	s->value[0] += values[0];
	s->value[1] += values[1];
	if (p->in_order)
		add_run(p, (uint32_t)(s - p->stacks), values);
}

uint64_t
profile_prepare(const struct profile *p, const uint32_t *frames, size_t depth)
{
	uint64_t hash = hash_bytes(frames, depth * sizeof *frames);

	if (p->slots)
		__builtin_prefetch(&p->slots[hash & p->mask]);
	return hash;
}

static void
count(struct profile *p, struct profile_stack *s, double value0, double value1)
{
	add_to(p, s, (double[]){ value0, value1 });
	p->total[0] += value0;
	p->total[1] += value1;
	p->magnitude += fabs(value0) + fabs(value1);
	if (value0 != rint(value0) || value1 != rint(value1))
		p->inexact = true;
}

void
profile_add_prepared(struct profile *p, const uint32_t *frames, size_t depth,
		     uint64_t hash, double value0, double value1)
{
	count(p, find_or_add(p, frames, depth, hash), value0, value1);
}

uint32_t
profile_find(struct profile *p, const uint32_t *frames, size_t depth)
{
	uint64_t hash = profile_prepare(p, frames, depth);

	return (uint32_t)(find_or_add(p, frames, depth, hash) - p->stacks);
}

void
profile_count(struct profile *p, uint32_t stack, double value0, double value1)
{
	count(p, &p->stacks[stack], value0, value1);
}

void
profile_add(struct profile *p, const uint32_t *frames, size_t depth,
	    double value0, double value1)
{
	profile_add_prepared(p, frames, depth,
			     profile_prepare(p, frames, depth), value0, value1);
}

static void
add_totals(struct profile *p, const struct profile *from)
{
	p->total[0] += from->total[0];
	p->total[1] += from->total[1];
	p->magnitude += from->magnitude;
	p->inexact = p->inexact || from->inexact;
	p->lines += from->lines;
	p->skipped_lines += from->skipped_lines;
	if (from->columns > p->columns)
		p->columns = from->columns;
}

/* Stacks prepared before the first of them is added. */
enum { AHEAD = 8 };

static void
merge_stacks(struct profile *p, const struct profile *from)
{
	const struct profile_stack *s = from->stacks;
	uint64_t hashes[AHEAD];
	size_t i;

	for (i = 0; i < from->n_stacks + AHEAD; i++) {
		uint64_t *hash = &hashes[i % AHEAD];

		if (i >= AHEAD)
			add_to(p,
			       find_or_add(p, from->frames + s[i - AHEAD].first,
					   s[i - AHEAD].depth, *hash),
			       s[i - AHEAD].value);
		if (i < from->n_stacks)
			*hash = profile_prepare(p, from->frames + s[i].first,
						s[i].depth);
	}
}

static void
merge_runs(struct profile *p, const struct profile *from)
{
	size_t i;

	for (i = 0; i < from->n_runs; i++) {
		const struct profile_run *run = &from->runs[i];
		const struct profile_stack *s = &from->stacks[run->stack];
		const uint32_t *frames = from->frames + s->first;

		add_to(p,
		       find_or_add(p, frames, s->depth,
				   profile_prepare(p, frames, s->depth)),
		       run->value);
	}
}

void
profile_merge(struct profile *p, struct profile *from)
{
	uint32_t *ids = xcalloc(from->symbols.n, sizeof *ids);
	size_t i;

	for (i = 0; i < from->symbols.n; i++)
		ids[i] = intern_add(&p->symbols,
				    intern_get(&from->symbols, (uint32_t)i));
	for (i = 0; i < from->n_frames; i++)
		from->frames[i] = ids[from->frames[i]];
	if (p->in_order)
		merge_runs(p, from);
	else
		merge_stacks(p, from);
	add_totals(p, from);
	free(ids);
	profile_free(from);
}

/* Interned names are padded, so a short one is a copy of constant size. */
static void
add_frame(struct buf *b, struct slice name)
{
	if (b->cap - b->len < name.len + HASH_STRIPE + 1)
		buf_reserve(b, name.len + HASH_STRIPE + 1);
	memcpy(b->ptr + b->len, name.ptr, HASH_STRIPE);
	if (name.len > HASH_STRIPE)
		memcpy(b->ptr + b->len, name.ptr, name.len);
	b->len += name.len;
	b->ptr[b->len++] = ';';
}

static void
write_stack(const struct profile *p, uint32_t stack, const double value[2],
	    struct buf *b)
{
	const struct profile_stack *s = &p->stacks[stack];
	const uint32_t *frames = p->frames + s->first;
	uint32_t i;

	if (value[0] == 0 && value[1] == 0)
		return;
	for (i = 0; i < s->depth; i++)
		add_frame(b, intern_get(&p->symbols, frames[i]));
	if (s->depth)
		b->len--;
	buf_char(b, ' ');
	buf_number(b, value[0]);
	if (p->columns == 2) {
		buf_char(b, ' ');
		buf_number(b, value[1]);
	}
	buf_char(b, '\n');
}

enum { WRITE_BLOCK = 64 * 1024 };

static void
flush(struct buf *b, size_t limit, struct output *out)
{
	if (b->len < limit)
		return;
	output_slice(out, buf_get(b));
	buf_clear(b);
}

static void
write_runs(const struct profile *p, struct buf *b, struct output *out)
{
	size_t i;

	for (i = 0; i < p->n_runs; i++) {
		write_stack(p, p->runs[i].stack, p->runs[i].value, b);
		flush(b, WRITE_BLOCK, out);
	}
}

static void
write_sorted(const struct profile *p, struct buf *b, struct output *out)
{
	uint32_t *order = profile_sort(p, PROFILE_BY_TEXT);
	size_t i;

	for (i = 0; i < p->n_stacks; i++) {
		write_stack(p, order[i], p->stacks[order[i]].value, b);
		flush(b, WRITE_BLOCK, out);
	}
	free(order);
}

void
profile_write(const struct profile *p, struct output *out)
{
	struct buf b = { 0 };

	if (p->in_order)
		write_runs(p, &b, out);
	else
		write_sorted(p, &b, out);
	flush(&b, 0, out);
	buf_free(&b);
}

void
profile_free(struct profile *p)
{
	intern_free(&p->symbols);
	free(p->frames);
	free(p->stacks);
	free(p->slots);
	free(p->runs);
	*p = (struct profile){ 0 };
}
