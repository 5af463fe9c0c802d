/* SPDX-License-Identifier: MIT */
/* Random numbers that are the same everywhere, for what generators make. Each
 * program sets random_state first. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

static uint64_t random_state;

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t
random_u64(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline unsigned
below(unsigned n)
{
	return (unsigned)(random_u64() % n);
}

#endif
