/* SPDX-License-Identifier: MIT */
/*
 * measure FILE COMMAND [ARG]...: runs COMMAND and appends one line to FILE:
 * wall-clock seconds, processor seconds (user and system, of COMMAND and all
 * it waited for), and the largest resident size of one process in KiB.
 * Returns COMMAND's status; 128+N for a signal; 2 for trouble of its own.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"

extern char **environ;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void
append_line(const char *path, double wall, const struct rusage *used)
{
	FILE *f = fopen(path, "a");

	if (!f)
		die_errno("%s", path);
	fprintf(f, "%.6f %.6f %ld\n", wall,
		seconds(used->ru_utime) + seconds(used->ru_stime),
		used->ru_maxrss);
	if (fclose(f))
		die_errno("%s", path);
}

int
main(int argc, char **argv)
{
	struct rusage used;
	double start;
	pid_t pid;
	int status;

	msg_init("measure", 2);
	if (argc < 3)
		die("usage: measure FILE COMMAND [ARG]...");
	start = now();
	errno = posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (errno)
		die_errno("%s", argv[2]);
	if (wait4(pid, &status, 0, &used) < 0)
		die_errno("wait");
	append_line(argv[1], now() - start, &used);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}
