/* SPDX-License-Identifier: MIT */
#include "symbol/table.h"

#include <stdlib.h>
#include "base/xalloc.h"
#include "symbol/radix.h"

enum {
	PAGE = 4096,
	DIGIT_BITS = 11,
	DIGITS = 1 << DIGIT_BITS,
	/* Functions do not nest deeper; a forged table might. */
	MAX_NESTING = 64,
};

void
symbol_table_add_symbol(struct symbol_table *t, struct table_symbol s)
{
	if (!s.size || !s.name.len)
		return;
	if (s.size > UINT64_MAX - s.addr)
		s.size = UINT64_MAX - s.addr;
	GROW(t->symbols, t->cap, t->n + 1);
	t->symbols[t->n++] = s;
}

static void
sort_digit(const struct radix_key *from, struct radix_key *to, size_t n,
	   unsigned shift)
{
	size_t at[DIGITS] = { 0 }, sum = 0, i;

	for (i = 0; i < n; i++)
		at[from[i].key >> shift & (DIGITS - 1)]++;
	for (i = 0; i < DIGITS; i++) {
		size_t count = at[i];

		at[i] = sum;
		sum += count;
	}
	for (i = 0; i < n; i++)
		to[at[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

void
radix_sort(struct radix_key *a, struct radix_key *b, size_t n)
{
	struct radix_key *from = a, *to = b, *swap;
	uint64_t varying = 0;
	unsigned shift;
	size_t i;

	for (i = 1; i < n; i++)
		varying |= a[i].key ^ a[0].key;
	for (shift = 0; shift < 64; shift += DIGIT_BITS) {
		if (!(varying >> shift & (DIGITS - 1)))
			continue;
		sort_digit(from, to, n, shift);
		swap = from;
		from = to;
		to = swap;
	}
	if (from != a && n)
		memcpy(a, from, n * sizeof *a);
}

static bool
is_sorted(const struct symbol_table *t)
{
	size_t i;

	for (i = 1; i < t->n; i++)
		if (t->symbols[i].addr < t->symbols[i - 1].addr)
			return false;
	return true;
}

static void
sort_symbols(struct symbol_table *t)
{
	struct radix_key *keys = xreallocarray(NULL, 2 * t->n, sizeof *keys);
	struct table_symbol *sorted = xreallocarray(NULL, t->n, sizeof *sorted);
	size_t i;

	for (i = 0; i < t->n; i++)
		keys[i] = (struct radix_key){ t->symbols[i].addr, i };
	radix_sort(keys, keys + t->n, t->n);
	for (i = 0; i < t->n; i++)
		sorted[i] = t->symbols[keys[i].index];
	free(keys);
	free(t->symbols);
	t->symbols = sorted;
	t->cap = t->n;
}

static size_t
leading_underscores(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] == '_')
		n++;
	return n;
}

/* Negative when A is the better name for the address they share. */
static int
compare_names(const struct table_symbol *a, const struct table_symbol *b)
{
	size_t ua = leading_underscores(a->name);
	size_t ub = leading_underscores(b->name);

	if (a->flags != b->flags)
		return a->flags < b->flags ? -1 : 1;
	if (ua != ub)
		return ua < ub ? -1 : 1;
	if (a->name.len != b->name.len)
		return a->name.len < b->name.len ? -1 : 1;
	return slice_cmp(a->name, b->name);
}

static void
drop_aliases(struct symbol_table *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		struct table_symbol *s = &t->symbols[i];

		if (!n || t->symbols[n - 1].addr != s->addr)
			t->symbols[n++] = *s;
		else if (compare_names(s, &t->symbols[n - 1]) < 0)
			t->symbols[n - 1] = *s;
	}
	t->n = n;
}

/* S without a size ends at NEXT, or where it may reach. Where nobody knows
 * how far that is, it gets the page it starts in and one more. */
static void
bound(struct table_symbol *s, const struct table_symbol *next)
{
	uint64_t page_end = (s->addr | (PAGE - 1)) + 1 + PAGE;

	bool open_ended = s->addr + s->size == UINT64_MAX;

	if (next && next->addr - s->addr < s->size)
		s->size = next->addr - s->addr;
	if (open_ended && (!next || next->module != s->module) &&
	    page_end > s->addr && page_end - s->addr < s->size)
		s->size = page_end - s->addr;
}

/* Links nested symbols to the one around them, and drops labels inside. */
static void
settle_sizes(struct symbol_table *t)
{
	struct table_symbol *around = NULL;
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		struct table_symbol s = t->symbols[i];

		while (around && s.addr - around->addr >= around->size)
			around = around->outer ? &t->symbols[around->outer - 1]
					       : NULL;
		if (s.flags & SYMBOL_UNSIZED) {
			if (around)
				continue;
			bound(&s, i + 1 < t->n ? &t->symbols[i + 1] : NULL);
		}
		s.outer = around ? (uint32_t)(around - t->symbols) + 1 : 0;
		t->symbols[n] = s;
		around = &t->symbols[n++];
	}
	t->n = n;
}

void
symbol_table_finish(struct symbol_table *t)
{
	if (t->n && !is_sorted(t))
		sort_symbols(t);
	drop_aliases(t);
	settle_sizes(t);
}

const struct table_symbol *
symbol_table_find(const struct symbol_table *t, uint64_t addr)
{
	const struct table_symbol *s;
	size_t low = 0, high = t->n;
	int i;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->symbols[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	for (i = 0; low && i < MAX_NESTING; i++) {
		s = &t->symbols[low - 1];
		if (addr - s->addr < s->size)
			return s;
		low = s->outer;
	}
	return NULL;
}

void
symbol_table_free(struct symbol_table *t)
{
	arena_free(&t->arena);
	free(t->text);
	free(t->symbols);
	free(t->modules);
	free(t->module_start);
	*t = (struct symbol_table){ 0 };
}
