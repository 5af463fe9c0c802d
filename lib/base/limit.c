/* SPDX-License-Identifier: MIT */
#include "base/limit.h"

#include <sched.h>
#include <sys/resource.h>

void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) ||
	    limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
usable_processors(int most)
{
	cpu_set_t set;
	int n = 1;

	if (!sched_getaffinity(0, sizeof set, &set))
		n = CPU_COUNT(&set);
	return n > most ? most : n;
}
