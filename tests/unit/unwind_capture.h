/* SPDX-License-Identifier: MIT */
/*
 * What the unwinder's tests and benchmark share: stacks of another program,
 * captured by the kernel with registers and a copy of the stack, and the
 * modules they lie in.
 */
#ifndef PK_TESTS_UNWIND_CAPTURE_H
#define PK_TESTS_UNWIND_CAPTURE_H

#include "unwind_process.h"

enum { CAPTURE_MAPS = 128, CAPTURE_STACK = 32 << 10 };

struct capture_sample {
	struct unwind_regs regs;
	struct unwind_stack stack;
};

/* Executable mappings, and where their module lies. */
struct capture_map {
	uint64_t start, end, offset, bias;
	char path[256];
	uint32_t module; /* index in modules, or TEST_JIT */
};

struct capture {
	struct capture_sample *samples;
	size_t n, max;
	struct capture_map maps[CAPTURE_MAPS];
	unsigned n_maps;
	struct test_module modules[CAPTURE_MAPS];
	unsigned n_modules;
	int pid;
};

/*
 * Runs COMMAND, its output thrown away, and samples it FREQUENCY times a
 * second of processor time until it ends or there are MAX samples, which then
 * ends it. Ends the program with a message where that fails, and when code is
 * mapped where other code was before: which it was is not kept.
 */
void capture_program(struct capture *c, char **command, size_t max,
		     unsigned frequency);

/* An unwind_lookup_fn; the context is the struct capture. */
bool capture_lookup(void *ctx, uint64_t pc, struct unwind_code *code);

#endif
