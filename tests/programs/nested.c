/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler whose stack is twelve frames of different sizes
 * deep, the innermost being busy: level_12, which main calls, to level_1.
 *
 *   nested SECONDS
 */
#include <stdlib.h>

#include "busy.h"

static volatile unsigned sink;

__attribute__((noinline)) static void
level_1(double seconds)
{
	be_busy(seconds);
}

#define LEVEL(n, below)                                                 \
	__attribute__((noinline)) static void level_##n(double seconds) \
	{                                                               \
		volatile char room[n * 40];                             \
		unsigned a = sink, b = sink, c = sink;                  \
                                                                        \
		room[sink % sizeof room] = (char)n;                     \
		level_##below(seconds);                                 \
		sink += a + b * n + c + (unsigned)room[0];              \
	}

LEVEL(2, 1)
LEVEL(3, 2)
LEVEL(4, 3)
LEVEL(5, 4)
LEVEL(6, 5)
LEVEL(7, 6)
LEVEL(8, 7)
LEVEL(9, 8)
LEVEL(10, 9)
LEVEL(11, 10)
LEVEL(12, 11)

int
main(int argc, char **argv)
{
	level_12(argc > 1 ? strtod(argv[1], NULL) : 0.5);
	return 0;
}
