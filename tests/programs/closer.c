/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that closes all descriptors there may be, and
 * exits with status 7.
 *
 *   closer SECONDS    busy for that long afterwards
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "busy.h"

__attribute__((noinline)) static void
work_without_files(double seconds)
{
	be_busy(seconds);
}

int
main(int argc, char **argv)
{
	if (syscall(SYS_close_range, 0u, ~0u, 0u))
		return 1;
	work_without_files(argc > 1 ? strtod(argv[1], NULL) : 0.3);
	return 7;
}
