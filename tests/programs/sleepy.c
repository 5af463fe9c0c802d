/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that hardly runs: it sleeps at two sites, the
 * first twice as long as the second.
 *
 *   sleepy SECONDS [STATUS]    sleeps that long in all, then exits with STATUS
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BARRIER() __asm__ volatile("" ::: "memory")

static void
sleep_for(double seconds)
{
	struct timespec t = { (time_t)seconds,
			      (long)((seconds - (double)(time_t)seconds) *
				     1e9) };
	nanosleep(&t, NULL);
	BARRIER();
}

__attribute__((noinline)) static void
wait_for_network(double seconds)
{
	sleep_for(seconds);
	BARRIER();
}

__attribute__((noinline)) static void
wait_for_disk(double seconds)
{
	sleep_for(seconds);
	BARRIER();
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;

	for (int i = 0; i < 10; i++) {
		wait_for_network(seconds / 15);
		wait_for_disk(seconds / 30);
	}
	puts("awake");
	return argc > 2 ? atoi(argv[2]) : 0;
}
