/* SPDX-License-Identifier: MIT */
/* Work for the small targets: processor time of the calling thread. */
#ifndef TESTS_BUSY_H
#define TESTS_BUSY_H

#include <stdint.h>
#include <time.h>

static inline double
thread_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Inlined into callers, so that their names are the innermost frames. */
static inline __attribute__((always_inline)) void
be_busy(double seconds)
{
	static volatile uint64_t sink;
	double end = thread_seconds() + seconds;
	do {
		uint64_t x = sink;
		for (int i = 0; i < 200000; i++)
			x = x * 6364136223846793005u + 1;
		sink = x;
	} while (thread_seconds() < end);
}

#endif
