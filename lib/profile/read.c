/* SPDX-License-Identifier: MIT */
/*
 * Reading folded stacks. A first pass over some kilobytes marks where frames
 * and lines end, 64 bytes at a time; a second walks the marks and interns the
 * names. Large files are cut into parts, a thread each.
 */
#include "profile/profile.h"

#include <pthread.h>
#include <stdatomic.h>
#include "base/msg.h"
#include "base/hash.h"
#include "base/limit.h"
#include "base/number.h"
#include "base/xalloc.h"

/* What is marked at once: text and marks stay in the first-level cache. */
enum { SCAN = 16 * 1024 };
enum { MOST_THREADS = 8 };
/* Sums of whole numbers are exact, in any order, up to here. */
static const double exact = 9007199254740992.0;

struct reader {
	struct profile *p;
	bool two; /* columns in this input */
	/* Ends of frames and lines: offsets of ';' and newlines. */
	uint64_t *marks;
	size_t n_marks, cap_marks;
	struct slice *names; /* the frames of a line */
	size_t cap_names;
	/* This line's stack and the one before it, which is added only when
	 * this one has been read: until then memory looks for its place. */
	struct pending {
		uint32_t *ids;
		size_t n, cap;
		uint64_t hash;
		double v0, v1;
	} lines[2], *line, *last;
};

static void
reader_init(struct reader *r, struct profile *p, bool two)
{
	*r = (struct reader){ .p = p, .two = two };
	r->line = &r->lines[0];
	r->last = &r->lines[1];
}

static void
add_last(struct reader *r)
{
	const struct pending *last = r->last;

	if (last->n)
		profile_add_prepared(r->p, last->ids, last->n, last->hash,
				     last->v0, last->v1);
}

/* Adds what is pending, too. */
static void
reader_finish(struct reader *r)
{
	add_last(r);
	free(r->marks);
	free(r->names);
	free(r->lines[0].ids);
	free(r->lines[1].ids);
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

/* Whether every complete line of the first mebibyte, or the one line that
 * begins there, ends in two numbers. */
static bool
has_two_columns(struct input *in)
{
	struct slice rest = input_peek_line(in);
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

/* Bit I is set where byte I of 16 ends a frame or a line. */
static uint64_t
ends_in_16(const char *p, int at)
{
	__m128i v = hash_load(p, at);
	__m128i frame = _mm_cmpeq_epi8(v, _mm_set1_epi8(';'));
	__m128i line = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(frame, line));
}

static uint64_t
ends_in_64(const char *p)
{
	return ends_in_16(p, 0) | ends_in_16(p, 16) << 16 |
	       ends_in_16(p, 32) << 32 | ends_in_16(p, 48) << 48;
}

/* Population count without the instruction, which baseline x86-64 lacks. */
static unsigned
count_bits(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555u;
	v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (unsigned)(v * 0x0101010101010101u >> 56);
}

/* The lowest bit's number; any number when there is none. */
static uint64_t
take_bit(uint64_t *bits)
{
	uint64_t v = *bits;

	*bits = v & (v - 1);
	return (unsigned)__builtin_ctzll(v | (uint64_t)1 << 63);
}

/*
 * Marks TEXT[at, to); up to 64 bytes behind it are read. Marks are stored four
 * at a time, some of them for nothing: their number in 64 bytes is not to be
 * predicted, but rarely more than four.
 */
static void
mark_ends(struct reader *r, const char *text, size_t at, size_t to)
{
	uint64_t *out;

	GROW(r->marks, r->cap_marks, r->n_marks + (to - at) + 64);
	out = r->marks + r->n_marks;
	for (; at < to; at += 64) {
		uint64_t bits = ends_in_64(text + at);
		unsigned n, i;

		if (to - at < 64)
			bits &= ((uint64_t)1 << (to - at)) - 1;
		n = count_bits(bits);
		for (i = 0; i == 0 || i < n; i += 4) {
			out[i] = at + take_bit(&bits);
			out[i + 1] = at + take_bit(&bits);
			out[i + 2] = at + take_bit(&bits);
			out[i + 3] = at + take_bit(&bits);
		}
		out += n;
	}
	r->n_marks = (size_t)(out - r->marks);
}

/* Folded files are mostly sorted: how many frames, from the outermost on, are
 * those of the line before. */
static size_t
reuse_ids(const struct reader *r, size_t n)
{
	const struct slice *known = r->p->symbols.names;
	size_t i;

	if (n > r->last->n)
		n = r->last->n;
	for (i = 0; i < n; i++) {
		struct slice name = known[r->last->ids[i]];

		if (name.len != r->names[i].len ||
		    !hash_same_padded(name.ptr, r->names[i].ptr, name.len))
			break;
	}
	return i;
}

static void
intern_names(struct reader *r, size_t n)
{
	struct pending *line = r->line;
	size_t same = reuse_ids(r, n);

	GROW(line->ids, line->cap, n);
	if (same)
		memcpy(line->ids, r->last->ids, same * sizeof *line->ids);
	intern_add_padded(&r->p->symbols, r->names + same, n - same,
			  line->ids + same);
	line->n = n;
}

static void
add_line(struct reader *r, double v0, double v1)
{
	struct pending *line = r->line;

	line->v0 = v0;
	line->v1 = v1;
	line->hash = profile_prepare(r->p, line->ids, line->n);
	add_last(r);
	r->line = r->last;
	r->last = line;
}

/* MARKS: the N ends of frames within the line. */
static void
read_line(struct reader *r, struct slice line, const char *text,
	  const uint64_t *marks, size_t n)
{
	const char *at = line.ptr;
	double v0, v1 = 0;
	size_t i;

	line = trim_end(line);
	if (!line.len)
		return;
	if (!cut_value(&line, &v0) ||
	    (r->two && (v1 = v0, !cut_value(&line, &v0)))) {
		r->p->skipped_lines++;
		return;
	}
	r->p->lines++;
	if (!r->two && r->p->columns == 2)
		v1 = v0;
	/* The values were numbers, so all marks lie in front of them. */
	GROW(r->names, r->cap_names, n + 1);
	for (i = 0; i < n; i++) {
		r->names[i].ptr = at;
		r->names[i].len = (size_t)(text + marks[i] - at);
		at = text + marks[i] + 1;
	}
	r->names[n].ptr = at;
	r->names[n].len = (size_t)(line.ptr + line.len - at);
	intern_names(r, n + 1);
	add_line(r, v0, v1);
}

/* Reads the lines that marks from index SEEN on complete; the first begins at
 * FROM. Returns where the line begins that is not yet complete. */
static size_t
read_marked_lines(struct reader *r, const char *text, size_t from, size_t seen)
{
	size_t first = 0, i;

	for (i = seen; i < r->n_marks; i++) {
		size_t at = r->marks[i];

		if (text[at] != '\n')
			continue;
		read_line(r, (struct slice){ text + from, at - from }, text,
			  r->marks + first, i - first);
		from = at + 1;
		first = i + 1;
	}
	r->n_marks -= first;
	if (first && r->n_marks)
		memmove(r->marks, r->marks + first,
			r->n_marks * sizeof *r->marks);
	return from;
}

static void
read_block(struct reader *r, struct slice block)
{
	size_t at, to, from = 0;

	r->n_marks = 0;
	for (at = 0; at < block.len; at = to) {
		size_t seen = r->n_marks;

		to = block.len - at < SCAN ? block.len : at + SCAN;
		mark_ends(r, block.ptr, at, to);
		from = read_marked_lines(r, block.ptr, from, seen);
	}
	if (from < block.len)
		read_line(r,
			  (struct slice){ block.ptr + from, block.len - from },
			  block.ptr, r->marks, r->n_marks);
}

/* A part of a file, read into a profile of its own. */
struct part {
	struct input *in;
	struct profile profile;
	bool two, threaded;
	pthread_t thread;
	atomic_bool *give_up;
};

static bool
is_exact(const struct profile *p)
{
	return !p->inexact && p->magnitude < exact;
}

static void *
read_part(void *arg)
{
	struct part *part = arg;
	struct reader r;
	struct slice block;

	reader_init(&r, &part->profile, part->two);
	while (!atomic_load(part->give_up) && input_block(part->in, &block)) {
		read_block(&r, block);
		if (!is_exact(&part->profile))
			atomic_store(part->give_up, true);
	}
	reader_finish(&r);
	return NULL;
}

static void
run_parts(struct part *parts, int n)
{
	int i;

	for (i = 1; i < n; i++)
		parts[i].threaded = !pthread_create(&parts[i].thread, NULL,
						    read_part, &parts[i]);
	read_part(&parts[0]);
	for (i = 1; i < n; i++) {
		if (parts[i].threaded)
			pthread_join(parts[i].thread, NULL);
		else
			read_part(&parts[i]);
	}
}

/* Whether sums that were made part by part, then added to P, are exact. */
static bool
all_exact(const struct profile *p, const struct part *parts, int n)
{
	double magnitude = p->magnitude;
	int i;

	for (i = 0; i < n; i++) {
		if (parts[i].profile.inexact)
			return false;
		magnitude += parts[i].profile.magnitude;
	}
	return !p->inexact && magnitude < exact;
}

static void
keep_part(struct profile *p, struct input *in, struct part *part)
{
	if (p->symbols.n || p->n_stacks) {
		profile_merge(p, &part->profile);
	} else {
		part->profile.lines += p->lines;
		part->profile.skipped_lines += p->skipped_lines;
		profile_free(p);
		*p = part->profile;
	}
	input_join(in, part->in);
}

/* False, with nothing read, when the input is not to be split or holds values
 * whose sum depends on the order. */
static bool
read_in_parts(struct profile *p, struct input *in, bool two)
{
	struct input *inputs[MOST_THREADS];
	struct part parts[MOST_THREADS] = { 0 };
	atomic_bool give_up = !is_exact(p);
	int most = p->in_order ? 0 : usable_processors(MOST_THREADS);
	int n = input_split(in, most, inputs), i;
	bool good;

	for (i = 0; i < n; i++) {
		parts[i] = (struct part){ .in = inputs[i],
					  .profile.columns = p->columns,
					  .two = two,
					  .give_up = &give_up };
		/* The first one will hold all. */
		profile_reserve(&parts[i].profile,
				input_left(i ? inputs[i] : in));
	}
	if (n)
		run_parts(parts, n);
	good = n && !give_up && all_exact(p, parts, n);
	for (i = 0; i < n; i++) {
		if (good) {
			keep_part(p, in, &parts[i]);
			continue;
		}
		profile_free(&parts[i].profile);
		input_drop(parts[i].in);
	}
	return good;
}

static void
read_whole(struct profile *p, struct input *in)
{
	bool two = has_two_columns(in);
	struct reader r;
	struct slice block;

	if (two || !p->columns)
		p->columns = two ? 2 : 1;
	if (read_in_parts(p, in, two))
		return;
	profile_reserve(p, input_left(in));
	reader_init(&r, p, two);
	while (input_block(in, &block))
		read_block(&r, block);
	reader_finish(&r);
}

#define STACK_FORM "a folded stack is 'outermost;...;innermost VALUE'"

void
profile_read(struct profile *p, struct input *in)
{
	uint64_t lines = p->lines, skipped = p->skipped_lines;

	read_whole(p, in);
	skipped = p->skipped_lines - skipped;
	if (skipped && p->lines == lines)
		trouble("%s: there is no folded stack in it; " STACK_FORM,
			input_name(in));
	else if (skipped)
		warning("%s: %llu line%s without a value skipped; " STACK_FORM,
			input_name(in), (unsigned long long)skipped,
			skipped == 1 ? "" : "s");
}
