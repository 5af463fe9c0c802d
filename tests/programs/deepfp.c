/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler with more frames than a chain of frame pointers
 * may have; it is busy at the innermost one. Compile it with
 * -fno-omit-frame-pointer.
 *
 *   deepfp SECONDS [FRAMES]    300 frames of descend unless told otherwise
 */
#include <stdlib.h>

#include "busy.h"

/* The barriers keep calls from becoming jumps, which would lose the caller. */
#define BARRIER() __asm__ volatile("" ::: "memory")

__attribute__((noinline, noclone)) static void
work_at_the_bottom(double seconds)
{
	be_busy(seconds);
	BARRIER();
}

__attribute__((noinline, noclone)) static void
descend(int frames, double seconds)
{
	if (frames > 1)
		descend(frames - 1, seconds);
	else
		work_at_the_bottom(seconds);
	BARRIER();
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	int frames = argc > 2 ? atoi(argv[2]) : 300;

	descend(frames, seconds);
	return 0;
}
