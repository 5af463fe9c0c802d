/* SPDX-License-Identifier: MIT */
/*
 * unwind_step [-3] LIBRARY: runs the library's stepped() one instruction at a
 * time, walks at each, and compares all frames with a shadow stack kept by
 * watching calls and returns; prints what it counted. With -3 rsp, rbp and rip
 * only are known.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "unwind_process.h"

enum { MAX_FRAMES = 512, CACHE_BITS = 12 };

static struct unwind_cached cache[1 << CACHE_BITS];
static struct unwind_walker walker = { .lookup = test_lookup,
				       .cache = cache,
				       .cache_bits = CACHE_BITS,
				       .space = 1 };
static struct unwind_frame frames[MAX_FRAMES];
static unsigned char other_stack[64 << 10];

enum { MAX_SHADOW = 4096, MAX_INSN = 15 };

static struct {
	uint64_t slot, ret;
} shadow[MAX_SHADOW];
static size_t n_shadow;
static uint64_t last_pc, last_sp;
static struct {
	unsigned long steps, frames, wrong, cut, vdso, plt;
} stepped_counts;
static unsigned n_reported;
static volatile bool stepping = true;
static uint32_t stepped_regs = UINT32_MAX;

/* What the instruction before did to the shadow stack: a call has pushed the
 * address behind itself; whatever lies below the stack pointer has ended.
 * Reads other functions' frames, which AddressSanitizer takes for a mistake. */
__attribute__((no_sanitize_address)) static void
follow(uint64_t pc, uint64_t sp)
{
	uint64_t pushed = *(uint64_t *)sp;

	while (n_shadow && shadow[n_shadow - 1].slot < sp)
		n_shadow--;
	if (last_sp - sp == 8 && pushed - last_pc - 1 < MAX_INSN &&
	    pc - last_pc > MAX_INSN) {
		shadow[n_shadow].slot = sp;
		shadow[n_shadow++].ret = pushed;
	}
	last_pc = pc;
	last_sp = sp;
}

static void
report(size_t n, enum unwind_end end)
{
	if (n_reported++ >= 5)
		return;
	fprintf(stderr, "%zu frames, end %d, should be %zu:\n", n, (int)end,
		n_shadow + 1);
	for (size_t i = 0; i < n && i < 6; i++)
		fprintf(stderr, "  %s+%llx %llx\n",
			frames[i].module == UNWIND_NO_MODULE
				? "?"
				: test_modules[frames[i].module].path,
			(unsigned long long)(frames[i].pc - frames[i].bias),
			i && i <= n_shadow
				? (unsigned long long)(shadow[n_shadow - i]
							       .ret -
						       frames[i].bias)
				: 0ull);
}

static bool
is_plt(const struct unwind_frame *f)
{
	struct unwind_rule rule;

	return f->module != UNWIND_NO_MODULE &&
	       unwind_find_rule(&test_modules[f->module].cfi, f->pc - f->bias,
				&rule) == UNWIND_PLT;
}

/* The frames above the shadow stack's are those of main and its callers. */
static void
compare_with_shadow(size_t n, enum unwind_end end)
{
	bool cut = end != UNWIND_COMPLETE;
	bool wrong = !cut && n <= n_shadow;

	for (size_t i = 1; i < n && i <= n_shadow; i++)
		if (frames[i].pc + 1 != shadow[n_shadow - i].ret)
			wrong = true;
	stepped_counts.cut += cut;
	stepped_counts.wrong += wrong;
	if (wrong || cut)
		report(n, end);
	stepped_counts.frames += n;
	if (strcmp(test_modules[frames[0].module].path, "[vdso]") == 0)
		stepped_counts.vdso++;
	stepped_counts.plt += is_plt(&frames[0]);
}

static void
trapped(int sig, siginfo_t *info, void *context)
{
	struct unwind_stack stack;
	struct unwind_regs regs;
	enum unwind_end end;
	size_t n;

	(void)sig;
	(void)info;
	if (!stepping)
		return;
	test_regs_of_context(context, &regs);
	stack.addr = regs.reg[UNWIND_RSP];
	stack.bytes = (const unsigned char *)stack.addr;
	stack.size = test_end_of_stack(stack.addr) - stack.addr;
	follow(regs.reg[UNWIND_RIP], stack.addr);
	regs.known &= stepped_regs;
	stepped_counts.steps++;
	n = unwind_walk(&walker, &regs, &stack, frames, MAX_FRAMES, &end);
	compare_with_shadow(n, end);
}

static void
set_trap_flag(bool on)
{
	if (on)
		__asm__ volatile("pushfq\n"
				 "orq $0x100, (%%rsp)\n"
				 "popfq" ::
					 : "cc", "memory");
	else
		__asm__ volatile("pushfq\n"
				 "andq $~0x100, (%%rsp)\n"
				 "popfq" ::
					 : "cc", "memory");
}

static void
step_library(const char *path)
{
	void *lib = dlopen(path, RTLD_LAZY);
	void (*run)(void);

	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	test_find_modules();
	test_end_of_stack((uint64_t)&lib);
	run = (void (*)(void))dlsym(lib, "stepped");
	test_use_stack(other_stack, sizeof other_stack);
	test_handle(SIGTRAP, trapped, SA_ONSTACK);
	set_trap_flag(true);
	run();
	stepping = false;
	set_trap_flag(false);
	printf("steps %lu frames %lu vdso %lu plt %lu wrong %lu cut %lu\n",
	       stepped_counts.steps, stepped_counts.frames, stepped_counts.vdso,
	       stepped_counts.plt, stepped_counts.wrong, stepped_counts.cut);
}

int
main(int argc, char **argv)
{
	bool three = argc == 3 && strcmp(argv[1], "-3") == 0;

	if (argc != 2 + three) {
		fprintf(stderr, "usage: unwind_step [-3] LIBRARY\n");
		return 2;
	}
	if (three)
		stepped_regs =
			1 << UNWIND_RSP | 1 << UNWIND_RBP | 1 << UNWIND_RIP;
	step_library(argv[argc - 1]);
	return 0;
}
