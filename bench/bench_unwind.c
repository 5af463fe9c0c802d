/* SPDX-License-Identifier: MIT */
/*
 * bench_unwind: speed of lib/unwind on stacks of this process. Prints lines
 * NAME VALUE:
 *
 *	depth           frames in the mean stack
 *	warm-ns         a frame, from copied stacks, rules in the cache
 *	in-place-ns     a frame of the stack itself, rules in the cache
 *	full-ns         as warm, all registers tracked
 *	cold-ns         a frame, without a cache
 *	rule-ns         the rule of an address, mean over a module's code
 *	rows            addresses for which rule-ns was taken, and the module
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unwind_process.h"

enum { CACHE_BITS = 12, MAX_STACKS = 512, MAX_FRAMES = 256, ROUNDS = 9 };

struct sample {
	struct unwind_regs regs;
	struct unwind_stack stack;
};

static struct unwind_cached cache[1 << CACHE_BITS];
static struct sample sample[MAX_STACKS];
static unsigned n_samples;
static uint64_t stack_end;
static volatile unsigned sink;

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

/* ---- stacks ---- */

static void
take_sample(void)
{
	struct sample *s = &sample[n_samples];
	unsigned char *copy;
	uint64_t sp;

	if (n_samples == MAX_STACKS)
		return;
	read_regs(&s->regs);
	sp = s->regs.reg[UNWIND_RSP];
	s->stack.size = stack_end - sp;
	s->stack.addr = sp;
	copy = malloc(s->stack.size);
	memcpy(copy, (void *)sp, s->stack.size);
	s->stack.bytes = copy;
	n_samples++;
}

static int
compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	if ((x ^ y) % 5 == 0)
		take_sample();
	return x < y ? -1 : x > y;
}

static void
sort_something(unsigned seed)
{
	unsigned v[32];

	for (unsigned i = 0; i < 32; i++)
		v[i] = seed = seed * 1664525u + 1013904223u;
	qsort(v, 32, sizeof v[0], compare);
}

static void go_left(unsigned n);
static void go_right(unsigned n);

static __attribute__((noinline)) void
go_left(unsigned n)
{
	char *p = __builtin_alloca(n % 200 + 1);

	memset(p, (int)n, n % 200 + 1);
	if (n % 3 == 0)
		go_right(n / 2);
	else if (n > 3)
		go_left(n - 1);
	else
		sort_something(n);
	sink += (unsigned)p[n % 200];
}

static __attribute__((noinline)) void
go_right(unsigned n)
{
	unsigned a = sink, b = sink, c = sink, d = sink;

	if (n % 2)
		go_left(n - 1);
	else if (n > 3)
		go_right(n - 1);
	else
		sort_something(n);
	sink += a + b + c + d;
}

/* ---- measuring ---- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static unsigned long
walk_all(const struct unwind_walker *w, bool full)
{
	struct unwind_frame frames[MAX_FRAMES];
	unsigned long n = 0;
	enum unwind_end end;

	for (unsigned i = 0; i < n_samples; i++) {
		struct unwind_regs regs = sample[i].regs;

		if (full) /* wanting rbp makes a walk start in full mode */
			regs.known &= ~(1u << UNWIND_RBP);
		n += unwind_walk(w, &regs, &sample[i].stack, frames, MAX_FRAMES,
				 &end);
		if (!full && end != UNWIND_COMPLETE) {
			fprintf(stderr, "a walk ended with %d\n", end);
			exit(1);
		}
	}
	return n;
}

static void
measure_walks(const char *name, const struct unwind_walker *w, bool full,
	      unsigned repeats)
{
	double ns[ROUNDS];

	walk_all(w, full);
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ns();
		unsigned long n = 0;

		for (unsigned j = 0; j < repeats; j++)
			n += walk_all(w, full);
		ns[i] = (now_ns() - start) / (double)n;
	}
	qsort(ns, ROUNDS, sizeof ns[0], by_value);
	printf("%s %.2f\n", name, ns[ROUNDS / 2]);
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
	qsort(ns, ROUNDS, sizeof ns[0], by_value);
	printf("in-place-ns %.2f\n", ns[ROUNDS / 2]);
}

static void
measure_rules(const struct test_module *m)
{
	double start = now_ns();
	struct unwind_rule rule;
	unsigned long n = 0;

	for (unsigned i = 0; i < m->elf.n_load; i++) {
		const struct unwind_segment *s = &m->elf.load[i];

		for (uint64_t at = 0; s->flags & 1 && at < s->memsz; at += 31) {
			unwind_find_rule(&m->cfi, s->addr + at, &rule);
			n++;
		}
	}
	if (n)
		printf("rule-ns %.1f\nrows %lu %s\n",
		       (now_ns() - start) / (double)n, n, m->path);
}

int
main(void)
{
	struct unwind_walker uncached = walker;

	stack_end = (uint64_t)__builtin_frame_address(0) + 256;
	test_find_modules();
	for (unsigned i = 30; n_samples < MAX_STACKS; i++)
		go_left(i % 60);
	uncached.cache = NULL;
	printf("depth %.1f\n", (double)walk_all(&walker, false) / n_samples);
	measure_walks("warm-ns", &walker, false, 40);
	measure_in_place(20);
	measure_walks("full-ns", &walker, true, 20);
	measure_walks("cold-ns", &uncached, false, 2);
	for (unsigned i = 0; i < test_n_modules; i++)
		measure_rules(&test_modules[i]);
	return 0;
}
