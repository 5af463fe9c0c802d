/* SPDX-License-Identifier: MIT */
/*
 * Sorting stacks. Symbols get ranks in bytewise order first, so that stacks
 * are rows of small integers. Then both sorts work the same way: several
 * elements of a row at once are packed into a key of 64 bits, a range is
 * sorted by its keys, and runs of equal keys are ranges for the next
 * elements. It goes round by round, not range by range: most ranges are short,
 * and memory can be asked for what lies in the ones to come.
 */
#include "profile/profile.h"

#include "base/msg.h"
#include "base/pages.h"

struct item {
	uint64_t key;
	uint32_t id;
};

struct range {
	uint32_t lo, hi;
};

struct ranges {
	struct range *at;
	size_t n, cap;
};

struct sorter {
	struct item *items, *spare;
	size_t n;
	struct ranges now, next; /* of this round, and of the one after it */
};

static void
push(struct sorter *s, size_t lo, size_t hi)
{
	struct ranges *next = &s->next;

	if (hi - lo < 2)
		return;
	GROW(next->at, next->cap, next->n + 1);
	next->at[next->n++] = (struct range){ (uint32_t)lo, (uint32_t)hi };
}

static void
sorter_init(struct sorter *s, size_t n)
{
	if (n > UINT32_MAX)
		die("more than 4 billion things to sort");
	*s = (struct sorter){ .items = pages_calloc(n, sizeof *s->items),
			      .spare = pages_alloc(n * sizeof *s->spare),
			      .n = n };
	push(s, 0, n);
}

static bool
next_round(struct sorter *s)
{
	struct ranges done = s->now;

	s->now = s->next;
	s->next = done;
	s->next.n = 0;
	return s->now.n > 0;
}

static void
sorter_free(struct sorter *s)
{
	free(s->items);
	free(s->spare);
	free(s->now.at);
	free(s->next.at);
}

/* Where the run of equal keys that begins at LO ends. */
static size_t
run_end(const struct sorter *s, size_t lo, size_t hi)
{
	size_t i = lo + 1;

	while (i < hi && s->items[i].key == s->items[lo].key)
		i++;
	return i;
}

static void
insertion_sort(struct item *items, size_t n)
{
	size_t i, j;

	for (i = 1; i < n; i++) {
		struct item x = items[i];

		for (j = i; j > 0 && items[j - 1].key > x.key; j--)
			items[j] = items[j - 1];
		items[j] = x;
	}
}

/* Scatters by one byte of the keys; false when they all have the same. */
static bool
radix_pass(const struct item *from, struct item *to, size_t n, int shift)
{
	size_t count[257] = { 0 }, i;

	for (i = 0; i < n; i++)
		count[(from[i].key >> shift & 255) + 1]++;
	if (count[(from[0].key >> shift & 255) + 1] == n)
		return false;
	for (i = 0; i < 255; i++)
		count[i + 1] += count[i];
	for (i = 0; i < n; i++)
		to[count[from[i].key >> shift & 255]++] = from[i];
	return true;
}

/* Least significant byte first, of those that differ at all. */
static void
radix_sort(struct item *items, struct item *spare, size_t n, uint64_t differ)
{
	struct item *from = items, *to = spare, *other;
	int shift;

	for (shift = 0; shift < 64; shift += 8) {
		if (!(differ >> shift & 255) || !radix_pass(from, to, n, shift))
			continue;
		other = from;
		from = to;
		to = other;
	}
	if (from != items)
		memcpy(items, from, n * sizeof *items);
}

static void
merge_sort(struct item *items, struct item *spare, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k;

	if (n <= 24) {
		insertion_sort(items, n);
		return;
	}
	merge_sort(items, spare, half);
	merge_sort(items + half, spare, n - half);
	memcpy(spare, items, half * sizeof *items);
	for (k = 0; i < half && j < n; k++)
		items[k] =
			items[j].key < spare[i].key ? items[j++] : spare[i++];
	memcpy(items + k, spare + i, (half - i) * sizeof *items);
}

static void
sort_keys(struct sorter *s, size_t lo, size_t hi)
{
	struct item *items = s->items + lo;
	size_t n = hi - lo, i;
	uint64_t differ = 0;

	for (i = 1; i < n; i++)
		differ |= items[i].key ^ items[0].key;
	if (!differ)
		return;
	if (n < 400)
		merge_sort(items, s->spare, n);
	else
		radix_sort(items, s->spare, n, differ);
}

/* ---- symbols */

/*
 * Bytewise order of folded text: an inner frame's name is followed by ';', the
 * last one's by nothing, which sorts before anything. So in that order each
 * symbol has two ranks, and "a b" comes before "a;b" but after a stack that
 * ends in "a". Item 2 * symbol + 1 is the symbol as a last frame; frame by
 * frame, all are.
 */
static size_t
text_length(const struct intern *symbols, uint32_t id)
{
	return symbols->names[id / 2].len + !(id & 1);
}

static uint64_t
text_key(const struct intern *symbols, uint32_t id, size_t level)
{
	struct slice name = symbols->names[id / 2];
	size_t at = level * sizeof(uint64_t), n;
	uint64_t key = 0;

	if (at + sizeof key <= name.len)
		return __builtin_bswap64(hash_load64(name.ptr + at));
	n = at < name.len ? name.len - at : 0;
	if (n)
		memcpy(&key, name.ptr + at, n);
	if (!(id & 1) && at <= name.len)
		((unsigned char *)&key)[n] = ';';
	return __builtin_bswap64(key);
}

/* Equal keys: names that end within them come first, shorter ones before
 * longer ones (they differ in NUL bytes), the others go on. */
static void
push_names(struct sorter *s, const struct intern *symbols, size_t lo, size_t hi,
	   size_t level)
{
	size_t i, next = (level + 1) * sizeof(uint64_t);

	if (hi - lo < 2)
		return;
	for (i = lo; i < hi; i++) {
		size_t len = text_length(symbols, s->items[i].id);

		s->items[i].key = len <= next ? len : UINT64_MAX;
	}
	sort_keys(s, lo, hi);
	for (i = lo; i < hi && s->items[i].key != UINT64_MAX; i++)
		;
	push(s, i, hi);
}

static void
sort_names(struct sorter *s, const struct intern *symbols)
{
	size_t level, k, i, end;

	for (level = 0; next_round(s); level++) {
		for (k = 0; k < s->now.n; k++) {
			struct range r = s->now.at[k];

			for (i = r.lo; i < r.hi; i++)
				s->items[i].key = text_key(
					symbols, s->items[i].id, level);
			sort_keys(s, r.lo, r.hi);
			for (i = r.lo; i < r.hi; i = end) {
				end = run_end(s, i, r.hi);
				push_names(s, symbols, i, end, level);
			}
		}
	}
}

/* ranks[2 * symbol + last], from 1 */
static uint32_t *
rank_symbols(const struct intern *symbols, bool by_text)
{
	uint32_t *ranks = xcalloc(symbols->n * 2, sizeof *ranks);
	size_t n = by_text ? symbols->n * 2 : symbols->n, i;
	struct sorter s;

	sorter_init(&s, n);
	for (i = 0; i < n; i++)
		s.items[i].id = (uint32_t)(by_text ? i : 2 * i + 1);
	sort_names(&s, symbols);
	for (i = 0; i < n; i++) {
		uint32_t id = s.items[i].id;

		ranks[id] = (uint32_t)i + 1;
		if (!by_text)
			ranks[id - 1] = (uint32_t)i + 1;
	}
	sorter_free(&s);
	return ranks;
}

/* ---- stacks */

struct rows {
	const struct profile *p;
	const uint32_t *ranks;
	int bits;	 /* of a rank */
	size_t step;	 /* ranks in a key */
	uint64_t *early; /* keys of the first rounds, EARLY for a stack */
};

/* Keys made while the stacks are in the order of memory; most need no more. */
enum { EARLY = 4 };

/* Ranks are 0 behind the last frame, so that a shorter stack comes first. */
static uint64_t
row_key(const struct rows *rows, uint32_t stack, size_t level)
{
	const struct profile_stack *s = &rows->p->stacks[stack];
	const uint32_t *frames = rows->p->frames + s->first;
	uint64_t key = 0;
	size_t i;

	for (i = level; i < level + rows->step; i++) {
		uint32_t rank = 0;

		if (i < s->depth)
			rank = rows->ranks[2 * (size_t)frames[i] +
					   (i + 1 == s->depth)];
		key = key << rows->bits | rank;
	}
	return key;
}

/* Far enough ahead for memory to answer. */
enum { AHEAD = 16 };

static void
prefetch_row(const struct sorter *s, const struct rows *rows, size_t i,
	     size_t level)
{
	const struct profile *p = rows->p;

	if (i + 2 * AHEAD >= s->n)
		return;
	__builtin_prefetch(&p->stacks[s->items[i + 2 * AHEAD].id]);
	__builtin_prefetch(p->frames + p->stacks[s->items[i + AHEAD].id].first +
			   level);
}

static void
make_early_keys(struct rows *rows)
{
	size_t n = rows->p->n_stacks, i, k;

	rows->early = pages_alloc(n * EARLY * sizeof *rows->early);
	for (i = 0; i < n; i++)
		for (k = 0; k < EARLY; k++)
			rows->early[i * EARLY + k] =
				row_key(rows, (uint32_t)i, k * rows->step);
}

static void
fetch_early_keys(struct sorter *s, const struct rows *rows, size_t round)
{
	size_t k, i;

	for (k = 0; k < s->now.n; k++) {
		struct range r = s->now.at[k];

		for (i = r.lo; i < r.hi; i++)
			s->items[i].key =
				rows->early[s->items[i].id * (size_t)EARLY +
					    round];
	}
}

static void
fetch_keys(struct sorter *s, const struct rows *rows, size_t level)
{
	size_t k, i;

	if (level / rows->step < EARLY) {
		fetch_early_keys(s, rows, level / rows->step);
		return;
	}

	for (k = 0; k < s->now.n; k++) {
		struct range r = s->now.at[k];

		for (i = r.lo; i < r.hi; i++) {
			prefetch_row(s, rows, i, level);
			s->items[i].key = row_key(rows, s->items[i].id, level);
		}
	}
}

static void
sort_rows(struct sorter *s, const struct rows *rows)
{
	uint64_t last = ((uint64_t)1 << rows->bits) - 1;
	size_t level, k, i, end;

	for (level = 0; next_round(s); level += rows->step) {
		fetch_keys(s, rows, level);
		for (k = 0; k < s->now.n; k++) {
			struct range r = s->now.at[k];

			sort_keys(s, r.lo, r.hi);
			for (i = r.lo; i < r.hi; i = end) {
				end = run_end(s, i, r.hi);
				if (s->items[i].key & last)
					push(s, i, end);
			}
		}
	}
}

uint32_t *
profile_sort(const struct profile *p, enum profile_order order)
{
	bool by_text = order == PROFILE_BY_TEXT;
	uint32_t *ranks = rank_symbols(&p->symbols, by_text);
	uint32_t *out = xcalloc(p->n_stacks, sizeof *out);
	struct rows rows = { .p = p, .ranks = ranks, .bits = 1 };
	struct sorter s;
	size_t i;

	while (rows.bits < 33 && p->symbols.n * 2 >> rows.bits)
		rows.bits++;
	rows.step = (size_t)(64 / rows.bits);
	make_early_keys(&rows);
	sorter_init(&s, p->n_stacks);
	for (i = 0; i < p->n_stacks; i++)
		s.items[i].id = (uint32_t)i;
	sort_rows(&s, &rows);
	for (i = 0; i < p->n_stacks; i++)
		out[i] = s.items[i].id;
	sorter_free(&s);
	free(rows.early);
	free(ranks);
	return out;
}
