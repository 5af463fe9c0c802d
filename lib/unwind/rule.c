/* SPDX-License-Identifier: MIT */
/* Making the small rule of a row. */
#include "unwind/cursor.h"
#include "unwind/dwarf_op.h"
#include "unwind/row.h"

enum { WORD = 8 };

/* A cursor over the operations of the expression at AT. */
static struct cursor
open_expression(const struct unwind_fde *fde, int32_t at)
{
	const struct unwind_section *frame = &fde->cfi->frame;
	struct cursor c = cursor_at(frame, (uint32_t)at, frame->size);
	uint64_t size = unwind_cursor_uleb(&c);
	size_t start = c.pos;

	cursor_skip(&c, size);
	c.end = c.pos;
	c.pos = c.bad ? c.end : start;
	return c;
}

/* Reads `bregN off`. */
static bool
read_breg(struct cursor *c, uint8_t *reg, int32_t *off)
{
	uint8_t op = cursor_u8(c);
	int64_t v = unwind_cursor_sleb(c);

	*reg = (uint8_t)(op - OP_BREG0);
	*off = (int32_t)v;
	return !c->bad && op >= OP_BREG0 && *reg < UNWIND_NREGS && *off == v;
}

/* After `bregN off`: `deref`, alone or with `plus_uconst`. */
static bool
match_deref(struct cursor c, int32_t *off2)
{
	uint64_t v = 0;

	if (cursor_u8(&c) != OP_DEREF)
		return false;
	if (c.pos < c.end) {
		if (cursor_u8(&c) != OP_PLUS_UCONST)
			return false;
		v = unwind_cursor_uleb(&c);
	}
	*off2 = (int32_t)v;
	return !c.bad && c.pos == c.end && v <= INT32_MAX;
}

/* After `bregN off`: what binutils and lld write for entries of the PLT, which
 * push one word in their second half: 8 more when rip & 15 >= the literal. */
static bool
match_plt(struct cursor c, int32_t *off2)
{
	static const uint8_t before[] = { OP_BREG0 + UNWIND_RIP, 0,
					  OP_LIT0 + 15, OP_AND };
	static const uint8_t after[] = { OP_GE, OP_LIT0 + 3, OP_SHL, OP_PLUS };
	uint8_t literal;

	for (unsigned i = 0; i < sizeof before; i++)
		if (cursor_u8(&c) != before[i])
			return false;
	literal = cursor_u8(&c);
	for (unsigned i = 0; i < sizeof after; i++)
		if (cursor_u8(&c) != after[i])
			return false;
	*off2 = literal - OP_LIT0;
	return !c.bad && c.pos == c.end && *off2 >= 0 && *off2 < 16;
}

static enum unwind_kind
classify_cfa(const struct unwind_fde *fde, const struct unwind_row *row,
	     struct unwind_rule *out)
{
	struct cursor c;

	if (!row->cfa_is_expr) {
		out->reg = row->cfa_reg;
		out->off = row->cfa;
		return UNWIND_REG;
	}
	c = open_expression(fde, row->cfa);
	if (!read_breg(&c, &out->reg, &out->off))
		return UNWIND_HARD;
	if (c.pos == c.end)
		return UNWIND_REG;
	if (match_deref(c, &out->off2))
		return UNWIND_DEREF;
	return match_plt(c, &out->off2) ? UNWIND_PLT : UNWIND_HARD;
}

/* Puts where the register is saved into saved[I]; false when it does not fit.
 */
static bool
place_saved(const struct unwind_fde *fde, uint8_t how, int32_t value,
	    unsigned i, struct unwind_rule *out)
{
	struct cursor c;
	uint8_t reg;

	switch (how) {
	case UNWIND_SAME:
		return true;
	case UNWIND_AT_EXPR:
		c = open_expression(fde, value);
		if (!read_breg(&c, &reg, &value) || c.pos != c.end ||
		    reg != UNWIND_RBP)
			return false;
		out->from_rbp |= (uint8_t)(1 << i);
		break;
	case UNWIND_AT_CFA:
		if (!value) /* would read as unchanged */
			return false;
		break;
	default:
		return false;
	}
	out->saved[i] = (int8_t)(value / WORD);
	return out->saved[i] * WORD == value;
}

/* Whether the return address, the stack pointer and, in a signal frame, the
 * registers that a call may change, are as every small rule has them. */
static bool
is_plain(const struct unwind_fde *fde, const struct unwind_row *row)
{
	if (row->how[UNWIND_RIP] != UNWIND_AT_CFA ||
	    row->value[UNWIND_RIP] != -WORD ||
	    row->how[UNWIND_RSP] != UNWIND_IS_CFA || row->value[UNWIND_RSP])
		return false;
	for (unsigned i = 0; fde->signal && i < UNWIND_RSP; i++)
		if (!unwind_callee_saved(i) && row->how[i] != UNWIND_UNDEFINED)
			return false;
	return true;
}

static enum unwind_kind
compile(const struct unwind_fde *fde, const struct unwind_row *row,
	struct unwind_rule *out)
{
	static const uint8_t reg[] = UNWIND_SAVED_REGS;
	enum unwind_kind kind;

	if (row->how[UNWIND_RIP] == UNWIND_UNDEFINED)
		return UNWIND_END;
	kind = is_plain(fde, row) ? classify_cfa(fde, row, out) : UNWIND_HARD;
	for (unsigned i = 0; i < UNWIND_SAVED && kind != UNWIND_HARD; i++)
		if (!place_saved(fde, row->how[reg[i]], row->value[reg[i]], i,
				 out))
			kind = UNWIND_HARD;
	return kind;
}

static enum unwind_kind
find_one(const struct unwind_cfi *cfi, uint64_t pc, struct unwind_rule *out)
{
	struct unwind_fde fde;
	struct unwind_row row;
	enum unwind_kind kind;

	*out = (struct unwind_rule){ 0 };
	switch (unwind_find_fde(cfi, pc, &fde)) {
	case UNWIND_MISSING:
		return UNWIND_NONE;
	case UNWIND_DAMAGED:
		return UNWIND_BAD;
	case UNWIND_FOUND:
		break;
	}
	if (!unwind_find_row(&fde, pc, &row))
		return UNWIND_BAD;
	kind = compile(&fde, &row, out);
	if (kind == UNWIND_HARD || kind == UNWIND_END)
		*out = (struct unwind_rule){ 0 };
	out->flags = fde.signal ? UNWIND_SIGNAL : 0;
	return kind;
}

enum unwind_kind
unwind_find_rule(const struct unwind_cfi *cfi, uint64_t pc,
		 struct unwind_rule *out)
{
	enum unwind_kind kind = UNWIND_NONE;

	*out = (struct unwind_rule){ 0 };
	for (int i = 0; cfi && i <= UNWIND_MAX_NEXT; i++, cfi = cfi->next) {
		enum unwind_kind found = find_one(cfi, pc, out);

		if (found != UNWIND_NONE)
			kind = found;
		if (found != UNWIND_NONE && found != UNWIND_BAD)
			break;
	}
	out->kind = (uint8_t)kind;
	return kind;
}
