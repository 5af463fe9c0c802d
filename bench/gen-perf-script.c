/* SPDX-License-Identifier: MIT */
/*
 * What perf script would print, for the benchmarks: gen-perf-script SAMPLES
 * [BYTES] takes folded stacks and writes samples that pass through them in
 * random order, until there are SAMPLES, or BYTES are written. SAMPLES 0 are
 * as many as there are stacks, each once, in their order. The innermost frame
 * is hit at any of 16 instructions; a call comes from one place.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include "random.h"

enum { MOST_STACKS = 1 << 22, MOST_DEPTH = 256 };

static char *stacks[MOST_STACKS];
static size_t n_stacks;
static unsigned long long written;

static const char *const modules[] = {
	"/usr/lib/x86_64-linux-gnu/libc.so.6", "/opt/server/bin/server",
	"/opt/server/bin/server", "/opt/server/bin/server",
	"/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30"
};

static uint64_t
hash(const char *s, size_t n, uint64_t h)
{
	while (n--)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3u;
	return h ^ h >> 29;
}

static void
read_stacks(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while (n_stacks < MOST_STACKS &&
	       (n = getline(&line, &cap, stdin)) > 0) {
		char *blank = strrchr(line, ' ');

		if (!blank)
			continue;
		*blank = '\0';
		stacks[n_stacks] = strdup(line);
		if (!stacks[n_stacks++])
			exit(2);
	}
	free(line);
}

/* Ends of frames, outermost first. */
static size_t
split(const char *stack, const char *at[MOST_DEPTH + 1])
{
	size_t n = 0;

	at[0] = stack;
	while (n < MOST_DEPTH && *at[n]) {
		const char *end = strchrnul(at[n], ';');

		n++;
		at[n] = end + (*end == ';');
	}
	return n;
}

static void
print_frame(const char *name, size_t n, uint64_t offset)
{
	uint64_t h = hash(name, n, 0xcbf29ce484222325u);
	const char *module = modules[h % (sizeof modules / sizeof *modules)];

	written += (unsigned long long)printf(
		"\t%16lx %.*s+0x%lx (%s)\n",
		(unsigned long)(0x7f0000000000 + (h & 0xffffff00u) + offset),
		(int)n, name, (unsigned long)offset, module);
}

static void
print_sample(const char *stack)
{
	static unsigned long long time = 81234567890;
	const char *at[MOST_DEPTH + 1];
	size_t n = split(stack, at), i;
	unsigned thread = below(16);

	time += 137 + below(1000);
	written += (unsigned long long)printf(
		"server %7u/%-7u [%03u] %5llu.%06llu: %10u cycles:u: \n", 4242,
		4242 + thread, below(8), time / 1000000, time % 1000000,
		900000 + below(200000));
	for (i = n; i-- > 0;) {
		size_t len = strlen(at[i]) - strlen(at[i + 1]);
		uint64_t offset = below(16) * 7;

		if (i + 1 < n) {
			len--;
			offset = hash(at[i + 1], 8, 7) % 64 * 16;
		}
		print_frame(at[i], len, offset);
	}
	written += (unsigned long long)printf("\n");
}

int
main(int argc, char **argv)
{
	unsigned long samples = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, i;
	unsigned long long bytes =
		argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;

	random_state = 20240607;
	read_stacks();
	if (!n_stacks)
		return 2;
	if (!samples)
		for (i = 0; i < n_stacks; i++)
			print_sample(stacks[i]);
	for (i = 0; i < samples && written < bytes; i++)
		print_sample(stacks[below((unsigned)n_stacks)]);
	return fclose(stdout) ? 2 : 0;
}
