/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler whose answer is known: twelve functions, the
 * number in each name being its share of the processor time in tenths of a
 * percent. The tenth and the eleventh lie two points apart, so that noise
 * does not exchange them.
 *
 *   twelve SECONDS    about that much processor time on a 3 GHz machine
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252u;

/* A chain of dependent operations: its time is its length. The constant
 * differs per function, or the compiler would make them one. */
static inline __attribute__((always_inline)) void
spin(unsigned share, uint64_t constant)
{
	uint64_t x = state;
	for (unsigned i = 0; i < share * 250; i++) {
		x = x * 6364136223846793005u + constant;
		x ^= x >> 29;
	}
	state = x;
}

#define BUSY(share)                                                           \
	__attribute__((noinline, noclone)) static void busy_##share(void)     \
	{                                                                     \
		spin(share, share * 2 + 1);                                   \
	}

BUSY(155)
BUSY(130)
BUSY(115)
BUSY(100)
BUSY(90)
BUSY(83)
BUSY(75)
BUSY(68)
BUSY(60)
BUSY(56)
BUSY(35)
BUSY(33)

/* The barriers keep calls from becoming jumps, which would lose the caller. */
#define BARRIER() __asm__ volatile("" ::: "memory")

__attribute__((noinline, noclone)) static void
read_input(void)
{
	busy_155();
	busy_130();
	busy_35();
	BARRIER();
}

__attribute__((noinline, noclone)) static void
transform(unsigned depth)
{
	if (depth > 0) {
		transform(depth - 1);
		BARRIER();
		return;
	}
	busy_115();
	busy_100();
	busy_90();
	busy_83();
	BARRIER();
}

__attribute__((noinline, noclone)) static void
write_output(void)
{
	busy_75();
	busy_68();
	busy_60();
	busy_56();
	busy_33();
	BARRIER();
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	unsigned rounds = (unsigned)(seconds * 2000);

	for (unsigned i = 0; i < rounds; i++) {
		read_input();
		transform(i % 5);
		write_output();
	}
	printf("twelve %016llx\n", (unsigned long long)state);
	return 0;
}
