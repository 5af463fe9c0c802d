/* SPDX-License-Identifier: MIT */
/*
 * read-folded FILE: reads folded stacks into memory as the programs do, and
 * prints how many distinct ones there are and the seconds that took.
 */
#include <stdio.h>
#include <time.h>

#include "base/msg.h"
#include "profile/profile.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct profile profile = { 0 };
	struct input *in;
	double start;

	msg_init("read-folded", 2);
	if (argc != 2)
		die("usage: read-folded FILE");
	start = now();
	in = input_open(argv[1], "folded stacks");
	profile_read(&profile, in);
	input_close(in);
	printf("%zu %.6f\n", profile.n_stacks, now() - start);
	profile_free(&profile);
	return msg_status();
}
