/* SPDX-License-Identifier: MIT */
/* A DWARF expression on the registers and the stack of one frame. */
#include "unwind/cursor.h"
#include "unwind/dwarf_op.h"
#include "unwind/row.h"

enum {
	MAX_DEPTH = 32,	 /* of the stack */
	MAX_STEPS = 512, /* branches may go back */
};

struct evaluation {
	const struct unwind_context *context;
	struct cursor c;
	size_t start;
	uint64_t stack[MAX_DEPTH];
	unsigned depth;
	enum unwind_eval status;
	uint64_t fault; /* the address, when status is MEMORY */
};

static void
fail(struct evaluation *e, enum unwind_eval status)
{
	if (e->status == UNWIND_EVAL_OK)
		e->status = status;
}

static void
push(struct evaluation *e, uint64_t v)
{
	if (e->depth == MAX_DEPTH)
		fail(e, UNWIND_EVAL_BAD);
	else
		e->stack[e->depth++] = v;
}

static uint64_t
pop(struct evaluation *e)
{
	if (e->depth)
		return e->stack[--e->depth];
	fail(e, UNWIND_EVAL_BAD);
	return 0;
}

static void
pick(struct evaluation *e, unsigned below)
{
	if (below < e->depth)
		push(e, e->stack[e->depth - 1 - below]);
	else
		fail(e, UNWIND_EVAL_BAD);
}

static void
swap(struct evaluation *e)
{
	uint64_t a = pop(e), b = pop(e);

	push(e, a);
	push(e, b);
}

/* The top value goes below the two under it. */
static void
rotate(struct evaluation *e)
{
	uint64_t a = pop(e), b = pop(e), c = pop(e);

	push(e, a);
	push(e, c);
	push(e, b);
}

static void
push_register(struct evaluation *e, uint64_t reg)
{
	uint64_t offset = (uint64_t)unwind_cursor_sleb(&e->c);
	const struct unwind_regs *regs = e->context->regs;

	if (reg >= UNWIND_NREGS)
		fail(e, UNWIND_EVAL_BAD);
	else if (!(regs->known >> reg & 1))
		fail(e, UNWIND_EVAL_UNKNOWN);
	else
		push(e, regs->reg[reg] + offset);
}

static void
dereference(struct evaluation *e, unsigned size)
{
	uint64_t addr = pop(e), v = 0;

	if (!size || size > 8) {
		fail(e, UNWIND_EVAL_BAD);
	} else if (!unwind_load(e->context->stack, addr, &v)) {
		e->fault = addr;
		fail(e, UNWIND_EVAL_MEMORY);
	} else {
		push(e, size == 8 ? v : v & (((uint64_t)1 << 8 * size) - 1));
	}
}

static void
jump(struct evaluation *e, bool taken)
{
	int64_t delta = cursor_signed(&e->c, 2);
	int64_t to = (int64_t)e->c.pos + delta;

	if (!taken)
		return;
	if (to < (int64_t)e->start || to > (int64_t)e->c.end)
		fail(e, UNWIND_EVAL_BAD);
	else
		e->c.pos = (size_t)to;
}

static uint64_t
divide(struct evaluation *e, uint8_t op, uint64_t a, uint64_t b)
{
	if (!b) {
		fail(e, UNWIND_EVAL_BAD);
		return 0;
	}
	if (op == OP_MOD)
		return a % b;
	if (b == UINT64_MAX) /* INT64_MIN / -1 traps */
		return 0 - a;
	return (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t
shift(uint8_t op, uint64_t a, uint64_t by)
{
	if (by > 63)
		return op == OP_SHRA && (int64_t)a < 0 ? UINT64_MAX : 0;
	if (op == OP_SHL)
		return a << by;
	return op == OP_SHR ? a >> by : (uint64_t)((int64_t)a >> by);
}

static bool
compare(uint8_t op, int64_t a, int64_t b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_GE:
		return a >= b;
	case OP_GT:
		return a > b;
	case OP_LE:
		return a <= b;
	case OP_LT:
		return a < b;
	}
	return a != b;
}

/* An operation that takes two values and gives one. */
static void
binary(struct evaluation *e, uint8_t op)
{
	uint64_t b = pop(e), a = pop(e);

	switch (op) {
	case OP_AND:
		return push(e, a & b);
	case OP_OR:
		return push(e, a | b);
	case OP_XOR:
		return push(e, a ^ b);
	case OP_PLUS:
		return push(e, a + b);
	case OP_MINUS:
		return push(e, a - b);
	case OP_MUL:
		return push(e, a * b);
	case OP_DIV:
	case OP_MOD:
		return push(e, divide(e, op, a, b));
	case OP_SHL:
	case OP_SHR:
	case OP_SHRA:
		return push(e, shift(op, a, b));
	}
	push(e, compare(op, (int64_t)a, (int64_t)b));
}

static void
unary(struct evaluation *e, uint8_t op)
{
	uint64_t a = pop(e);

	switch (op) {
	case OP_ABS:
		return push(e, (int64_t)a < 0 ? 0 - a : a);
	case OP_NEG:
		return push(e, 0 - a);
	case OP_NOT:
		return push(e, ~a);
	}
	push(e, a + unwind_cursor_uleb(&e->c)); /* plus_uconst */
}

static void
constant(struct evaluation *e, uint8_t op)
{
	unsigned size = 1u << ((op - OP_CONST1U) / 2);

	if (op == OP_CONSTU)
		push(e, unwind_cursor_uleb(&e->c));
	else if (op == OP_CONSTS)
		push(e, (uint64_t)unwind_cursor_sleb(&e->c));
	else if (op & 1)
		push(e, (uint64_t)cursor_signed(&e->c, size));
	else
		push(e, cursor_fixed(&e->c, size));
}

static void
rearrange(struct evaluation *e, uint8_t op)
{
	switch (op) {
	case OP_DUP:
		return pick(e, 0);
	case OP_DROP:
		pop(e);
		return;
	case OP_OVER:
		return pick(e, 1);
	case OP_PICK:
		return pick(e, cursor_u8(&e->c));
	case OP_SWAP:
		return swap(e);
	}
	rotate(e);
}

static void
step(struct evaluation *e)
{
	uint8_t op = cursor_u8(&e->c);

	if (op >= OP_LIT0 && op <= OP_LIT31)
		push(e, op - OP_LIT0);
	else if (op >= OP_BREG0 && op <= OP_BREG31)
		push_register(e, op - OP_BREG0);
	else if (op == OP_BREGX)
		push_register(e, unwind_cursor_uleb(&e->c));
	else if (op >= OP_CONST1U && op <= OP_CONSTS)
		constant(e, op);
	else if (op >= OP_DUP && op <= OP_ROT)
		rearrange(e, op);
	else if (op == OP_ABS || (op >= OP_NEG && op <= OP_NOT) ||
		 op == OP_PLUS_UCONST)
		unary(e, op);
	else if (op == OP_BRA)
		jump(e, pop(e) != 0);
	else if (op == OP_SKIP)
		jump(e, true);
	else if (op >= OP_AND && op <= OP_NE)
		binary(e, op);
	else if (op == OP_DEREF)
		dereference(e, 8);
	else if (op == OP_DEREF_SIZE)
		dereference(e, cursor_u8(&e->c));
	else if (op == OP_ADDR)
		push(e, cursor_fixed(&e->c, 8) + e->context->bias);
	else if (op != OP_NOP)
		fail(e, UNWIND_EVAL_BAD);
}

enum unwind_eval
unwind_evaluate(const struct unwind_context *context,
		const struct unwind_section *section, uint32_t at,
		const uint64_t *first, uint64_t *out)
{
	struct evaluation e;
	uint64_t size;

	e.context = context;
	e.c = cursor_at(section, at, section->size);
	e.depth = 0;
	e.status = UNWIND_EVAL_OK;
	e.fault = 0;
	size = unwind_cursor_uleb(&e.c);
	e.start = e.c.pos;
	cursor_skip(&e.c, size);
	e.c.end = e.c.pos;
	e.c.pos = e.start;
	if (first)
		push(&e, *first);
	for (int n = 0; e.c.pos < e.c.end && e.status == UNWIND_EVAL_OK; n++) {
		if (n == MAX_STEPS)
			fail(&e, UNWIND_EVAL_BAD);
		step(&e);
	}
	if (e.c.bad)
		fail(&e, UNWIND_EVAL_BAD);
	*out = e.status == UNWIND_EVAL_MEMORY ? e.fault : pop(&e);
	return e.status;
}
