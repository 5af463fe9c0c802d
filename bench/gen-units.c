/* SPDX-License-Identifier: MIT */
/*
 * A C program of many compilation units, and a capture of it, for the
 * benchmark of pk-fold; the same bytes on every run:
 *
 *   gen-units source DIR       320 units of 8 functions, and main.c
 *   gen-units capture PROGRAM  of what nm -S says of it on standard input:
 *                              1,000,000 samples over 120,000 distinct stacks
 *                              of 5 to 40 frames, at 32,000 addresses
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "random.h"

enum {
	UNITS = 320,
	FUNCTIONS = 8, /* a unit */
	ADDRESSES = 32000,
	STACKS = 120000,
	SAMPLES = 1000000,
	DEPTH_MIN = 5,
	DEPTH_MAX = 40,
	NEW_FRAMES = 5, /* at most, that a stack has of its own */
	THREADS = 8,
};

enum { SEED = 20261124 };

static void __attribute__((noreturn)) fail(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- the source ---- */

static FILE *
create(const char *dir, const char *name)
{
	char path[4096];
	FILE *f;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		exit(2);
	f = fopen(path, "w");
	if (!f)
		fail(path);
	return f;
}

static void
finish(FILE *f)
{
	if (fclose(f))
		fail("writing");
}

/* What the units have in common: calls inlined into one another, as headers
 * have them. */
static void
write_header(const char *dir)
{
	FILE *f = create(dir, "shared.h");

	fputs("struct state { unsigned a, b, table[64]; };\n"
	      "static inline unsigned turn(unsigned x, unsigned n)\n"
	      "{\n\treturn x << (n & 31) | x >> (-n & 31);\n}\n"
	      "static inline unsigned stir(unsigned x)\n"
	      "{\n\tx ^= turn(x, 13);\n\tx *= 0x85ebca6bu;\n"
	      "\treturn x ^ x >> 16;\n}\n"
	      "static inline void put(struct state *s, unsigned x)\n"
	      "{\n\ts->table[x & 63] += stir(x + s->a);\n"
	      "\ts->b ^= turn(s->b, x);\n}\n",
	      f);
	finish(f);
}

static void
write_function(FILE *f, unsigned unit, unsigned i)
{
	fprintf(f,
		"\n__attribute__((noinline)) unsigned\n"
		"unit%u_function%u(struct state *s, unsigned x)\n"
		"{\n\tstruct item item = { x, x + %u };\n",
		unit, i, below(1000));
	if (below(2))
		fprintf(f,
			"\tfor (unsigned i = 0; i < (x & 7); i++)\n"
			"\t\tput(s, i * %u);\n",
			below(100) + 1);
	fprintf(f, "\tput(s, weigh_%u(&item));\n", unit);
	if (below(3))
		fprintf(f,
			"\tif (s->a %% %u == 1)\n"
			"\t\treturn stir(s->table[x & 63]) + %u;\n",
			below(9) + 2, below(1000));
	if (i)
		fprintf(f,
			"\tx += unit%u_function%u(s, x + 1);\n"
			"\tput(s, x);\n",
			unit, below(i));
	fputs("\treturn stir(x) + s->b;\n}\n", f);
}

static void
write_unit(const char *dir, unsigned unit)
{
	char name[64];
	unsigned i;
	FILE *f;

	snprintf(name, sizeof name, "unit%u.c", unit);
	f = create(dir, name);
	fprintf(f,
		"#include \"shared.h\"\n\nstruct item { unsigned key, value; };"
		"\n\nstatic inline unsigned weigh_%u(const struct item *item)\n"
		"{\n\treturn stir(item->key) * %uu + turn(item->value, "
		"7);\n}\n",
		unit, below(1000) * 2 + 1);
	for (i = 0; i < FUNCTIONS; i++)
		write_function(f, unit, i);
	finish(f);
}

static void
write_source(const char *dir)
{
	unsigned unit;
	FILE *f;

	write_header(dir);
	f = create(dir, "main.c");
	fputs("#include \"shared.h\"\n\n", f);
	for (unit = 0; unit < UNITS; unit++) {
		write_unit(dir, unit);
		fprintf(f,
			"unsigned unit%u_function%u(struct state *, "
			"unsigned);\n",
			unit, FUNCTIONS - 1);
	}
	fputs("\nint main(void)\n{\n\tstruct state s = { 0 };\n"
	      "\tunsigned sum = 0;\n",
	      f);
	for (unit = 0; unit < UNITS; unit++)
		fprintf(f, "\tsum += unit%u_function%u(&s, %u);\n", unit,
			FUNCTIONS - 1, unit);
	fputs("\treturn (int)(sum & 1);\n}\n", f);
	finish(f);
}

/* ---- the capture ---- */

struct code {
	uint64_t addr, size;
};

static struct code code[UNITS * FUNCTIONS];
static unsigned n_code;
static uint64_t addresses[ADDRESSES];
static unsigned stacks[STACKS]; /* their innermost frames */
static unsigned n_frames;

static void
read_symbols(void)
{
	char line[512], name[256];
	struct code c;

	while (fgets(line, sizeof line, stdin))
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " T %255s", &c.addr,
			   &c.size, name) == 3 &&
		    c.size && !strncmp(name, "unit", 4) &&
		    n_code < UNITS * FUNCTIONS)
			code[n_code++] = c;
	if (n_code < UNITS * FUNCTIONS) {
		fprintf(stderr, "gen-units: only %u functions\n", n_code);
		exit(2);
	}
}

static void
choose_addresses(void)
{
	unsigned i;

	for (i = 0; i < ADDRESSES; i++) {
		const struct code *c = &code[i % n_code];

		addresses[i] = c->addr + random_u64() % c->size;
	}
}

/* Each stack shares its outer part with the one before, at least the outermost
 * frame. As from a recorder, no frame comes twice. */
static void
write_stacks(void)
{
	static unsigned path[DEPTH_MAX], children[DEPTH_MAX];
	unsigned i, depth = 0, target, parent;

	for (i = 0; i < STACKS; i++) {
		target = DEPTH_MIN + below(DEPTH_MAX - DEPTH_MIN + 1);
		if (target > depth + NEW_FRAMES && below(16))
			target = depth + NEW_FRAMES;
		depth = depth < target ? depth : target;
		depth -= depth ? below(NEW_FRAMES < depth ? NEW_FRAMES : depth)
			       : 0;
		depth -= depth == target;
		depth += i && !depth;
		for (; depth < target; depth++) {
			parent = depth ? path[depth - 1] : 0;
			printf("f %u %u 1 %" PRIx64 "\n", ++n_frames, parent,
			       addresses[(parent * 7919u + children[depth]++) %
					 ADDRESSES]);
			path[depth] = n_frames;
			if (depth + 1 < DEPTH_MAX)
				children[depth + 1] = 0;
		}
		stacks[i] = n_frames;
	}
}

/* Every stack once, then some far more often than others. */
static void
write_samples(void)
{
	unsigned i, stack, thread;

	for (i = 0; i < SAMPLES; i++) {
		stack = i < STACKS ? i : below(below(STACKS) + 1);
		thread = 100 + below(THREADS);
		printf("s %" PRIu64 " 100 %u %u 1 1001001 %u\n",
		       (uint64_t)i * 125125, thread, thread & 3, stacks[stack]);
	}
}

static void
write_capture(const char *program)
{
	unsigned i;

	read_symbols();
	choose_addresses();
	printf("pk-capture 1\n@ command %s\n@ frequency 999\n"
	       "event 1 ns 1001001 cpu-clock\nproc 0 100 1 start units\n"
	       "mod 1 - v %s\n",
	       program, program);
	for (i = 1; i < THREADS; i++)
		printf("name 0 100 %u worker\n", 100 + i);
	write_stacks();
	write_samples();
	puts("end");
}

int
main(int argc, char **argv)
{
	random_state = SEED;
	if (argc == 3 && !strcmp(argv[1], "source"))
		write_source(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "capture"))
		write_capture(argv[2]);
	else
		fputs("usage: gen-units source DIR | capture PROGRAM\n",
		      stderr);
	if (argc != 3 || fflush(stdout) || ferror(stdout))
		return 2;
	return 0;
}
