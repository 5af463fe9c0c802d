/* SPDX-License-Identifier: MIT */
/*
 * What unwinding knows about x86-64 Linux: the only file that does.
 *
 * Sources: System V ABI, AMD64 supplement 1.0, figure 3.36 (DWARF numbers)
 * and 3.2.1 (callee-saved registers); arch/x86/include/uapi/asm/sigcontext.h
 * and ucontext.h for the frame that the kernel pushes for a signal.
 */
#ifndef PK_UNWIND_X86_64_H
#define PK_UNWIND_X86_64_H

/* DWARF numbers; UNWIND_RIP is the column of the return address. */
enum {
	UNWIND_RAX,
	UNWIND_RDX,
	UNWIND_RCX,
	UNWIND_RBX,
	UNWIND_RSI,
	UNWIND_RDI,
	UNWIND_RBP,
	UNWIND_RSP,
	UNWIND_R8,
	UNWIND_R9,
	UNWIND_R10,
	UNWIND_R11,
	UNWIND_R12,
	UNWIND_R13,
	UNWIND_R14,
	UNWIND_R15,
	UNWIND_RIP,
	UNWIND_NREGS
};

/* The callee-saved registers in the order of struct unwind_rule.saved. */
enum {
	UNWIND_SAVED_RBX,
	UNWIND_SAVED_RBP,
	UNWIND_SAVED_R12,
	UNWIND_SAVED_R13,
	UNWIND_SAVED_R14,
	UNWIND_SAVED_R15,
	UNWIND_SAVED
};

/* DWARF number of a saved register's index. */
#define UNWIND_SAVED_REGS                                                   \
	{                                                                   \
		UNWIND_RBX, UNWIND_RBP, UNWIND_R12, UNWIND_R13, UNWIND_R14, \
			UNWIND_R15                                          \
	}

/*
 * The ucontext of a signal frame, whose address is the stack pointer while
 * rt_sigreturn's trampoline runs: the registers in this order of DWARF
 * numbers from UNWIND_UC_REGS on, and after rip and eflags the selectors.
 * User code always runs with cs 0x33 and ss 0x2b, which makes that word a
 * signature that hardly any other stack data has.
 */
enum { UNWIND_UC_REGS = 40, UNWIND_UC_SELECTORS = 184 };
#define UNWIND_SELECTORS 0x002b000000000033u
#define UNWIND_UC_ORDER                                                   \
	{                                                                 \
		UNWIND_R8, UNWIND_R9, UNWIND_R10, UNWIND_R11, UNWIND_R12, \
			UNWIND_R13, UNWIND_R14, UNWIND_R15, UNWIND_RDI,   \
			UNWIND_RSI, UNWIND_RBP, UNWIND_RBX, UNWIND_RDX,   \
			UNWIND_RAX, UNWIND_RCX, UNWIND_RSP, UNWIND_RIP    \
	}

#endif
