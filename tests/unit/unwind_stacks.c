/* SPDX-License-Identifier: MIT */
/*
 * unwind_stacks NUMBER COMMAND...: captures that many stacks of a program,
 * with registers and a copy of 32 KB, and walks each with lib/unwind and with
 * libdwfl, which gets the same registers, bytes and modules. Prints a line of
 * words and one of numbers:
 *
 * stacks     how many
 * identical  the same frames to the outermost
 * both-cut   both stop early, with the same frames as far as libdwfl went
 * marked     the same frames, but libdwfl takes the outermost for cut: it has
 *            no CFI, and rbp 0, by which the ABI marks it (ld.so's _start)
 * popped     libdwfl stops early, with the same frames as far as it went: an
 *            epilogue has popped a register whose row still says where it
 *            was, below the stack pointer, where nothing was copied.
 *            lib/unwind takes the register's value
 * guessed    libdwfl goes wrong at an rt_sigreturn that is in the kernel: its
 *            return address lies behind the trampoline's CFI, and libdwfl
 *            follows the frame pointer. lib/unwind sees the signal frame
 * differing  anything else
 * frames     of lib/unwind's walks
 *
 * and on standard error the first stacks that differ. Status 1 if any does.
 */
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unwind/row.h"
#include "unwind_capture.h"

enum { MAX_FRAMES = 4096, CACHE_BITS = 12 };

struct walk {
	uint64_t pc[MAX_FRAMES];
	size_t n;
	bool complete;
	bool unreadable; /* libdwfl wanted what was not copied, for the next */
};

static struct capture capture;
static const struct capture_sample *sample; /* libdwfl's at the moment */
static struct walk ours, theirs;

/* ---- libdwfl ---- */

static pid_t
next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	pid_t first = *thread_arg ? 0 : capture.pid;

	(void)dwfl;
	*thread_arg = arg;
	return first;
}

static bool
get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl;
	(void)tid;
	*thread_arg = arg;
	return true;
}

static bool
read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *arg)
{
	uint64_t word = 0;
	bool there = unwind_load(&sample->stack, addr, &word);

	(void)dwfl;
	(void)arg;
	*result = word;
	theirs.unreadable |= !there;
	return there;
}

static bool
set_registers(Dwfl_Thread *thread, void *arg)
{
	(void)arg;
	return dwfl_thread_state_registers(thread, 0, UNWIND_NREGS,
					   sample->regs.reg);
}

static int
no_debug_file(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr base,
	      const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)mod;
	(void)data;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)found;
	return -1;
}

static const Dwfl_Callbacks callbacks = { .find_debuginfo = no_debug_file };
static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static void
report_module(Dwfl *dwfl, const struct capture_map *map)
{
	const struct test_module *m = &capture.modules[map->module];
	int fd = -1;

	if (m->path[0] == '[') {
		fd = memfd_create("vdso", 0);
		if (write(fd, m->bytes, m->size) != (ssize_t)m->size)
			exit(2);
	}
	if (!dwfl_report_elf(dwfl, m->path, m->path, fd, map->bias, true)) {
		fprintf(stderr, "%s: %s\n", m->path, dwfl_errmsg(-1));
		exit(2);
	}
}

static Dwfl *
begin(void)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);
	bool reported[CAPTURE_MAPS] = { false };

	for (unsigned i = 0; i < capture.n_maps; i++) {
		const struct capture_map *map = &capture.maps[i];

		if (map->module == TEST_JIT || reported[map->module])
			continue;
		reported[map->module] = true;
		report_module(dwfl, map);
	}
	dwfl_report_end(dwfl, NULL, NULL);
	if (!dwfl_attach_state(dwfl, NULL, capture.pid, &thread_callbacks,
			       &capture)) {
		fprintf(stderr, "dwfl_attach_state: %s\n", dwfl_errmsg(-1));
		exit(2);
	}
	return dwfl;
}

static int
add_frame(Dwfl_Frame *frame, void *arg)
{
	bool exact;
	Dwarf_Addr pc;

	(void)arg;
	/* It unwinds the next frame to tell whether this one is a signal's. */
	theirs.unreadable = false;
	if (!dwfl_frame_pc(frame, &pc, &exact) || theirs.n == MAX_FRAMES)
		return DWARF_CB_ABORT;
	theirs.pc[theirs.n++] = pc - !exact;
	return DWARF_CB_OK;
}

/* ---- one stack ---- */

static void
walk_ours(void)
{
	static struct unwind_cached cache[1 << CACHE_BITS];
	static struct unwind_frame frames[MAX_FRAMES];
	static const struct unwind_walker w = { capture_lookup, &capture, cache,
						CACHE_BITS, 1 };
	enum unwind_end end;

	ours.n = unwind_walk(&w, &sample->regs, &sample->stack, frames,
			     MAX_FRAMES, &end);
	ours.complete = end == UNWIND_COMPLETE;
	for (size_t i = 0; i < ours.n; i++)
		ours.pc[i] = frames[i].pc;
}

/* Whether the innermost frame's row says that a register lies below the stack
 * pointer. */
static bool
has_popped(void)
{
	const uint64_t *reg = sample->regs.reg;
	struct unwind_code code;
	struct unwind_fde fde;
	struct unwind_row row;
	uint64_t pc = reg[UNWIND_RIP];

	if (!capture_lookup(&capture, pc, &code) || !code.cfi ||
	    unwind_find_fde(code.cfi, pc - code.bias, &fde) != UNWIND_FOUND ||
	    !unwind_find_row(&fde, pc - code.bias, &row) || row.cfa_is_expr)
		return false;
	for (unsigned i = 0; i < UNWIND_NREGS; i++) {
		uint64_t slot = reg[row.cfa_reg] + (uint64_t)row.cfa +
				(uint64_t)row.value[i];

		if (row.how[i] == UNWIND_AT_CFA && slot < reg[UNWIND_RSP])
			return true;
	}
	return false;
}

/* Whether the outermost frame of ours has no call-frame information. */
static bool
ends_without_cfi(void)
{
	uint64_t pc = ours.pc[ours.n - 1];
	struct unwind_code code;
	struct unwind_rule rule;

	return capture_lookup(&capture, pc, &code) &&
	       unwind_find_rule(code.cfi, pc - code.bias, &rule) == UNWIND_NONE;
}

/* Whether the instructions before PC call rt_sigreturn. */
static bool
is_sigreturn(uint64_t pc)
{
	/* mov $15, %rax; syscall */
	static const uint8_t code[] = { 0x48, 0xc7, 0xc0, 0x0f, 0,
					0,    0,    0x0f, 0x05 };
	struct unwind_code at;
	const struct test_module *m;
	uint64_t offset;

	if (!capture_lookup(&capture, pc, &at) || at.module == TEST_JIT)
		return false;
	m = &capture.modules[at.module];
	return unwind_elf_addr_to_offset(&m->elf, pc - sizeof code - at.bias,
					 &offset) &&
	       memcmp(m->bytes + offset, code, sizeof code) == 0;
}

#define VERDICTS(X)               \
	X(IDENTICAL, "identical") \
	X(BOTH_CUT, "both-cut")   \
	X(MARKED, "marked")       \
	X(POPPED, "popped")       \
	X(GUESSED, "guessed")     \
	X(DIFFERING, "differing")
#define NAME(verdict, name) verdict,
enum verdict { VERDICTS(NAME) N_VERDICTS };

/* libdwfl takes a return address that it cannot read for the end. */
static void
walk_theirs(Dwfl *dwfl)
{
	int status;

	theirs.n = 0;
	status = dwfl_getthread_frames(dwfl, capture.pid, add_frame, NULL);
	theirs.complete = !status && !theirs.unreadable;
}

static enum verdict
compare(void)
{
	size_t same = 0;

	while (same < ours.n && same < theirs.n &&
	       ours.pc[same] == theirs.pc[same])
		same++;
	if (same && same < ours.n && is_sigreturn(ours.pc[same - 1]))
		return GUESSED;
	if (same < theirs.n && same < ours.n)
		return DIFFERING;
	if (ours.n == theirs.n && ours.complete && theirs.complete)
		return IDENTICAL;
	if (!ours.complete && !theirs.complete && ours.n >= theirs.n)
		return BOTH_CUT;
	if (ours.n == theirs.n && ours.complete && ends_without_cfi())
		return MARKED;
	return ours.n > theirs.n && has_popped() ? POPPED : DIFFERING;
}

static void
print_walk(const char *who, const struct walk *w)
{
	fprintf(stderr, "%s, %zu frames%s:\n", who, w->n,
		w->complete ? "" : ", cut");
	for (size_t i = 0; i < w->n && i < 40; i++) {
		struct unwind_code code = { NULL, 0, TEST_JIT };

		capture_lookup(&capture, w->pc[i], &code);
		fprintf(stderr, "  %llx %s+%llx\n",
			(unsigned long long)w->pc[i],
			code.module == TEST_JIT
				? "?"
				: capture.modules[code.module].path,
			(unsigned long long)(w->pc[i] - code.bias));
	}
}

static void
print_counts(const char *program, const unsigned long *count,
	     unsigned long frames)
{
#define WORD(verdict, name) "\t" name
#define NUMBER(verdict, name) printf("\t%lu", count[verdict]);
	puts("program\tstacks" VERDICTS(WORD) "\tframes");
	printf("%s\t%zu", program, capture.n);
	VERDICTS(NUMBER)
	printf("\t%lu\n", frames);
}

int
main(int argc, char **argv)
{
	unsigned long count[N_VERDICTS] = { 0 }, frames = 0;
	Dwfl *dwfl;

	if (argc < 3)
		return 2;
	capture_program(&capture, argv + 2, strtoul(argv[1], NULL, 10), 2000);
	dwfl = begin();
	for (size_t i = 0; i < capture.n; i++) {
		enum verdict v;

		sample = &capture.samples[i];
		walk_ours();
		walk_theirs(dwfl);
		v = compare();
		count[v]++;
		frames += ours.n;
		if (v != DIFFERING || count[v] > 3)
			continue;
		print_walk("lib/unwind", &ours);
		print_walk("libdwfl", &theirs);
	}
	dwfl_end(dwfl);
	print_counts(argv[2], count, frames);
	return count[DIFFERING] != 0;
}
