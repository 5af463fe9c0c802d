/* SPDX-License-Identifier: MIT */
#include "profile/profile.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"

static uint64_t
slot_of(uint64_t hash, size_t index)
{
	return (hash & ~(uint64_t)UINT32_MAX) | (index + 1);
}

static void
rehash(struct profile *p, size_t n_slots)
{
	uint64_t *old = p->slots;
	size_t old_n = old ? p->mask + 1 : 0, i, at;

	p->slots = xcalloc(n_slots, sizeof *p->slots);
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
	       (!depth || !memcmp(p->frames + s->first, frames,
				  depth * sizeof *frames));
}

static struct profile_stack *
new_stack(struct profile *p, const uint32_t *frames, size_t depth,
	  uint64_t hash)
{
	struct profile_stack *s;

	if (p->n_stacks >= UINT32_MAX - 1 || depth > UINT32_MAX)
		die("more than 4 billion distinct stacks");
	GROW(p->stacks, p->cap_stacks, p->n_stacks + 1);
	GROW(p->frames, p->cap_frames, p->n_frames + depth);
	s = &p->stacks[p->n_stacks++];
	*s = (struct profile_stack){ .first = p->n_frames,
				     .depth = (uint32_t)depth,
				     .tag = (uint32_t)hash };
	if (depth)
		memcpy(p->frames + p->n_frames, frames,
		       depth * sizeof *frames);
	p->n_frames += depth;
	return s;
}

static struct profile_stack *
find_or_add(struct profile *p, const uint32_t *frames, size_t depth)
{
	uint64_t hash = hash_bytes(frames, depth * sizeof *frames), slot;
	struct profile_stack *s;
	size_t at;

	if (p->n_stacks + 1 > p->mask / 2)
		rehash(p, p->mask ? (p->mask + 1) * 2 : 1024);
	for (at = hash & p->mask; (slot = p->slots[at]);
	     at = (at + 1) & p->mask) {
		s = &p->stacks[(uint32_t)slot - 1];
		if (slot >> 32 == hash >> 32 && is_stack(p, s, frames, depth))
			return s;
	}
	p->slots[at] = slot_of(hash, p->n_stacks);
	return new_stack(p, frames, depth, hash);
}

void
profile_add(struct profile *p, const uint32_t *frames, size_t depth,
	    double value0, double value1)
{
	struct profile_stack *s = find_or_add(p, frames, depth);

	s->value[0] += value0;
	s->value[1] += value1;
	p->total[0] += value0;
	p->total[1] += value1;
}

/* Cuts the last blank-separated field off LINE when it is a number. */
static bool
cut_value(struct slice *line, double *value)
{
	const char *blank = memrchr(line->ptr, ' ', line->len);
	struct slice field;

	if (!blank)
		return false;
	field.ptr = blank + 1;
	field.len = (size_t)(line->ptr + line->len - field.ptr);
	if (!parse_value(field, value))
		return false;
	line->len = (size_t)(blank - line->ptr);
	return true;
}

static struct slice
trim_end(struct slice s)
{
	while (s.len && (s.ptr[s.len - 1] == '\r' || s.ptr[s.len - 1] == ' ' ||
			 s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Whether every complete line of the first mebibyte ends in two numbers. */
static bool
has_two_columns(struct input *in)
{
	struct slice rest = input_peek(in);
	bool seen = false;

	while (rest.len) {
		struct slice line = slice_cut(&rest, '\n');
		double value;

		if (!rest.ptr && seen)
			break; /* may be incomplete */
		line = trim_end(line);
		if (!line.len)
			continue;
		if (!cut_value(&line, &value) || !cut_value(&line, &value))
			return false;
		seen = true;
	}
	return seen;
}

/* Frame ids of the line being read; grows as needed. */
struct frames {
	uint32_t *ids;
	size_t n, cap;
};

static void
split_frames(struct profile *p, struct slice stack, struct frames *f)
{
	const char *at = stack.ptr, *end = at + stack.len;

	f->n = 0;
	for (;;) {
		const char *semi = memchr(at, ';', (size_t)(end - at));
		struct slice name = { at, (size_t)((semi ? semi : end) - at) };

		GROW(f->ids, f->cap, f->n + 1);
		f->ids[f->n++] = intern_add(&p->symbols, name);
		if (!semi)
			return;
		at = semi + 1;
	}
}

static void
read_line(struct profile *p, struct slice line, bool two, struct frames *f)
{
	double v0, v1 = 0;

	line = trim_end(line);
	if (!line.len)
		return;
	if (!cut_value(&line, &v0) || (two && (v1 = v0, !cut_value(&line, &v0)))) {
		p->skipped_lines++;
		return;
	}
	if (!two && p->columns == 2)
		v1 = v0;
	split_frames(p, line, f);
	profile_add(p, f->ids, f->n, v0, v1);
}

void
profile_read(struct profile *p, struct input *in)
{
	struct frames f = { 0 };
	struct slice line;
	bool two = has_two_columns(in);

	if (two || !p->columns)
		p->columns = two ? 2 : 1;
	while (input_line(in, &line))
		read_line(p, line, two, &f);
	free(f.ids);
}

void
profile_report_skipped(const struct profile *p)
{
	if (p->skipped_lines)
		warning("%llu line%s without a value skipped: a folded stack "
			"is 'outermost;...;innermost VALUE'",
			(unsigned long long)p->skipped_lines,
			p->skipped_lines == 1 ? "" : "s");
}

static void
write_stack(const struct profile *p, const struct profile_stack *s,
	    struct buf *b)
{
	uint32_t i;

	buf_clear(b);
	for (i = 0; i < s->depth; i++) {
		if (i)
			buf_char(b, ';');
		buf_slice(b, intern_get(&p->symbols, p->frames[s->first + i]));
	}
	buf_char(b, ' ');
	buf_number(b, s->value[0]);
	if (p->columns == 2) {
		buf_char(b, ' ');
		buf_number(b, s->value[1]);
	}
	buf_char(b, '\n');
}

void
profile_write(const struct profile *p, struct output *out)
{
	uint32_t *order = profile_sort(p, PROFILE_BY_TEXT);
	struct buf b = { 0 };
	size_t i;

	for (i = 0; i < p->n_stacks; i++) {
		const struct profile_stack *s = &p->stacks[order[i]];

		if (s->value[0] == 0 && s->value[1] == 0)
			continue;
		write_stack(p, s, &b);
		output_slice(out, buf_get(&b));
	}
	buf_free(&b);
	free(order);
}

void
profile_free(struct profile *p)
{
	intern_free(&p->symbols);
	free(p->frames);
	free(p->stacks);
	free(p->slots);
	*p = (struct profile){ 0 };
}
