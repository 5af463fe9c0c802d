/* SPDX-License-Identifier: MIT */
/*
 * Running the instructions of an FDE to the row of an address
 * (DWARF 5, 6.4.2).
 */
#include "unwind/cursor.h"
#include "unwind/row.h"

enum {
	CFA_ADVANCE_LOC = 0x40, /* with an operand in the low six bits */
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	CFA_NOP = 0x00,
	CFA_SET_LOC,
	CFA_ADVANCE_LOC1,
	CFA_ADVANCE_LOC2,
	CFA_ADVANCE_LOC4,
	CFA_OFFSET_EXTENDED,
	CFA_RESTORE_EXTENDED,
	CFA_UNDEFINED,
	CFA_SAME_VALUE,
	CFA_REGISTER,
	CFA_REMEMBER_STATE,
	CFA_RESTORE_STATE,
	CFA_DEF_CFA,
	CFA_DEF_CFA_REGISTER,
	CFA_DEF_CFA_OFFSET,
	CFA_DEF_CFA_EXPRESSION,
	CFA_EXPRESSION,
	CFA_OFFSET_EXTENDED_SF,
	CFA_DEF_CFA_SF,
	CFA_DEF_CFA_OFFSET_SF,
	CFA_VAL_OFFSET,
	CFA_VAL_OFFSET_SF,
	CFA_VAL_EXPRESSION,
	CFA_ADVANCE_LOC8 = 0x1d,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET = 0x2f,
};

enum {
	MAX_REMEMBERED = 8,    /* compilers nest one deep */
	MAX_PROGRAM = 1 << 20, /* bytes: bounds the time of one row */
};

struct machine {
	const struct unwind_fde *fde;
	struct cursor c;
	uint64_t loc, pc;
	struct unwind_row row;
	const struct unwind_row *initial; /* after the CIE's instructions */
	struct unwind_row remembered[MAX_REMEMBERED];
	unsigned n_remembered;
};

static void
fail(struct machine *m)
{
	cursor_fail(&m->c);
}

static int32_t
narrow(struct machine *m, int64_t v)
{
	if (v != (int32_t)v)
		fail(m);
	return (int32_t)v;
}

/* A factored offset in bytes. */
static int32_t
scale(struct machine *m, int64_t factored)
{
	int64_t v;

	if (__builtin_mul_overflow(factored, m->fde->data_align, &v))
		fail(m);
	return narrow(m, v);
}

/* Registers that are not tracked (vectors, flags) are read over. */
static void
set_reg(struct machine *m, uint64_t reg, enum unwind_how how, int32_t value)
{
	if (reg >= UNWIND_NREGS)
		return;
	m->row.how[reg] = (uint8_t)how;
	m->row.value[reg] = value;
}

static void
restore_reg(struct machine *m, uint64_t reg)
{
	if (!m->initial)
		fail(m);
	else if (reg < UNWIND_NREGS)
		set_reg(m, reg, m->initial->how[reg], m->initial->value[reg]);
}

static void
set_cfa_reg(struct machine *m, uint64_t reg)
{
	if (reg >= UNWIND_NREGS)
		fail(m);
	m->row.cfa_is_expr = false;
	m->row.cfa_reg = (uint8_t)reg;
}

static void
set_cfa_offset(struct machine *m, int64_t offset)
{
	if (m->row.cfa_is_expr)
		fail(m);
	m->row.cfa = narrow(m, offset);
}

/* Steps over an expression; returns where it is. */
static int32_t
read_expression(struct machine *m)
{
	size_t at = m->c.pos;

	cursor_skip(&m->c, unwind_cursor_uleb(&m->c));
	if (at > INT32_MAX)
		fail(m);
	return (int32_t)at;
}

static void
remember(struct machine *m)
{
	if (m->n_remembered == MAX_REMEMBERED)
		fail(m);
	else
		m->remembered[m->n_remembered++] = m->row;
}

static void
recall(struct machine *m)
{
	if (!m->n_remembered)
		fail(m);
	else
		m->row = m->remembered[--m->n_remembered];
}

static void
run_cfa(struct machine *m, uint8_t op)
{
	struct cursor *c = &m->c;

	switch (op) {
	case CFA_DEF_CFA:
		set_cfa_reg(m, unwind_cursor_uleb(c));
		set_cfa_offset(m, (int64_t)unwind_cursor_uleb(c));
		break;
	case CFA_DEF_CFA_SF:
		set_cfa_reg(m, unwind_cursor_uleb(c));
		set_cfa_offset(m, scale(m, unwind_cursor_sleb(c)));
		break;
	case CFA_DEF_CFA_REGISTER:
		if (m->row.cfa_is_expr)
			fail(m);
		set_cfa_reg(m, unwind_cursor_uleb(c));
		break;
	case CFA_DEF_CFA_OFFSET:
		set_cfa_offset(m, (int64_t)unwind_cursor_uleb(c));
		break;
	case CFA_DEF_CFA_OFFSET_SF:
		set_cfa_offset(m, scale(m, unwind_cursor_sleb(c)));
		break;
	case CFA_DEF_CFA_EXPRESSION:
		m->row.cfa_is_expr = true;
		m->row.cfa = read_expression(m);
		break;
	}
}

static void
run_register(struct machine *m, uint8_t op)
{
	struct cursor *c = &m->c;
	uint64_t reg = unwind_cursor_uleb(c);

	switch (op) {
	case CFA_OFFSET_EXTENDED:
		set_reg(m, reg, UNWIND_AT_CFA,
			scale(m, (int64_t)unwind_cursor_uleb(c)));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		set_reg(m, reg, UNWIND_AT_CFA, scale(m, unwind_cursor_sleb(c)));
		break;
	case CFA_GNU_NEGATIVE_OFFSET:
		set_reg(m, reg, UNWIND_AT_CFA,
			scale(m, (int64_t)(0 - unwind_cursor_uleb(c))));
		break;
	case CFA_VAL_OFFSET:
		set_reg(m, reg, UNWIND_IS_CFA,
			scale(m, (int64_t)unwind_cursor_uleb(c)));
		break;
	case CFA_VAL_OFFSET_SF:
		set_reg(m, reg, UNWIND_IS_CFA, scale(m, unwind_cursor_sleb(c)));
		break;
	case CFA_RESTORE_EXTENDED:
		restore_reg(m, reg);
		break;
	case CFA_UNDEFINED:
		set_reg(m, reg, UNWIND_UNDEFINED, 0);
		break;
	case CFA_SAME_VALUE:
		set_reg(m, reg, UNWIND_SAME, 0);
		break;
	case CFA_REGISTER:
		set_reg(m, reg, UNWIND_IN_REG,
			narrow(m, (int64_t)unwind_cursor_uleb(c)));
		break;
	case CFA_EXPRESSION:
		set_reg(m, reg, UNWIND_AT_EXPR, read_expression(m));
		break;
	case CFA_VAL_EXPRESSION:
		set_reg(m, reg, UNWIND_IS_EXPR, read_expression(m));
		break;
	}
}

static void
run_extended(struct machine *m, uint8_t op)
{
	switch (op) {
	case CFA_NOP:
		break;
	case CFA_GNU_ARGS_SIZE: /* of no concern to a walker */
		unwind_cursor_uleb(&m->c);
		break;
	case CFA_REMEMBER_STATE:
		remember(m);
		break;
	case CFA_RESTORE_STATE:
		recall(m);
		break;
	case CFA_DEF_CFA:
	case CFA_DEF_CFA_SF:
	case CFA_DEF_CFA_REGISTER:
	case CFA_DEF_CFA_OFFSET:
	case CFA_DEF_CFA_OFFSET_SF:
	case CFA_DEF_CFA_EXPRESSION:
		run_cfa(m, op);
		break;
	case CFA_OFFSET_EXTENDED:
	case CFA_RESTORE_EXTENDED:
	case CFA_UNDEFINED:
	case CFA_SAME_VALUE:
	case CFA_REGISTER:
	case CFA_EXPRESSION:
	case CFA_OFFSET_EXTENDED_SF:
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF:
	case CFA_VAL_EXPRESSION:
	case CFA_GNU_NEGATIVE_OFFSET:
		run_register(m, op);
		break;
	default:
		fail(m);
	}
}

/* The address at which the row after OP begins, if OP ends a row. */
static bool
run_advance(struct machine *m, uint8_t op, uint64_t *loc)
{
	static const uint8_t size[] = { [CFA_ADVANCE_LOC1] = 1,
					[CFA_ADVANCE_LOC2] = 2,
					[CFA_ADVANCE_LOC4] = 4,
					[CFA_ADVANCE_LOC8] = 8 };
	uint64_t delta;

	if (op == CFA_SET_LOC) {
		*loc = unwind_cursor_pointer(&m->c, m->fde->encoding, 0);
		return true;
	}
	if ((op & 0xc0) == CFA_ADVANCE_LOC)
		delta = op & 0x3f;
	else if (op < sizeof size && size[op])
		delta = cursor_fixed(&m->c, size[op]);
	else
		return false;
	*loc = m->loc + delta * m->fde->code_align;
	return true;
}

/* Runs [pos, end) until the row that holds pc is complete. */
static bool
run(struct machine *m, size_t pos, size_t end)
{
	m->c = cursor_at(&m->fde->cfi->frame, pos, end);
	if (m->c.end - m->c.pos > MAX_PROGRAM)
		return false;
	while (m->c.pos < m->c.end) {
		uint8_t op = cursor_u8(&m->c);
		uint64_t loc;

		if (run_advance(m, op, &loc)) {
			if (loc > m->pc)
				break;
			m->loc = loc;
		} else if ((op & 0xc0) == CFA_OFFSET) {
			set_reg(m, op & 0x3f, UNWIND_AT_CFA,
				scale(m, (int64_t)unwind_cursor_uleb(&m->c)));
		} else if ((op & 0xc0) == CFA_RESTORE) {
			restore_reg(m, op & 0x3f);
		} else {
			run_extended(m, op);
		}
	}
	return !m->c.bad;
}

/* What holds before any instruction (System V ABI, figure 3.4). */
static void
start_row(struct unwind_row *row)
{
	*row = (struct unwind_row){ 0 };
	for (unsigned i = 0; i < UNWIND_NREGS; i++)
		row->how[i] =
			unwind_callee_saved(i) ? UNWIND_SAME : UNWIND_UNDEFINED;
	row->how[UNWIND_RSP] = UNWIND_IS_CFA;
	row->cfa_reg = UNWIND_NREGS;
}

bool
unwind_find_row(const struct unwind_fde *fde, uint64_t pc,
		struct unwind_row *out)
{
	struct unwind_row initial;
	struct machine m;

	m.fde = fde;
	m.loc = fde->start;
	m.pc = pc;
	m.initial = NULL;
	m.n_remembered = 0;
	start_row(&m.row);
	if (!run(&m, fde->first_ops, fde->first_end))
		return false;
	initial = m.row;
	m.initial = &initial;
	m.loc = fde->start;
	m.n_remembered = 0;
	if (!run(&m, fde->ops, fde->ops_end))
		return false;
	*out = m.row;
	return out->cfa_is_expr || out->cfa_reg < UNWIND_NREGS;
}
