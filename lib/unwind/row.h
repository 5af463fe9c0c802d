/* SPDX-License-Identifier: MIT */
/*
 * Inside lib/unwind: frame description entries, and the full row of the
 * table that one gives for an address (DWARF 5, 6.4.1), before it is made
 * small (struct unwind_rule).
 */
#ifndef PK_UNWIND_ROW_H
#define PK_UNWIND_ROW_H

#include "unwind/unwind.h"

enum { UNWIND_MAX_NEXT = 3 }; /* of cfi->next are followed */

/* An FDE with what its CIE says. Offsets are in cfi->frame. */
struct unwind_fde {
	const struct unwind_cfi *cfi;
	uint64_t start, end; /* addresses covered: [start, end) */
	uint64_t code_align;
	int64_t data_align;
	size_t first_ops, first_end; /* the CIE's instructions */
	size_t ops, ops_end;	     /* the FDE's */
	uint8_t encoding;	     /* of addresses: DW_EH_PE_* */
	bool signal;
	bool augmented; /* 'z': augmentation data precede instructions */
};

enum unwind_found { UNWIND_FOUND, UNWIND_MISSING, UNWIND_DAMAGED };

/* The FDE of CFI that covers PC; cfi->next is not asked. */
enum unwind_found unwind_find_fde(const struct unwind_cfi *cfi, uint64_t pc,
				  struct unwind_fde *out);

/* Where the caller's value of a register is. */
enum unwind_how {
	UNWIND_SAME,	  /* unchanged */
	UNWIND_UNDEFINED, /* lost */
	UNWIND_AT_CFA,	  /* at CFA + value */
	UNWIND_IS_CFA,	  /* it is CFA + value */
	UNWIND_IN_REG,	  /* in register number value */
	UNWIND_AT_EXPR,	  /* where an expression says */
	UNWIND_IS_EXPR,	  /* what an expression says */
};

/* An expression is the offset in `frame` of its length (uleb), as uint32_t. */
struct unwind_row {
	bool cfa_is_expr;
	uint8_t cfa_reg;
	int32_t cfa;
	uint8_t how[UNWIND_NREGS];
	int32_t value[UNWIND_NREGS];
};

/* Runs FDE's instructions up to PC, which it covers. False when they are
 * damaged, or hold an operation nobody knows. */
bool unwind_find_row(const struct unwind_fde *fde, uint64_t pc,
		     struct unwind_row *out);

/* True for a register that the ABI lets a function change only if it puts it
 * back. */
static inline bool
unwind_callee_saved(unsigned reg)
{
	return reg == UNWIND_RBX || reg == UNWIND_RBP ||
	       (reg >= UNWIND_R12 && reg <= UNWIND_R15);
}

/* ---- expressions (DWARF 5, 2.5) ---- */

enum unwind_eval {
	UNWIND_EVAL_OK,
	UNWIND_EVAL_BAD,     /* damaged, or needs what a stack does not hold */
	UNWIND_EVAL_UNKNOWN, /* needs a register that is not known */
	UNWIND_EVAL_MEMORY,  /* reads outside the stack: at *out */
};

struct unwind_context {
	const struct unwind_stack *stack;
	const struct unwind_regs *regs;
	uint64_t bias;
};

/* Evaluates the expression at offset AT in SECTION. PUSH, when not NULL, is
 * on the stack at the start (the CFA). */
enum unwind_eval unwind_evaluate(const struct unwind_context *context,
				 const struct unwind_section *section,
				 uint32_t at, const uint64_t *push,
				 uint64_t *out);

/* The word at ADDR in the program; false when the stack does not hold it. */
static inline bool
unwind_load(const struct unwind_stack *stack, uint64_t addr, uint64_t *out)
{
	uint64_t at = addr - stack->addr;

	if (at >= stack->size || stack->size - at < sizeof *out)
		return false;
	__builtin_memcpy(out, stack->bytes + at, sizeof *out);
	return true;
}

#endif
