/* SPDX-License-Identifier: MIT */
#include "import/text/perf_cache.h"

#include <stdlib.h>
#include "base/hash.h"
#include "base/pages.h"

/* ---- the table ---- */

static struct perf_entry *
find_slot(const struct perf_table *t, uint32_t a, uint64_t b)
{
	size_t at = b & t->mask;
	struct perf_entry *e;

	while ((e = &t->entries[at])->value && (e->b != b || e->a != a))
		at = (at + 1) & t->mask;
	return e;
}

static void
grow(struct perf_table *t)
{
	struct perf_table old = *t;
	size_t n_slots = t->entries ? (t->mask + 1) * 2 : 1024, i;

	t->entries = pages_calloc(n_slots, sizeof *t->entries);
	t->mask = n_slots - 1;
	for (i = 0; old.entries && i <= old.mask; i++) {
		const struct perf_entry *e = &old.entries[i];

		if (e->value)
			*find_slot(t, e->a, e->b) = *e;
	}
	free(old.entries);
}

uint32_t
perf_table_get(const struct perf_table *t, struct perf_hash hash)
{
	if (!t->entries)
		return 0;
	return find_slot(t, (uint32_t)(hash.a >> 32), hash.b)->value;
}

void
perf_table_put(struct perf_table *t, struct perf_hash hash, uint32_t value)
{
	uint32_t a = (uint32_t)(hash.a >> 32);

	if (!t->entries || t->n > t->mask / 4 * 3)
		grow(t);
	*find_slot(t, a, hash.b) = (struct perf_entry){ hash.b, a, value };
	t->n++;
}

void
perf_table_clear(struct perf_table *t)
{
	if (t->entries)
		memset(t->entries, 0, (t->mask + 1) * sizeof *t->entries);
	t->n = 0;
}

void
perf_table_free(struct perf_table *t)
{
	free(t->entries);
	*t = (struct perf_table){ 0 };
}

/* ---- hashes, 64 bytes at a time as in base/hash.h ---- */

static inline struct perf_hash
mix_lanes(struct perf_hash h, __m128i sum)
{
	uint64_t lanes[2];

	_mm_storeu_si128((__m128i *)(void *)lanes, sum);
	return (struct perf_hash){ hash_mix(h.a ^ lanes[0], lanes[1]),
				   hash_mix(h.b ^ lanes[1], ~lanes[0]) };
}

static inline __m128i
nh(const __m128i d[4])
{
	__m128i a = hash_nh(d[0], 0xe7037ed1a0b428dbu, 0xa0761d6478bd642fu);
	__m128i b = hash_nh(d[1], 0x589965cc75374cc3u, 0x8ebc6af09c88c6e3u);
	__m128i c = hash_nh(d[2], 0x1d8e4e27c47d124fu, 0xeb44accab455d165u);
	__m128i e = hash_nh(d[3], 0x9e6c63d0876a9a47u, 0x71d67fffeda60001u);

	return _mm_add_epi64(_mm_add_epi64(a, b), _mm_add_epi64(c, e));
}

static inline struct perf_hash
mix_whole(struct perf_hash h, const char *p)
{
	__m128i d[4] = { hash_load(p, 0), hash_load(p, 16), hash_load(p, 32),
			 hash_load(p, 48) };

	return mix_lanes(h, nh(d));
}

/* The first N (0..64) bytes at P, and N itself. */
static inline struct perf_hash
mix_part(struct perf_hash h, const char *p, size_t n)
{
	const unsigned char *keep = hash_keep + HASH_STRIPE - n;
	__m128i d[4] = { hash_load_kept(p, keep, 0),
			 hash_load_kept(p, keep, 16),
			 hash_load_kept(p, keep, 32),
			 hash_load_kept(p, keep, 48) };

	h.a ^= n << 56;
	h.b ^= n;
	return mix_lanes(h, nh(d));
}

struct perf_hash
perf_hash_line(struct slice text, uint64_t salt)
{
	struct perf_hash h = { salt, ~salt };

	for (; text.len > HASH_STRIPE;
	     text.len -= HASH_STRIPE, text.ptr += HASH_STRIPE)
		h = mix_whole(h, text.ptr);
	return mix_part(h, text.ptr, text.len);
}

/* Bit I is set where byte I of 16 is C. */
static inline uint64_t
equal_in_16(const char *p, int at, char c)
{
	__m128i equal = _mm_cmpeq_epi8(hash_load(p, at), _mm_set1_epi8(c));

	return (unsigned)_mm_movemask_epi8(equal);
}

static inline uint64_t
equal_in_64(const char *p, char c)
{
	return equal_in_16(p, 0, c) | equal_in_16(p, 16, c) << 16 |
	       equal_in_16(p, 32, c) << 32 | equal_in_16(p, 48, c) << 48;
}

const char *
perf_hash_frames(const char *at, const char *end, uint64_t salt,
		 struct perf_hash *hash)
{
	struct perf_hash h = { salt, ~salt };
	uint64_t carry = 1, newlines, odd;
	size_t n;

	for (; at < end; at += HASH_STRIPE) {
		newlines = equal_in_64(at, '\n');
		odd = (newlines << 1 | carry) & ~equal_in_64(at, '\t');
		carry = newlines >> 63;
		if (end - at < HASH_STRIPE)
			odd &= ((uint64_t)1 << (end - at)) - 1;
		if (odd) {
			n = (size_t)__builtin_ctzll(odd);
			*hash = mix_part(h, at, n);
			return at[n] == '\n' ? at + n : NULL;
		}
		h = mix_whole(h, at);
	}
	return NULL;
}
