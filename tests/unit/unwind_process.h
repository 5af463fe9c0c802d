/* SPDX-License-Identifier: MIT */
/*
 * What the unwinder's tests and benchmark share: the call-frame information
 * of a file, and that of this process.
 */
#ifndef PK_TESTS_UNWIND_PROCESS_H
#define PK_TESTS_UNWIND_PROCESS_H

#include <signal.h>
#include <ucontext.h>

#include "unwind/unwind.h"

struct test_module {
	char path[256];
	struct unwind_elf elf;
	const unsigned char *bytes; /* the file, or the image in memory */
	size_t size;
	struct unwind_cfi cfi;	 /* .eh_frame; .debug_frame is its next */
	struct unwind_cfi debug; /* .debug_frame */
	uint64_t bias;
};

/* Reads the file at PATH; ends the program when it is not what it should be.
 */
void test_module_open(struct test_module *m, const char *path);

/* The vdso, which is the same in all processes. */
void test_module_open_vdso(struct test_module *m);

void test_module_close(struct test_module *m);

/* The modules mapped into this process, vdso included. */
extern struct test_module test_modules[64];
extern unsigned test_n_modules;

/* A page of code that belongs to none, or 0; and its module's number. */
extern uint64_t test_jit;
enum { TEST_JIT = 1000 };

/* Fills test_modules anew. */
void test_find_modules(void);

/* An unwind_lookup_fn over test_modules, safe in a signal handler. */
bool test_lookup(void *ctx, uint64_t pc, struct unwind_code *code);

/* Where the mapping of the stack that SP lies in ends; asked once, and so for
 * one stack. */
uint64_t test_end_of_stack(uint64_t sp);

/* The registers of a signal handler's third argument. */
void test_regs_of_context(const ucontext_t *uc, struct unwind_regs *regs);

void test_use_stack(void *stack, size_t size); /* for SA_ONSTACK */
void test_handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags);

#endif
