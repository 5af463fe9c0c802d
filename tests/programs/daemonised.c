/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that becomes a daemon: it forks twice with a new
 * session in between, and who started it sees it end at once.
 *
 *   daemonised SECONDS FILE    the daemon is busy for that long, then makes
 *                              FILE
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "busy.h"

__attribute__((noinline)) static void
work_in_daemon(double seconds)
{
	be_busy(seconds);
}

static void
leave_parent(void)
{
	pid_t pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	if (pid > 0)
		_exit(0);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: daemonised SECONDS FILE\n", stderr);
		return 1;
	}
	leave_parent();
	setsid();
	leave_parent();
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	work_in_daemon(strtod(argv[1], NULL));
	return open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0666) < 0;
}
