/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler with threads of awkward names: one line feed more
 * and a line-oriented capture would end in the middle of a name.
 *
 *   names SECONDS    each thread is busy for that long
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "busy.h"

static double seconds = 0.5;

static const char *const names[] = {
	"a\nend\nb", "back\\slash", "semi;colon", "two  blanks ", "\xff\x01x",
};

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
	enum { N = sizeof(names) / sizeof(*names) };
	pthread_t thread[N];

	if (argc > 1)
		seconds = strtod(argv[1], NULL);
	for (int i = 0; i < N; i++)
		if (pthread_create(&thread[i], NULL, run_thread,
				   (void *)names[i]) != 0)
			return 1;
	for (int i = 0; i < N; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
