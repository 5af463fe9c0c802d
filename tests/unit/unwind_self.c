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
 *	jit0            in a handler, such code being at fault, its rbp 0
 *	thread          in a thread's start routine
 *	signal          in a signal handler on the same stack
 *	first           the same, a function's first instruction being at fault
 *	restorer        the same, where the trampoline has no CFI
 *	altstack        in a handler on another stack, which alone is copied
 *	altabove        the same, the other stack being in main's frame, above
 *			the interrupted one; both are copied
 *	start LIB FUNC  as if a program began at FUNC, with nothing in its
 *			registers; no-start: but one
 *	null            in a handler, after a call through a null pointer
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
	size_t size = test_end_of_stack(sp) - sp;
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
	stack.size = test_end_of_stack(stack.addr) - stack.addr;
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

static void *
make_jit(const unsigned char *code, size_t size)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page, code, size);
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	test_jit = (uint64_t)page;
	return page;
}

static void
run_jit(char **arg)
{
	/* push rbp; mov rsp, rbp; call *rdi; pop rbp; ret */
	static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5,
					      0xff, 0xd7, 0x5d, 0xc3 };
	void (*call)(void (*)(void)) =
		(void (*)(void (*)(void)))make_jit(code, sizeof code);

	(void)arg;
	call(walk_here);
}

static void
run_jit0(char **arg)
{
	/* xor ebp, ebp; ud2 */
	static const unsigned char code[] = { 0x31, 0xed, 0x0f, 0x0b };
	void (*call)(void) = (void (*)(void))make_jit(code, sizeof code);

	(void)arg;
	test_handle(SIGILL, fault_handler, 0);
	call();
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
	stack.size = test_end_of_stack(stack.addr) - stack.addr;
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
	test_regs_of_context(context, &regs);
	walk_stack(&regs);
	fflush(stdout);
	_exit(0);
}

static void
use_other_stack(void)
{
	test_use_stack(other_stack, sizeof other_stack);
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
	test_handle(SIGUSR1, handler, 0);
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
	test_handle(SIGUSR1, other_handler, SA_ONSTACK);
	raise_signal();
}

static void
run_altabove(char **arg)
{
	unsigned char stack[64 << 10];

	(void)arg;
	test_use_stack(stack, sizeof stack);
	test_handle(SIGUSR1, above_handler, SA_ONSTACK);
	raise_signal();
}

static void
start_at(const char *path, const char *name, uint64_t rbx)
{
	void *lib = dlopen(path, RTLD_LAZY);
	struct unwind_regs regs = { .known = (1u << UNWIND_NREGS) - 1 };
	uint64_t nothing[4] = { 0 };
	struct unwind_stack stack = { (const void *)nothing, 0x10000,
				      sizeof nothing };

	test_find_modules();
	regs.reg[UNWIND_RIP] = (uintptr_t)dlsym(lib, name);
	regs.reg[UNWIND_RSP] = stack.addr;
	regs.reg[UNWIND_RBX] = rbx;
	walk_and_print(&regs, &stack);
}

static void
run_start(char **arg)
{
	start_at(arg[0], arg[1], 0);
}

static void
run_no_start(char **arg)
{
	start_at(arg[0], arg[1], 1);
}

static void
run_null(char **arg)
{
	(void)arg;
	test_handle(SIGSEGV, fault_handler, 0);
	call_null();
}

static void
run_first(char **arg)
{
	(void)arg;
	test_handle(SIGILL, fault_walk, 0);
	call_first();
}

static const struct {
	const char *name;
	int n_args;
	void (*run)(char **arg);
} cases[] = {
	{ "plain", 1, run_plain },	 { "part", 2, run_part },
	{ "limit", 2, run_limit },	 { "spaces", 1, run_spaces },
	{ "jit", 0, run_jit },		 { "jit0", 0, run_jit0 },
	{ "thread", 0, run_thread },	 { "signal", 0, run_signal },
	{ "restorer", 0, run_restorer }, { "altstack", 0, run_altstack },
	{ "altabove", 0, run_altabove }, { "null", 0, run_null },
	{ "first", 0, run_first },	 { "start", 2, run_start },
	{ "no-start", 2, run_no_start },
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
