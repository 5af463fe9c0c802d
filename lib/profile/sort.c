/* SPDX-License-Identifier: MIT */
/*
 * Sorting stacks. Symbols get ranks in bytewise order first, so that stacks
 * compare as rows of integers; then a multikey quicksort (Bentley and
 * Sedgewick, "Fast Algorithms for Sorting and Searching Strings", 1997) works
 * on the rows frame by frame. Its stack of ranges is on the heap: stacks may
 * be 100,000 frames deep.
 */
#include "profile/profile.h"

#include "base/xalloc.h"

/*
 * Bytewise order of folded text: an inner frame's name is followed by ';', the
 * last one's by nothing, which sorts before anything. So each symbol has two
 * ranks, and "a b" comes before "a;b" but after a stack that ends in "a".
 */
struct key {
	struct slice name;
	uint64_t head; /* first 8 bytes, most significant first */
	uint32_t symbol;
	bool last;
};

static uint64_t
name_head(struct slice s, bool last)
{
	unsigned char b[8] = { 0 };
	size_t n = s.len < 8 ? s.len : 8;

	if (n)
		memcpy(b, s.ptr, n);
	if (n < 8 && !last)
		b[n] = ';';
	return __builtin_bswap64(*(uint64_t *)(void *)b);
}

/* The byte of a key at I, one past its text included; -1 is the end. */
static int
key_byte(const struct key *k, size_t i)
{
	if (i < k->name.len)
		return (unsigned char)k->name.ptr[i];
	return i == k->name.len && !k->last ? ';' : -1;
}

static int
compare_keys(const void *pa, const void *pb)
{
	const struct key *a = pa, *b = pb;
	size_t n = a->name.len < b->name.len ? a->name.len : b->name.len;
	int c;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	c = n ? memcmp(a->name.ptr, b->name.ptr, n) : 0;
	if (!c)
		c = key_byte(a, n) - key_byte(b, n);
	/* "a;" the name and "a" followed by ';': any fixed order will do. */
	if (!c)
		c = (a->symbol > b->symbol) - (a->symbol < b->symbol);
	return c ? c : b->last - a->last;
}

/* ranks[2 * symbol + last] */
static uint32_t *
rank_symbols(const struct intern *symbols)
{
	struct key *keys = xcalloc(symbols->n * 2, sizeof *keys);
	uint32_t *ranks = xcalloc(symbols->n * 2, sizeof *ranks);
	size_t i;

	for (i = 0; i < symbols->n * 2; i++) {
		struct slice name = symbols->names[i / 2];
		bool last = i & 1;

		keys[i] = (struct key){ name, name_head(name, last),
					(uint32_t)(i / 2), last };
	}
	qsort(keys, symbols->n * 2, sizeof *keys, compare_keys);
	for (i = 0; i < symbols->n * 2; i++)
		ranks[2 * keys[i].symbol + keys[i].last] = (uint32_t)i + 1;
	free(keys);
	return ranks;
}

/* A stack and its rank at the level being sorted, fetched once per level
 * since stacks lie scattered in memory. */
struct item {
	uint32_t rank, stack;
};

struct range {
	size_t lo, hi;
	uint32_t level;
};

struct sorter {
	const struct profile *p;
	const uint32_t *ranks;
	bool by_text;
	struct item *items;
	struct range *todo;
	size_t n_todo, cap_todo;
};

/* 0 behind the last frame, so that a shorter stack comes first. */
static uint32_t
rank_at(const struct sorter *s, uint32_t stack, uint32_t level)
{
	const struct profile_stack *st = &s->p->stacks[stack];
	bool last;

	if (level >= st->depth)
		return 0;
	last = s->by_text && level + 1 == st->depth;
	return s->ranks[2 * s->p->frames[st->first + level] + last];
}

static void
push(struct sorter *s, size_t lo, size_t hi, uint32_t level)
{
	if (hi - lo < 2)
		return;
	GROW(s->todo, s->cap_todo, s->n_todo + 1);
	s->todo[s->n_todo++] = (struct range){ lo, hi, level };
}

static int
compare_stacks(const struct sorter *s, struct item a, struct item b,
	       uint32_t level)
{
	for (;; level++) {
		if (a.rank != b.rank)
			return a.rank < b.rank ? -1 : 1;
		if (!a.rank)
			return 0;
		a.rank = rank_at(s, a.stack, level + 1);
		b.rank = rank_at(s, b.stack, level + 1);
	}
}

static void
insertion_sort(struct sorter *s, struct range r)
{
	size_t i, j;

	for (i = r.lo + 1; i < r.hi; i++) {
		struct item x = s->items[i];

		for (j = i; j > r.lo && compare_stacks(s, x, s->items[j - 1],
						       r.level) < 0;
		     j--)
			s->items[j] = s->items[j - 1];
		s->items[j] = x;
	}
}

static int
compare_ranks(const void *a, const void *b)
{
	uint32_t x = ((const struct item *)a)->rank;
	uint32_t y = ((const struct item *)b)->rank;

	return (x > y) - (x < y);
}

static bool
all_equal(const struct item *items, struct range r)
{
	size_t i;

	for (i = r.lo + 1; i < r.hi; i++)
		if (items[i].rank != items[r.lo].rank)
			return false;
	return true;
}

/* Sorts the range at its level and leaves the runs of equal ranks for the
 * next one. */
static void
sort_level(struct sorter *s, struct range r)
{
	size_t i, run;

	for (i = r.lo; i < r.hi; i++)
		s->items[i].rank = rank_at(s, s->items[i].stack, r.level);
	if (r.hi - r.lo <= 12) {
		insertion_sort(s, r);
		return;
	}
	if (!all_equal(s->items, r))
		qsort(s->items + r.lo, r.hi - r.lo, sizeof *s->items,
		      compare_ranks);
	for (run = i = r.lo; i <= r.hi; i++) {
		if (i < r.hi && s->items[i].rank == s->items[run].rank)
			continue;
		if (s->items[run].rank)
			push(s, run, i, r.level + 1);
		run = i;
	}
}

uint32_t *
profile_sort(const struct profile *p, enum profile_order order)
{
	uint32_t *ranks = rank_symbols(&p->symbols);
	uint32_t *out = xcalloc(p->n_stacks, sizeof *out);
	struct sorter s = { .p = p,
			    .ranks = ranks,
			    .by_text = order == PROFILE_BY_TEXT,
			    .items = xcalloc(p->n_stacks, sizeof *s.items) };
	size_t i;

	for (i = 0; i < p->n_stacks; i++)
		s.items[i].stack = (uint32_t)i;
	push(&s, 0, p->n_stacks, 0);
	while (s.n_todo)
		sort_level(&s, s.todo[--s.n_todo]);
	for (i = 0; i < p->n_stacks; i++)
		out[i] = s.items[i].stack;
	free(s.items);
	free(s.todo);
	free(ranks);
	return out;
}
