/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler with many threads that hardly live; at its end it
 * prints the processor time it used, in nanoseconds.
 *
 *   threads N [SECONDS]    N threads, four at a time, each busy for that long
 *                          (a ten-thousandth of a second)
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "busy.h"

static double seconds = 0.0001;

/* Finer steps than be_busy's. */
__attribute__((noinline)) static void
work_in_thread(void)
{
	static volatile uint64_t sink;
	double end = thread_seconds() + seconds;
	do {
		uint64_t x = sink;
		for (int i = 0; i < 2000; i++)
			x = x * 6364136223846793005u + 1;
		sink = x;
	} while (thread_seconds() < end);
}

static void *
run_thread(void *p)
{
	work_in_thread();
	return p;
}

static unsigned long long
used_ns(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return ((unsigned long long)u.ru_utime.tv_sec +
		(unsigned long long)u.ru_stime.tv_sec) *
		       1000000000u +
	       ((unsigned long long)u.ru_utime.tv_usec +
		(unsigned long long)u.ru_stime.tv_usec) *
		       1000u;
}

int
main(int argc, char **argv)
{
	enum { AT_ONCE = 4 };
	int n = argc > 1 ? atoi(argv[1]) : 10000;

	if (argc > 2)
		seconds = strtod(argv[2], NULL);
	for (int i = 0; i < n; i += AT_ONCE) {
		pthread_t thread[AT_ONCE];
		int k, started = 0;
		for (k = 0; k < AT_ONCE && i + k < n; k++)
			started += !pthread_create(&thread[k], NULL, run_thread,
						   NULL);
		if (started < k) {
			fputs("threads: cannot start one\n", stderr);
			return 1;
		}
		while (k--)
			pthread_join(thread[k], NULL);
	}
	printf("%llu\n", used_ns());
	return 0;
}
