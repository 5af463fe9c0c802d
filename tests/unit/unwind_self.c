/* SPDX-License-Identifier: MIT */
/*
 * unwind_self CASE [LIBRARY]: walks its own stack and prints the frames'
 * functions, innermost first ([module] where there is no symbol), then how
 * the walk ended.
 *
 *	plain LIB       LIB's call_back() calls back into the walk
 *	part BYTES LIB  the same, with only the first BYTES of the stack
 *	limit N LIB     the same, with room for N frames
 *	spaces LIB      the same three times, modules being renumbered after
 *			the first, the third in a new address space; prints
 *			only the number by which frame 1's module has changed
 *	jit             called back by code in memory that no file has
 *	thread          in a thread's start routine
 *	signal          in a signal handler on the same stack
 *	first           the same, a function's first instruction being at fault
 *	restorer        the same, where the trampoline has no CFI
 *	altstack        in a handler on another stack, which alone is copied
 *	altabove        the same, the other stack being in main's frame, above
 *			the interrupted one; both are copied
 *	null            in a handler, after a call through a null pointer
 *	step LIB        runs LIB's stepped() one instruction at a time, walks at
 *	                each, and compares all frames with a shadow stack kept
 *	                by watching calls and returns; prints what it counted
 *	step3 LIB       the same, knowing rsp, rbp and rip only
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "unwind_process.h"

enum { MAX_FRAMES = 512, CACHE_BITS = 12 };

static struct unwind_cached cache[1 << CACHE_BITS];
static struct unwind_walker walker = { .lookup = test_lookup,
				       .cache = cache,
				       .cache_bits = CACHE_BITS,
				       .space = 1 };
static struct unwind_frame frames[MAX_FRAMES];
static size_t part = SIZE_MAX;
static size_t max_frames = MAX_FRAMES;

static const char *const end_names[] = { "complete", "truncated", "no-cfi",
					 "limit", "lost" };

/* ---- registers ---- */

/* The registers as the caller has them after the call. */
void save_regs(uint64_t *reg);
__asm__(".pushsection .text\n"
	"save_regs:\n"
	".cfi_startproc\n"
	"mov %rbx, 24(%rdi)\n"
	"mov %rbp, 48(%rdi)\n"
	"lea 8(%rsp), %rax\n"
	"mov %rax, 56(%rdi)\n"
	"mov %r12, 96(%rdi)\n"
	"mov %r13, 104(%rdi)\n"
	"mov %r14, 112(%rdi)\n"
	"mov %r15, 120(%rdi)\n"
	"mov (%rsp), %rax\n"
	"mov %rax, 128(%rdi)\n"
	"ret\n"
	".cfi_endproc\n"
	".popsection\n");

enum { SAVED_BY_SAVE_REGS = 0x1f0c8 }; /* rbx, rbp, rsp, r12 to rip */

static void
regs_of_context(const ucontext_t *uc, struct unwind_regs *regs)
{
	static const uint8_t order[] = UNWIND_UC_ORDER;

	regs->known = 0;
	for (unsigned i = 0; i < sizeof order; i++) {
		regs->reg[order[i]] = (uint64_t)uc->uc_mcontext.gregs[i];
		regs->known |= 1u << order[i];
	}
}

/* ---- walking and printing ---- */

/* Exported, and so named in the output. */
void walk_here(void);
void *thread_routine(void *arg);
void handler(int sig, siginfo_t *info, void *context);
void other_handler(int sig, siginfo_t *info, void *context);
void above_handler(int sig, siginfo_t *info, void *context);
void fault_handler(int sig, siginfo_t *info, void *context);
void raise_signal(void);
void call_null(void);
void fault_walk(int sig, siginfo_t *info, void *context);
void first_insn(void);
void call_first(void);

static uint64_t
end_of_stack(uint64_t sp)
{
	static uint64_t end;
	char line[512];
	FILE *f;
	unsigned long low, high;

	if (end)
		return end;
	f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%lx-%lx", &low, &high) == 2 && sp >= low &&
		    sp < high)
			end = high;
	if (f)
		fclose(f);
	return end;
}

static void
print_frame(const struct unwind_frame *f)
{
	const char *path, *slash;
	Dl_info info;

	if (f->module == UNWIND_NO_MODULE) {
		puts("[unmapped]");
		return;
	}
	if (dladdr((void *)f->pc, &info) && info.dli_sname) {
		puts(info.dli_sname);
		return;
	}
	if (f->module == TEST_JIT) {
		puts("[jit]");
		return;
	}
	path = test_modules[f->module].path;
	slash = strrchr(path, '/');
	printf("[%s]\n", slash ? slash + 1 : path);
}

static void
walk_and_print(const struct unwind_regs *regs, const struct unwind_stack *stack)
{
	enum unwind_end end;
	size_t n = unwind_walk(&walker, regs, stack, frames, max_frames, &end);

	for (size_t i = 0; i < n; i++)
		print_frame(&frames[i]);
	printf("end: %s\n", end_names[end]);
}

/* Not memcpy: a sanitizer would see whole frames being read. */
static void
copy_stack(void *to, uint64_t from, size_t n)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

/* A copy, so that nothing below is found by accident. */
static void
walk_stack(const struct unwind_regs *regs)
{
	uint64_t sp = regs->reg[UNWIND_RSP];
	size_t size = end_of_stack(sp) - sp;
	unsigned char *copy;
	struct unwind_stack stack;

	if (size > part)
		size = part;
	copy = malloc(size + 1);
	copy_stack(copy, sp, size);
	stack = (struct unwind_stack){ copy, sp, size };
	walk_and_print(regs, &stack);
	free(copy);
}

void
walk_here(void)
{
	struct unwind_regs regs;

	regs.known = SAVED_BY_SAVE_REGS;
	save_regs(regs.reg);
	walk_stack(&regs);
}

static void
call_library(const char *path, void (*fn)(void))
{
	void *lib = dlopen(path, RTLD_LAZY);
	void (*call)(void (*)(void));

	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	test_find_modules();
	call = (void (*)(void (*)(void)))dlsym(lib, "call_back");
	call(fn);
}

/* ---- spaces ---- */

static unsigned renumbered;

static bool
lookup_renumbered(void *ctx, uint64_t pc, struct unwind_code *code)
{
	if (!test_lookup(ctx, pc, code))
		return false;
	code->module += renumbered;
	return true;
}

static void
walk_spaces(void)
{
	static const struct {
		unsigned add, space;
	} round[] = { { 0, 1 }, { 100, 1 }, { 200, 2 } };
	struct unwind_regs regs;
	struct unwind_stack stack;
	enum unwind_end end;
	uint32_t first = 0;

	regs.known = SAVED_BY_SAVE_REGS;
	save_regs(regs.reg);
	stack.addr = regs.reg[UNWIND_RSP];
	stack.bytes = (const unsigned char *)stack.addr;
	stack.size = end_of_stack(stack.addr) - stack.addr;
	walker.lookup = lookup_renumbered;
	for (unsigned i = 0; i < 3; i++) {
		renumbered = round[i].add;
		walker.space = round[i].space;
		unwind_walk(&walker, &regs, &stack, frames, MAX_FRAMES, &end);
		if (!i)
			first = frames[1].module;
		printf("%u\n", frames[1].module - first);
	}
}

/* ---- code that no file has ---- */

static void
run_jit(char **arg)
{
	/* push rbp; mov rsp, rbp; call *rdi; pop rbp; ret */
	static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5,
					      0xff, 0xd7, 0x5d, 0xc3 };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*call)(void (*)(void)) = (void (*)(void (*)(void)))page;

	(void)arg;
	memcpy(page, code, sizeof code);
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	test_jit = (uint64_t)page;
	call(walk_here);
}

/* ---- threads ---- */

void *
thread_routine(void *arg)
{
	walk_here();
	return arg;
}

static void
run_thread(char **arg)
{
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, thread_routine, NULL);
	pthread_join(t, NULL);
}

/* ---- signals ---- */

void
handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	walk_here();
}

/* From a page below the interrupted function on. */
void
above_handler(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	struct unwind_regs regs;
	struct unwind_stack stack;
	unsigned char *copy;

	(void)sig;
	(void)info;
	regs.known = SAVED_BY_SAVE_REGS;
	save_regs(regs.reg);
	stack.addr = (uint64_t)uc->uc_mcontext.gregs[REG_RSP] - 4096;
	stack.size = end_of_stack(stack.addr) - stack.addr;
	copy = malloc(stack.size);
	copy_stack(copy, stack.addr, stack.size);
	stack.bytes = copy;
	walk_and_print(&regs, &stack);
	free(copy);
}

/* Up to where the alternate stack ends. */
static unsigned char other_stack[64 << 10];

void
other_handler(int sig, siginfo_t *info, void *context)
{
	struct unwind_regs regs;
	struct unwind_stack stack;

	(void)sig;
	(void)info;
	(void)context;
	regs.known = SAVED_BY_SAVE_REGS;
	save_regs(regs.reg);
	stack.addr = regs.reg[UNWIND_RSP];
	stack.bytes = (const unsigned char *)stack.addr;
	stack.size = (uint64_t)other_stack + sizeof other_stack - stack.addr;
	walk_and_print(&regs, &stack);
}

void
fault_handler(int sig, siginfo_t *info, void *context)
{
	struct unwind_regs regs;

	(void)sig;
	(void)info;
	regs_of_context(context, &regs);
	walk_stack(&regs);
	fflush(stdout);
	_exit(0);
}

static void
use_stack(void *stack, size_t size)
{
	stack_t ss = { .ss_sp = stack, .ss_size = size };

	sigaltstack(&ss, NULL);
}

static void
use_other_stack(void)
{
	use_stack(other_stack, sizeof other_stack);
}

static void
handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn,
				.sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &sa, NULL);
}

/* The kernel's own struct, to name a trampoline without CFI. */
void bare_restorer(void);
__asm__(".pushsection .text.bare, \"ax\"\n"
	"nop\n"
	".globl bare_restorer\n"
	"bare_restorer:\n"
	"mov $15, %rax\n"
	"syscall\n"
	".popsection\n");

static void
handle_with_bare_restorer(int sig)
{
	struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} sa = { handler, SA_SIGINFO | 0x04000000, bare_restorer, 0 };

	if (syscall(SYS_rt_sigaction, sig, &sa, NULL, sizeof sa.mask) != 0)
		exit(2);
}

__attribute__((noinline)) void
raise_signal(void)
{
	raise(SIGUSR1);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

__attribute__((noinline)) void
call_null(void)
{
	void (*volatile null)(void) = NULL;

	null();
	__asm__ volatile("" ::: "memory");
}

void
fault_walk(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	walk_here();
	fflush(stdout);
	_exit(0);
}

/* What stands before it has another frame. */
__asm__(".pushsection .text\n"
	".cfi_startproc\n"
	".cfi_def_cfa_offset 4096\n"
	"nop\n"
	".cfi_endproc\n"
	".globl first_insn\n"
	".type first_insn, @function\n"
	"first_insn:\n"
	".cfi_startproc\n"
	"ud2\n"
	".cfi_endproc\n"
	".size first_insn, .-first_insn\n"
	".popsection\n");

__attribute__((noinline)) void
call_first(void)
{
	first_insn();
	__asm__ volatile("" ::: "memory");
}

/* ---- stepping ---- */

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
	fprintf(stderr, "%zu frames, %s, should be %zu:\n", n, end_names[end],
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
	regs_of_context(context, &regs);
	stack.addr = regs.reg[UNWIND_RSP];
	stack.bytes = (const unsigned char *)stack.addr;
	stack.size = end_of_stack(stack.addr) - stack.addr;
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
	end_of_stack((uint64_t)&lib);
	run = (void (*)(void))dlsym(lib, "stepped");
	use_other_stack();
	handle(SIGTRAP, trapped, SA_ONSTACK);
	set_trap_flag(true);
	run();
	stepping = false;
	set_trap_flag(false);
	printf("steps %lu frames %lu vdso %lu plt %lu wrong %lu cut %lu\n",
	       stepped_counts.steps, stepped_counts.frames, stepped_counts.vdso,
	       stepped_counts.plt, stepped_counts.wrong, stepped_counts.cut);
}

/* ---- the cases ---- */

static void
run_plain(char **arg)
{
	call_library(arg[0], walk_here);
}

static void
run_part(char **arg)
{
	part = strtoul(arg[0], NULL, 0);
	call_library(arg[1], walk_here);
}

static void
run_limit(char **arg)
{
	max_frames = strtoul(arg[0], NULL, 0);
	call_library(arg[1], walk_here);
}

static void
run_spaces(char **arg)
{
	call_library(arg[0], walk_spaces);
}

static void
run_signal(char **arg)
{
	(void)arg;
	handle(SIGUSR1, handler, 0);
	raise_signal();
}

static void
run_restorer(char **arg)
{
	(void)arg;
	handle_with_bare_restorer(SIGUSR1);
	raise_signal();
}

static void
run_altstack(char **arg)
{
	(void)arg;
	use_other_stack();
	handle(SIGUSR1, other_handler, SA_ONSTACK);
	raise_signal();
}

static void
run_altabove(char **arg)
{
	unsigned char stack[64 << 10];

	(void)arg;
	use_stack(stack, sizeof stack);
	handle(SIGUSR1, above_handler, SA_ONSTACK);
	raise_signal();
}

static void
run_null(char **arg)
{
	(void)arg;
	handle(SIGSEGV, fault_handler, 0);
	call_null();
}

static void
run_first(char **arg)
{
	(void)arg;
	handle(SIGILL, fault_walk, 0);
	call_first();
}

static void
run_step(char **arg)
{
	step_library(arg[0]);
}

static void
run_step3(char **arg)
{
	stepped_regs = 1 << UNWIND_RSP | 1 << UNWIND_RBP | 1 << UNWIND_RIP;
	step_library(arg[0]);
}

static const struct {
	const char *name;
	int n_args;
	void (*run)(char **arg);
} cases[] = {
	{ "plain", 1, run_plain },	 { "part", 2, run_part },
	{ "limit", 2, run_limit },	 { "spaces", 1, run_spaces },
	{ "jit", 0, run_jit },		 { "thread", 0, run_thread },
	{ "signal", 0, run_signal },	 { "restorer", 0, run_restorer },
	{ "altstack", 0, run_altstack }, { "altabove", 0, run_altabove },
	{ "null", 0, run_null },	 { "first", 0, run_first },
	{ "step", 1, run_step },	 { "step3", 1, run_step3 },
};

int
main(int argc, char **argv)
{
	test_find_modules();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (argc != 2 + cases[i].n_args ||
		    strcmp(argv[1], cases[i].name) != 0)
			continue;
		cases[i].run(argv + 2);
		return 0;
	}
	fprintf(stderr, "usage: unwind_self CASE [ARGUMENT]...\n");
	return 2;
}
