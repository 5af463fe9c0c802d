/* SPDX-License-Identifier: MIT */
/* Hashes for tables in memory: fast, not for security, equal on every run
 * so that output never depends on a seed. Multiply-and-fold mixing as in
 * wyhash (public domain, Wang Yi); ours reads tails by overlapping loads. */
#ifndef PK_BASE_HASH_H
#define PK_BASE_HASH_H

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
hash_mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ 0x9e3779b97f4a7c15u) *
			(b ^ 0xd1b54a32d192ed03u);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t
hash_load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t
hash_load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t
hash_bytes(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t h = n, a, b;

	for (; n > 16; n -= 16, p += 16)
		h = hash_mix(hash_load64(p) ^ h, hash_load64(p + 8));
	if (n >= 8) {
		a = hash_load64(p);
		b = hash_load64(p + n - 8);
	} else if (n >= 4) {
		a = hash_load32(p);
		b = hash_load32(p + n - 4);
	} else if (n) {
		a = (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1];
		b = 0;
	} else {
		a = b = 0;
	}
	return hash_mix(a ^ h, b ^ h);
}

/*
 * Names are hashed and compared 64 bytes at a time without a branch on their
 * length, which no processor can predict. _padded: 64 bytes may be read from
 * the pointer, whatever the length is.
 */
enum { HASH_STRIPE = 64 };

/* Bytes 64-n.. of it keep the first n bytes of a stripe. */
extern const unsigned char hash_keep[2 * HASH_STRIPE];

static inline __m128i
hash_load(const void *p, int at)
{
	return _mm_loadu_si128(
		(const __m128i *)(const void *)((const char *)p + at));
}

static inline __m128i
hash_load_kept(const void *p, const unsigned char *keep, int at)
{
	return _mm_and_si128(hash_load(p, at), hash_load(keep, at));
}

/* NH (Black, Halevi, Krawczyk, Krovetz and Rogaway, UMAC, 1999) with the data
 * added crosswise, so that a zero factor does not swallow the other. */
static inline __m128i
hash_nh(__m128i d, uint64_t key0, uint64_t key1)
{
	__m128i k =
		_mm_xor_si128(d, _mm_set_epi64x((int64_t)key1, (int64_t)key0));

	return _mm_add_epi64(_mm_mul_epu32(k, _mm_srli_epi64(k, 32)),
			     _mm_shuffle_epi32(d, 0x4e));
}

/* The first N (0..64) bytes of a stripe, folded into H. */
static inline uint64_t
hash_stripe(const void *p, size_t n, uint64_t h)
{
	const unsigned char *keep = hash_keep + HASH_STRIPE - n;
	__m128i a = hash_nh(hash_load_kept(p, keep, 0), 0xe7037ed1a0b428dbu,
			    0xa0761d6478bd642fu);
	__m128i b = hash_nh(hash_load_kept(p, keep, 16), 0x589965cc75374cc3u,
			    0x8ebc6af09c88c6e3u);
	__m128i c = hash_nh(hash_load_kept(p, keep, 32), 0x1d8e4e27c47d124fu,
			    0xeb44accab455d165u);
	__m128i d = hash_nh(hash_load_kept(p, keep, 48), 0x9e6c63d0876a9a47u,
			    0x71d67fffeda60001u);
	uint64_t lanes[2];

	_mm_storeu_si128(
		(__m128i *)(void *)lanes,
		_mm_add_epi64(_mm_add_epi64(a, b), _mm_add_epi64(c, d)));
	return hash_mix(lanes[0] ^ h, lanes[1]);
}

static inline uint64_t
hash_name_padded(const char *p, size_t n)
{
	uint64_t h = n;

	for (; n > HASH_STRIPE; n -= HASH_STRIPE, p += HASH_STRIPE)
		h = hash_stripe(p, HASH_STRIPE, h);
	return hash_stripe(p, n, h);
}

/* The same value for a name that ends where memory may end. */
static inline uint64_t
hash_name(const char *p, size_t n)
{
	char last[HASH_STRIPE] = { 0 };
	uint64_t h = n;

	for (; n > HASH_STRIPE; n -= HASH_STRIPE, p += HASH_STRIPE)
		h = hash_stripe(p, HASH_STRIPE, h);
	if (n)
		memcpy(last, p, n);
	return hash_stripe(last, n, h);
}

static inline __m128i
hash_differ(const char *a, const char *b, const unsigned char *keep, int at)
{
	return _mm_and_si128(_mm_xor_si128(hash_load(a, at), hash_load(b, at)),
			     hash_load(keep, at));
}

/* Whether two names of N bytes are equal, both padded. */
static inline int
hash_same_padded(const char *a, const char *b, size_t n)
{
	size_t head = n < HASH_STRIPE ? n : HASH_STRIPE;
	const unsigned char *keep = hash_keep + HASH_STRIPE - head;
	__m128i low = _mm_or_si128(hash_differ(a, b, keep, 0),
				   hash_differ(a, b, keep, 16));
	__m128i high = _mm_or_si128(hash_differ(a, b, keep, 32),
				    hash_differ(a, b, keep, 48));
	__m128i same =
		_mm_cmpeq_epi8(_mm_or_si128(low, high), _mm_setzero_si128());

	if (_mm_movemask_epi8(same) != 0xffff)
		return 0;
	return n <= HASH_STRIPE || !memcmp(a + head, b + head, n - head);
}

#endif
