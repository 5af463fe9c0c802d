/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler with many children that hardly live: one after
 * the other, each uses half a millisecond of processor time.
 *
 *   manyforks [N]    4000 children unless told otherwise
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "busy.h"

enum { CHILD_NS = 500000 };

/* Finer steps than be_busy's, which take a fifth of a millisecond each. */
__attribute__((noinline)) static void
work_in_child(void)
{
	static volatile uint64_t sink;
	double end = CHILD_NS / 1e9;
	do {
		uint64_t x = sink;
		for (int i = 0; i < 5000; i++)
			x = x * 6364136223846793005u + 1;
		sink = x;
	} while (thread_seconds() < end);
}

int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4000;

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();
		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (pid == 0) {
			work_in_child();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	return 0;
}
