/* SPDX-License-Identifier: MIT */
/*
 * bench_unwind WHAT...: speed of lib/unwind. Prints lines NAME VALUE.
 *
 * bench_unwind copies COMMAND...: stacks captured of a running program by the
 * kernel, registers and copies of 32 KB:
 *
 *	depth           frames in the mean stack
 *	warm-ns         a frame, rules in the cache, the stack just copied, as
 *			by the kernel or by read(2)
 *	full-ns         as warm, all registers tracked
 *	cold-ns         as warm, without a cache of rules
 *	memory-ns       as warm, from copies that fill more memory than the
 *			processor's caches hold
 *
 * bench_unwind self: its own stack where it lies:
 *
 *	in-place-ns     a frame, rules in the cache
 *
 * bench_unwind module FILE: a module that the recorder has not met before:
 *
 *	load-ms         finding and reading its call-frame information
 *	rules-ms        and then the rules of all its rows
 *	rows            how many these are
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "record/modfile.h"
#include "unwind/row.h"
#include "unwind_capture.h"

/* The recorder's cache. */
enum {
	CACHE_BITS = 14,
	MAX_STACKS = 2000,
	MAX_FRAMES = 1024,
	ROUNDS = 9,
	BATCH = 1 << 20
};

static struct unwind_cached cache[1 << CACHE_BITS];
static struct capture capture;
static uint64_t stack_end;
static volatile unsigned sink;

/* Of this process. */
static struct unwind_walker walker = { .lookup = test_lookup,
				       .cache = cache,
				       .cache_bits = CACHE_BITS,
				       .space = 1 };

/* Processor time: others may be busy. */
static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static __attribute__((noinline)) void
read_regs(struct unwind_regs *regs)
{
	uint64_t *reg = regs->reg;

	regs->known = 1u << UNWIND_RSP | 1u << UNWIND_RBP | 1u << UNWIND_RIP |
		      1u << UNWIND_RBX | 0xf000u;
	__asm__ volatile("lea (%%rip), %%rax\n"
			 "mov %%rax, 128(%0)\n"
			 "mov %%rsp, 56(%0)\n"
			 "mov %%rbp, 48(%0)\n"
			 "mov %%rbx, 24(%0)\n"
			 "mov %%r12, 96(%0)\n"
			 "mov %%r13, 104(%0)\n"
			 "mov %%r14, 112(%0)\n"
			 "mov %%r15, 120(%0)\n" ::"r"(reg)
			 : "rax", "memory");
}

/* ---- measuring ---- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static unsigned long
walk_one(const struct unwind_walker *w, const struct capture_sample *s,
	 const unsigned char *bytes, bool full)
{
	static struct unwind_frame frames[MAX_FRAMES];
	struct unwind_stack stack = { bytes, s->stack.addr, s->stack.size };
	struct unwind_regs regs = s->regs;
	enum unwind_end end;

	if (full) /* wanting rbp makes a walk start in full mode */
		regs.known &= ~(1u << UNWIND_RBP);
	return unwind_walk(w, &regs, &stack, frames, MAX_FRAMES, &end);
}

/* Walks all stacks from where they lie; returns how many frames they had. */
static unsigned long
walk_all(const struct unwind_walker *w)
{
	unsigned long n = 0;

	for (size_t i = 0; i < capture.n; i++) {
		const struct capture_sample *s = &capture.samples[i];

		n += walk_one(w, s, s->stack.bytes, false);
	}
	return n;
}

/* Walks all stacks, as many at a time as BATCH has room for; adds what it took
 * without the copying to *NS. */
static unsigned long
walk_copies(const struct unwind_walker *w, bool full, double *ns)
{
	static unsigned char batch[BATCH];
	unsigned long n = 0;

	for (size_t i = 0, end; i < capture.n; i = end) {
		size_t at = 0;
		double start;

		for (end = i; end < capture.n; end++) {
			const struct unwind_stack *s =
				&capture.samples[end].stack;

			if (s->size > sizeof batch - at)
				break;
			memcpy(batch + at, s->bytes, s->size);
			at += s->size;
		}
		start = now_ns();
		for (at = 0; i < end; at += capture.samples[i++].stack.size)
			n += walk_one(w, &capture.samples[i], batch + at, full);
		*ns += now_ns() - start;
	}
	return n;
}

static void
print_median(const char *name, double *v)
{
	qsort(v, ROUNDS, sizeof *v, by_value);
	printf("%s %.3f\n", name, v[ROUNDS / 2]);
}

static void
measure_walks(const char *name, const struct unwind_walker *w, bool full)
{
	double ns[ROUNDS] = { 0 }, unused = 0;

	walk_copies(w, full, &unused);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned long n = walk_copies(w, full, &ns[i]);

		ns[i] /= (double)n;
	}
	print_median(name, ns);
}

static void
measure_from_memory(const char *name, const struct unwind_walker *w)
{
	double ns[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ns();
		unsigned long n = walk_all(w);

		ns[i] = (now_ns() - start) / (double)n;
	}
	print_median(name, ns);
}

static __attribute__((noinline)) void
measure_in_place(unsigned depth)
{
	struct unwind_frame frames[MAX_FRAMES];
	struct unwind_stack stack;
	struct unwind_regs regs;
	enum unwind_end end;
	double ns[ROUNDS];

	if (depth) {
		measure_in_place(depth - 1);
		sink++;
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ns();
		unsigned long n = 0;

		for (unsigned j = 0; j < 20000; j++) {
			read_regs(&regs);
			stack.addr = regs.reg[UNWIND_RSP];
			stack.bytes = (const unsigned char *)stack.addr;
			stack.size = stack_end - stack.addr;
			n += unwind_walk(&walker, &regs, &stack, frames,
					 MAX_FRAMES, &end);
		}
		ns[i] = (now_ns() - start) / (double)n;
	}
	print_median("in-place-ns", ns);
}

static int
measure_copies(char **command)
{
	struct unwind_walker w = { capture_lookup, &capture, cache, CACHE_BITS,
				   1 };

	capture_program(&capture, command, MAX_STACKS, 2000);
	if (capture.n < MAX_STACKS / 2) {
		fprintf(stderr, "only %zu stacks\n", capture.n);
		return 1;
	}
	printf("depth %.1f\n", (double)walk_all(&w) / (double)capture.n);
	measure_walks("warm-ns", &w, false);
	measure_walks("full-ns", &w, true);
	measure_from_memory("memory-ns", &w);
	w.cache = NULL;
	measure_walks("cold-ns", &w, false);
	return 0;
}

/* The rule of each row, of the code that has rules. */
static unsigned long
find_rules(const struct module *m)
{
	struct unwind_rule rule;
	unsigned long rows = 0;

	for (unsigned i = 0; i < m->elf.n_load; i++) {
		const struct unwind_segment *s = &m->elf.load[i];

		for (uint64_t at = 0; s->flags & 1 && at < s->memsz; at++)
			rows += unwind_find_rule(&m->cfi, s->addr + at,
						 &rule) != UNWIND_NONE;
	}
	return rows;
}

static int
measure_module(const char *path)
{
	double load[ROUNDS], rules[ROUNDS];
	unsigned long rows = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct module_key key = { .path = slice_str(path) };
		struct modules modules = { 0 };
		double start = now_ns();
		struct module *m;

		module_find_file(&modules, &key);
		m = modules.list[0];
		module_load(NULL, m, &(struct module_place){ .pid = getpid() });
		if (!m->has_cfi) {
			fprintf(stderr, "%s: nothing found\n", path);
			return 1;
		}
		load[i] = (now_ns() - start) / 1e6;
		rows = find_rules(m);
		rules[i] = (now_ns() - start) / 1e6;
		modules_free(&modules);
	}
	print_median("load-ms", load);
	print_median("rules-ms", rules);
	printf("rows %lu\n", rows);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc > 2 && strcmp(what, "copies") == 0)
		return measure_copies(argv + 2);
	if (argc == 3 && strcmp(what, "module") == 0)
		return measure_module(argv[2]);
	if (argc != 2 || strcmp(what, "self") != 0)
		return 2;
	stack_end = (uint64_t)__builtin_frame_address(0) + 256;
	test_find_modules();
	measure_in_place(20);
	return 0;
}
