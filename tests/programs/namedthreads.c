/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler with one thread for each NAME, which may be any
 * bytes; each is busy for SECONDS, one after the other.
 *
 *   namedthreads SECONDS NAME...
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "busy.h"

static double seconds;

__attribute__((noinline)) static void
work_named(void)
{
	be_busy(seconds);
}

static void *
run_thread(void *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
	work_named();
	return NULL;
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		seconds = strtod(argv[1], NULL);
	for (int i = 2; i < argc; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, run_thread, argv[i]) != 0)
			return 1;
		pthread_join(thread, NULL);
	}
	return 0;
}
