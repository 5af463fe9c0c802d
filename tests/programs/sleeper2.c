/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that sleeps in two functions in turn and knows
 * for how long: at its end it prints a line for each, the function's name and
 * the nanoseconds it slept.
 *
 *   sleeper2 [N [LONG_MS [SHORT_MS]]]    10 times 70 and 30 milliseconds
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The barriers keep calls from becoming jumps, which would lose the caller. */
#define BARRIER() __asm__ volatile("" ::: "memory")

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline __attribute__((always_inline)) uint64_t
sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	uint64_t start = now_ns();
	nanosleep(&t, NULL);
	BARRIER();
	return now_ns() - start;
}

__attribute__((noinline, noclone)) static uint64_t
sleep_long(unsigned ms)
{
	return sleep_ms(ms);
}

__attribute__((noinline, noclone)) static uint64_t
sleep_short(unsigned ms)
{
	uint64_t slept = sleep_ms(ms);
	__asm__ volatile("nop"); /* or both would be one function */
	return slept;
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 10;
	unsigned long_ms = argc > 2 ? (unsigned)atoi(argv[2]) : 70;
	unsigned short_ms = argc > 3 ? (unsigned)atoi(argv[3]) : 30;
	uint64_t in_long = 0, in_short = 0;

	for (int i = 0; i < n; i++) {
		in_long += sleep_long(long_ms);
		in_short += sleep_short(short_ms);
	}
	printf("sleep_long %llu\nsleep_short %llu\n",
	       (unsigned long long)in_long, (unsigned long long)in_short);
	return 0;
}
