/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks as a large C++ server would give them, for the benchmarks:
 * gen-stacks [STACKS] writes that many distinct stacks (200,000 of about 195
 * MB) in no order, the same bytes on every run. Functions call what their
 * place in a random call graph says, some callees far more often than others.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "random.h"

enum { FUNCTIONS = 20000, CALLEES = 12, NAME = 400, DEPTH = 40 };

enum { SEED = 20240607 };

/* 0..n-1, small ones far more often. */
static unsigned
skewed(unsigned n)
{
	double u = (double)(random_u64() >> 11) / 9007199254740992.0;

	return (unsigned)(u * u * u * u * u * n);
}

#define PICK(words) words[below(sizeof words / sizeof *words)]

static const char *const spaces[] = {
	"net",	 "json",  "http",    "db",	"core",	  "rpc",
	"cache", "index", "storage", "query",	"detail", "metrics",
	"sched", "io",	  "crypto",  "compress"
};
static const char *const things[] = {
	"Connection", "Parser",	 "Buffer",     "Session", "Request",
	"Response",   "Node",	 "Iterator",   "Table",	  "Page",
	"Executor",   "Planner", "Scheduler",  "Channel", "Encoder",
	"Decoder",    "Stream",	 "Allocator",  "Segment", "Writer",
	"Reader",     "Filter",	 "Aggregator", "Router",  "Codec"
};
static const char *const verbs[] = {
	"process", "read",   "write", "parse",	"insert", "lookup",
	"flush",   "commit", "merge", "encode", "decode", "dispatch",
	"resolve", "scan",   "apply", "visit",	"grow",	  "handle",
	"append",  "copy",   "match", "expand", "hash",	  "rebalance"
};
static const char *const objects[] = { "",	 "_one",    "_all",  "_next",
				       "_batch", "_header", "_body", "_block",
				       "_key",	 "_value",  "_node", "_record",
				       "_range", "_locked", "_slow", "_impl",
				       "_entry", "_tail" };
static const char *const types[] = { "int",
				     "unsigned long",
				     "char const*",
				     "bool",
				     "std::string",
				     "std::string_view",
				     "double",
				     "void*",
				     "std::vector<int>",
				     "std::pair<int, long>",
				     "core::Slice",
				     "std::shared_ptr<net::Session>" };
static const char *const qualifiers[] = { "", " const", " const&", "&", "&&" };

static char names[FUNCTIONS][NAME];
static uint16_t callees[FUNCTIONS][CALLEES];

static void
add_arguments(char *to, size_t size, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		size_t len = strlen(to);

		snprintf(to + len, size - len, "%s%s%s", i ? ", " : "",
			 PICK(types), PICK(qualifiers));
	}
}

static void
make_name(char *name)
{
	char template[120] = "", arguments[120] = "";

	if (!below(5)) {
		strcpy(template, "<");
		add_arguments(template, sizeof template - 2, 1 + below(2));
		strcat(template, ">");
	}
	add_arguments(arguments, sizeof arguments, skewed(4));
	if (!below(4))
		snprintf(name, NAME, "%s_%s%s_%u", PICK(spaces), PICK(verbs),
			 PICK(objects), below(1000));
	else
		snprintf(name, NAME, "%s::%s%s::%s%s(%s)%s", PICK(spaces),
			 PICK(things), template, PICK(verbs), PICK(objects),
			 arguments, below(3) ? "" : " const");
}

static void
make_program(void)
{
	unsigned i, k;

	for (i = 0; i < FUNCTIONS; i++) {
		make_name(names[i]);
		for (k = 0; k < CALLEES; k++)
			callees[i][k] = (uint16_t)below(FUNCTIONS);
	}
	strcpy(names[0], "server");
	strcpy(names[1], "__libc_start_main");
	strcpy(names[2], "main");
	callees[0][0] = 1;
	callees[1][0] = 2;
}

static unsigned
make_stack(uint16_t stack[DEPTH])
{
	unsigned depth = 17 + below(DEPTH - 17), i;

	stack[0] = 0;
	stack[1] = 1;
	stack[2] = 2;
	for (i = 3; i < depth; i++)
		stack[i] = callees[stack[i - 1]][skewed(CALLEES)];
	return depth;
}

/* A hash that was not there yet counts as a stack that was not. */
static int
is_new(uint64_t *seen, size_t mask, const uint16_t *stack, unsigned depth)
{
	uint64_t hash = depth;
	size_t at;
	unsigned i;

	for (i = 0; i < depth; i++)
		hash = (hash ^ stack[i]) * 0x100000001b3u;
	hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u | 1;
	for (at = (hash >> 20) & mask; seen[at]; at = (at + 1) & mask)
		if (seen[at] == hash)
			return 0;
	seen[at] = hash;
	return 1;
}

static void
print_stack(const uint16_t *stack, unsigned depth)
{
	unsigned i;

	for (i = 0; i < depth; i++) {
		if (i)
			putchar(';');
		fputs(names[stack[i]], stdout);
	}
	printf(" %u\n", 1 + skewed(500));
}

int
main(int argc, char **argv)
{
	unsigned long left = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
	size_t mask = 1;
	uint64_t *seen;

	random_state = SEED;
	while (mask < left * 2)
		mask = mask * 2 + 1;
	seen = calloc(mask + 1, sizeof *seen);
	if (!seen || left > 100000000)
		return 2;
	make_program();
	while (left) {
		uint16_t stack[DEPTH];
		unsigned depth = make_stack(stack);

		if (!is_new(seen, mask, stack, depth))
			continue;
		print_stack(stack, depth);
		left--;
	}
	free(seen);
	return fclose(stdout) ? 2 : 0;
}
