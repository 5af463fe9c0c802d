/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that has children.
 *
 *   forks exec N SECONDS     N children that execute this program again
 *   forks fork N SECONDS     N children that go on without exec
 *   forks chain N SECONDS    no children: executes itself N times over
 *   forks orphan N SECONDS   N children that outlive the parent
 *   forks short N SECONDS    as fork, but one child after the other
 *
 * Each child, or link of the chain, is busy for SECONDS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "busy.h"

__attribute__((noinline)) static void
work_in_fork(double seconds)
{
	be_busy(seconds);
}

__attribute__((noinline)) static void
work_after_exec(double seconds)
{
	be_busy(seconds);
	__asm__ volatile("nop"); /* or both would be one function */
}

static void
execute(const char *mode, int n, const char *seconds)
{
	char number[16];
	snprintf(number, sizeof(number), "%d", n);
	execl("/proc/self/exe", "forks", mode, number, seconds, (char *)NULL);
	perror("execl");
	_exit(127);
}

static void
run_child(const char *mode, const char *seconds)
{
	if (strcmp(mode, "exec") == 0)
		execute("child", 0, seconds);
	work_in_fork(strtod(seconds, NULL));
	_exit(0);
}

static void
start_children(const char *mode, int n, const char *seconds)
{
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();
		if (pid < 0) {
			perror("fork");
			exit(1);
		}
		if (pid == 0)
			run_child(mode, seconds);
		if (strcmp(mode, "short") == 0)
			waitpid(pid, NULL, 0);
	}
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: forks MODE N SECONDS\n", stderr);
		return 1;
	}
	const char *mode = argv[1], *seconds = argv[3];
	int n = atoi(argv[2]);

	if (strcmp(mode, "child") == 0 || strcmp(mode, "chain") == 0) {
		work_after_exec(strtod(seconds, NULL));
		if (n > 0)
			execute("chain", n - 1, seconds);
		return 0;
	}
	start_children(mode, n, seconds);
	if (strcmp(mode, "orphan") != 0)
		while (wait(NULL) > 0)
			;
	return 0;
}
