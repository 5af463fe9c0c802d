/* SPDX-License-Identifier: MIT */
/*
 * Walking a stack.
 *
 * A walk starts in fast mode, which knows only rsp, rbp and rip: enough for
 * nearly every frame. When a frame turns out to need another register, the
 * walk starts again in full mode, which restores all of them on the way.
 */
#include "unwind/row.h"

enum {
	WORD = 8,
	RED_ZONE = 128,
	MASK_RSP = 1 << UNWIND_RSP,
	MASK_RBP = 1 << UNWIND_RBP,
	MASK_RIP = 1 << UNWIND_RIP,
	MASK_FAST = MASK_RSP | MASK_RBP | MASK_RIP,
};

/* A slot further beyond the copy than any stack is long was never one. */
#define MAX_BEYOND ((uint64_t)1 << 30)

struct walk {
	const struct unwind_walker *w;
	const struct unwind_stack *stack;
	struct unwind_regs regs; /* of the frame at hand */
	struct unwind_frame *frames;
	size_t n, max;
	uint64_t salt;
	enum unwind_end end;
	bool full;		    /* all registers are tracked */
	bool restart;		    /* stopped for want of full mode */
	bool exact;		    /* regs' rip is no return address */
	bool elsewhere;		    /* a signal came from another stack */
	struct unwind_cached spare; /* where there is no cache */
};

/* The steps below return true when regs are those of the next frame, and else
 * have said by one of these why not. */
static bool
stop(struct walk *k, enum unwind_end end)
{
	k->end = end;
	return false;
}

static bool
stop_unknown(struct walk *k)
{
	k->restart = !k->full;
	return stop(k, UNWIND_LOST);
}

/* ADDR is not in the copy of the stack. */
static bool
stop_outside(struct walk *k, uint64_t addr)
{
	const struct unwind_stack *s = k->stack;
	bool beyond = addr >= s->addr && addr - s->addr < s->size + MAX_BEYOND;

	return stop(k, beyond || k->elsewhere ? UNWIND_TRUNCATED : UNWIND_LOST);
}

static bool
load(struct walk *k, uint64_t addr, uint64_t *out)
{
	return unwind_load(k->stack, addr, out) || stop_outside(k, addr);
}

/* ---- the cache ---- */

static __attribute__((noinline)) const struct unwind_cached *
fill(struct walk *k, struct unwind_cached *slot, uint64_t pc)
{
	struct unwind_code code;

	if (!k->w->lookup(k->w->ctx, pc, &code))
		return NULL;
	slot->pc = pc;
	slot->space = k->w->space;
	slot->module = code.module;
	slot->bias = code.bias;
	slot->cfi = code.cfi;
	unwind_find_rule(code.cfi, pc - code.bias, &slot->rule);
	return slot;
}

/* What is known about PC; NULL when nothing is mapped there. */
static inline const struct unwind_cached *
find_code(struct walk *k, uint64_t pc)
{
	/* 2^64 / the golden ratio: spreads the low bits upwards. */
	uint64_t hash = (pc + k->salt) * 0x9e3779b97f4a7c15u;
	struct unwind_cached *slot = &k->spare;

	if (k->w->cache)
		slot = &k->w->cache[hash >> (64 - k->w->cache_bits)];
	if (slot->pc == pc && slot->space == k->w->space)
		return slot;
	return fill(k, slot, pc);
}

static inline void
emit(struct walk *k, uint64_t pc, const struct unwind_cached *e)
{
	struct unwind_frame *f = &k->frames[k->n++];

	f->pc = pc;
	f->bias = e ? e->bias : 0;
	f->module = e ? e->module : UNWIND_NO_MODULE;
}

/* ---- one frame, any rule ---- */

static bool
go_on(struct walk *k, const struct unwind_regs *next, bool signal)
{
	uint64_t sp = next->reg[UNWIND_RSP];

	if (!next->reg[UNWIND_RIP])
		return stop(k, UNWIND_COMPLETE);
	if (!signal && sp <= k->regs.reg[UNWIND_RSP])
		return stop(k, UNWIND_LOST);
	if (k->n == k->max)
		return stop(k, UNWIND_LIMIT);
	if (signal && sp - k->stack->addr >= k->stack->size)
		k->elsewhere = true;
	k->regs = *next;
	k->exact = signal;
	return true;
}

static bool
find_cfa(struct walk *k, const struct unwind_rule *rule, uint64_t *cfa)
{
	uint64_t v = k->regs.reg[rule->reg] + (uint64_t)rule->off;

	if (!(k->regs.known >> rule->reg & 1))
		return stop_unknown(k);
	if (rule->kind == UNWIND_DEREF) {
		if (!load(k, v, &v))
			return false;
		v += (uint64_t)rule->off2;
	} else if (rule->kind == UNWIND_PLT) {
		if ((k->regs.reg[UNWIND_RIP] & 15) >= (uint32_t)rule->off2)
			v += WORD;
	}
	*cfa = v;
	return true;
}

static void
keep(const struct walk *k, unsigned reg, struct unwind_regs *next)
{
	next->reg[reg] = k->regs.reg[reg];
	next->known |= k->regs.known & 1u << reg;
}

/*
 * Restores REG from SLOT. An epilogue pops registers while rows keep saying
 * where they were: then the slot lies below the stack pointer, or, for one
 * that counts from an rbp which is the caller's already (gcc's realigned
 * frames), outside the frame; and the register holds the value.
 */
static bool
restore(struct walk *k, uint64_t slot, uint64_t frame_end, unsigned reg,
	struct unwind_regs *next)
{
	uint64_t below = k->regs.reg[UNWIND_RSP] - slot;
	bool popped = (int64_t)below > 0 || slot >= frame_end;

	if (popped && !k->exact)
		return stop(k, UNWIND_LOST);
	if (popped && (below > RED_ZONE ||
		       !unwind_load(k->stack, slot, &next->reg[reg]))) {
		keep(k, reg, next);
		return true;
	}
	next->known |= 1u << reg;
	return load(k, slot, &next->reg[reg]);
}

static bool
restore_saved(struct walk *k, const struct unwind_rule *rule, uint64_t cfa,
	      struct unwind_regs *next)
{
	static const uint8_t regs[] = UNWIND_SAVED_REGS;
	bool rbp_known = k->regs.known & MASK_RBP;
	uint64_t bp = k->regs.reg[UNWIND_RBP];

	for (unsigned i = 0; i < UNWIND_SAVED; i++) {
		uint64_t offset = (uint64_t)(WORD * rule->saved[i]);
		bool from_rbp = rule->from_rbp >> i & 1, done = true;

		if (!k->full && i != UNWIND_SAVED_RBP)
			continue;
		if (from_rbp)
			done = rbp_known ? restore(k, bp + offset, cfa, regs[i],
						   next)
					 : stop_unknown(k);
		else if (offset)
			done = restore(k, cfa + offset, UINT64_MAX, regs[i],
				       next);
		else
			keep(k, regs[i], next);
		if (!done)
			return false;
	}
	return true;
}

static bool
step_rule(struct walk *k, const struct unwind_rule *rule)
{
	struct unwind_regs next;
	uint64_t cfa = 0;

	if (!find_cfa(k, rule, &cfa))
		return false;
	next.known = MASK_RSP | MASK_RIP;
	next.reg[UNWIND_RSP] = cfa;
	if (!load(k, cfa - WORD, &next.reg[UNWIND_RIP]) ||
	    !restore_saved(k, rule, cfa, &next))
		return false;
	return go_on(k, &next, rule->flags & UNWIND_SIGNAL);
}

/* ---- one frame, evaluating its FDE ---- */

static bool
find_hard_row(const struct unwind_cfi *cfi, uint64_t pc, struct unwind_fde *fde,
	      struct unwind_row *row)
{
	for (int i = 0; cfi && i <= UNWIND_MAX_NEXT; i++, cfi = cfi->next)
		if (unwind_find_fde(cfi, pc, fde) == UNWIND_FOUND &&
		    unwind_find_row(fde, pc, row))
			return true;
	return false;
}

static enum unwind_eval
read_register(const struct unwind_regs *regs, unsigned reg, uint64_t *out)
{
	if (reg >= UNWIND_NREGS || !(regs->known >> reg & 1))
		return UNWIND_EVAL_UNKNOWN;
	*out = regs->reg[reg];
	return UNWIND_EVAL_OK;
}

static enum unwind_eval
read_slot(const struct unwind_stack *stack, uint64_t addr, uint64_t *out)
{
	if (unwind_load(stack, addr, out))
		return UNWIND_EVAL_OK;
	*out = addr;
	return UNWIND_EVAL_MEMORY;
}

/* The caller's value of REG, or in *OUT the address that cannot be read. */
static enum unwind_eval
recover(const struct unwind_context *context,
	const struct unwind_section *section, const struct unwind_row *row,
	unsigned reg, uint64_t cfa, uint64_t *out)
{
	int32_t value = row->value[reg];
	enum unwind_eval status;

	switch (row->how[reg]) {
	case UNWIND_SAME:
		return read_register(context->regs, reg, out);
	case UNWIND_IN_REG:
		return read_register(context->regs, (unsigned)value, out);
	case UNWIND_IS_CFA:
		*out = cfa + (uint64_t)value;
		return UNWIND_EVAL_OK;
	case UNWIND_AT_CFA:
		return read_slot(context->stack, cfa + (uint64_t)value, out);
	case UNWIND_AT_EXPR:
	case UNWIND_IS_EXPR:
		status = unwind_evaluate(context, section, (uint32_t)value,
					 &cfa, out);
		if (status != UNWIND_EVAL_OK || row->how[reg] == UNWIND_IS_EXPR)
			return status;
		return read_slot(context->stack, *out, out);
	}
	return UNWIND_EVAL_UNKNOWN;
}

static bool
stop_evaluation(struct walk *k, enum unwind_eval status, uint64_t fault)
{
	if (status == UNWIND_EVAL_UNKNOWN)
		return stop_unknown(k);
	if (status == UNWIND_EVAL_MEMORY)
		return stop_outside(k, fault);
	return stop(k, UNWIND_LOST);
}

static bool
step_hard(struct walk *k, const struct unwind_cached *e)
{
	/* What the mode at hand cannot do without. */
	uint32_t needed = k->full ? MASK_RSP | MASK_RIP : MASK_FAST;
	struct unwind_context context = { k->stack, &k->regs, e->bias };
	enum unwind_eval status;
	struct unwind_fde fde;
	struct unwind_row row;
	struct unwind_regs next;
	uint64_t cfa;

	if (!find_hard_row(e->cfi, e->pc - e->bias, &fde, &row))
		return stop(k, UNWIND_LOST);
	status = row.cfa_is_expr
			 ? unwind_evaluate(&context, &fde.cfi->frame,
					   (uint32_t)row.cfa, NULL, &cfa)
			 : read_register(&k->regs, row.cfa_reg, &cfa);
	if (status != UNWIND_EVAL_OK)
		return stop_evaluation(k, status, cfa);
	if (!row.cfa_is_expr)
		cfa += (uint64_t)row.cfa;
	next.known = 0;
	for (unsigned reg = 0; reg < UNWIND_NREGS; reg++) {
		status = recover(&context, &fde.cfi->frame, &row, reg, cfa,
				 &next.reg[reg]);
		if (status == UNWIND_EVAL_OK)
			next.known |= 1u << reg;
		else if (needed >> reg & 1)
			return stop_evaluation(k, status, next.reg[reg]);
	}
	return go_on(k, &next, fde.signal);
}

/* ---- signal frames ---- */

/* Nothing was called there: the handler's return address is where the
 * trampoline begins, and one less is another function. */
static void
name_trampoline(struct walk *k)
{
	k->frames[k->n - 1].pc = k->regs.reg[UNWIND_RIP];
}

/* ---- one frame, without CFI ---- */

/* A signal frame of a C library whose trampoline has no CFI (musl): known by
 * what the kernel pushed. */
static bool
is_signal_frame(const struct walk *k)
{
	uint64_t at = k->regs.reg[UNWIND_RSP] + UNWIND_UC_SELECTORS, v;

	return unwind_load(k->stack, at, &v) && v == UNWIND_SELECTORS;
}

static bool
step_signal_frame(struct walk *k)
{
	static const uint8_t order[] = UNWIND_UC_ORDER;
	uint64_t at = k->regs.reg[UNWIND_RSP] + UNWIND_UC_REGS;
	struct unwind_regs next = { .known = 0 };

	name_trampoline(k);
	for (unsigned i = 0; i < sizeof order; i++, at += WORD) {
		if (!load(k, at, &next.reg[order[i]]))
			return false;
		next.known |= 1u << order[i];
	}
	return go_on(k, &next, true);
}

/* The chain of frame pointers, where it is believable: upwards, in the stack,
 * to a return address in code. */
static bool
step_frame_pointer(struct walk *k)
{
	uint64_t bp = k->regs.reg[UNWIND_RBP];
	struct unwind_regs next = { .known = MASK_FAST };
	struct unwind_code code;

	next.reg[UNWIND_RSP] = bp + 2 * WORD;
	if (!unwind_load(k->stack, bp, &next.reg[UNWIND_RBP]) ||
	    !unwind_load(k->stack, bp + WORD, &next.reg[UNWIND_RIP]))
		return stop_outside(k, bp);
	if (!k->w->lookup(k->w->ctx, next.reg[UNWIND_RIP] - 1, &code))
		return stop(k, UNWIND_NO_CFI);
	return go_on(k, &next, false);
}

/* The kernel starts a program with nothing in its registers, and the first
 * instructions of dynamic loaders have no CFI. */
static bool
is_program_start(const struct walk *k)
{
	static const uint8_t saved[] = { UNWIND_RBX, UNWIND_RBP, UNWIND_R12,
					 UNWIND_R13, UNWIND_R14, UNWIND_R15 };

	for (unsigned i = 0; i < sizeof saved; i++)
		if (!(k->regs.known >> saved[i] & 1) || k->regs.reg[saved[i]])
			return false;
	return true;
}

static bool
step_without_cfi(struct walk *k, bool damaged)
{
	uint64_t bp = k->regs.reg[UNWIND_RBP], sp = k->regs.reg[UNWIND_RSP];

	if (is_signal_frame(k))
		return step_signal_frame(k);
	if (!(k->regs.known & MASK_RBP))
		return stop_unknown(k);
	/* The ABI's mark of the outermost frame; in the innermost, rbp alone
	 * may be a variable that happens to be 0. */
	if (!bp && !damaged && (k->n > 1 || is_program_start(k)))
		return stop(k, UNWIND_COMPLETE);
	if (bp % WORD == 0 && bp >= sp && step_frame_pointer(k))
		return true;
	if (k->end == UNWIND_LOST)
		return stop(k, damaged ? UNWIND_LOST : UNWIND_NO_CFI);
	return false;
}

/* A call through a bad pointer has pushed its return address already. */
static bool
step_unmapped(struct walk *k)
{
	struct unwind_regs next = k->regs;

	next.reg[UNWIND_RSP] += WORD;
	return load(k, k->regs.reg[UNWIND_RSP], &next.reg[UNWIND_RIP]) &&
	       go_on(k, &next, false);
}

/* ---- the walk ---- */

static bool
step(struct walk *k, const struct unwind_cached *e)
{
	k->end = UNWIND_LOST;
	if (e->rule.flags & UNWIND_SIGNAL)
		name_trampoline(k);
	switch (e->rule.kind) {
	case UNWIND_REG:
	case UNWIND_DEREF:
	case UNWIND_PLT:
		return step_rule(k, &e->rule);
	case UNWIND_HARD:
		return step_hard(k, e);
	case UNWIND_END:
		return stop(k, UNWIND_COMPLETE);
	}
	return step_without_cfi(k, e->rule.kind == UNWIND_BAD);
}

/*
 * Goes through the frames from E's on, which is emitted, as long as their
 * rules are the common ones. Whatever is not plain sailing is left as it is,
 * for step() to do or to explain. Returns the entry of the frame reached.
 */
static inline const struct unwind_cached *
run_fast(struct walk *k, const struct unwind_cached *e)
{
	const unsigned char *bytes = k->stack->bytes;
	uint64_t base = k->stack->addr, size = k->stack->size;
	uint64_t limit = size < WORD ? 0 : size - (WORD - 1);
	uint64_t sp = k->regs.reg[UNWIND_RSP], bp = k->regs.reg[UNWIND_RBP];
	size_t first = k->n;

	while (e->rule.kind == UNWIND_REG && !e->rule.flags &&
	       !e->rule.from_rbp && k->n < k->max) {
		const struct unwind_rule *rule = &e->rule;
		const struct unwind_cached *next;
		uint64_t cfa, at, slot, pc, saved = bp;

		if (rule->reg == UNWIND_RSP)
			cfa = sp + (uint64_t)rule->off;
		else if (rule->reg == UNWIND_RBP)
			cfa = bp + (uint64_t)rule->off;
		else
			break;
		at = cfa - WORD - base;
		slot = cfa + (uint64_t)(WORD * rule->saved[UNWIND_SAVED_RBP]);
		if (cfa <= sp || at >= limit || slot < sp)
			break;
		if (slot != cfa) {
			if (slot - base >= limit)
				break;
			__builtin_memcpy(&saved, bytes + (slot - base), WORD);
		}
		__builtin_memcpy(&pc, bytes + at, WORD);
		if (!pc-- || !(next = find_code(k, pc)))
			break;
		emit(k, pc, next);
		sp = cfa;
		bp = saved;
		e = next;
	}
	if (k->n == first)
		return e;
	k->regs.reg[UNWIND_RSP] = sp;
	k->regs.reg[UNWIND_RBP] = bp;
	k->regs.reg[UNWIND_RIP] = k->frames[k->n - 1].pc + 1;
	k->regs.known = MASK_FAST;
	k->exact = false;
	return e;
}

static void
walk(struct walk *k)
{
	bool more = true;

	while (more) {
		uint64_t pc = k->regs.reg[UNWIND_RIP] - !k->exact;
		const struct unwind_cached *e = find_code(k, pc);

		if (!e && k->n) {
			stop(k, UNWIND_LOST);
			return;
		}
		emit(k, pc, e);
		if (e && !k->full)
			e = run_fast(k, e);
		more = e ? step(k, e) : step_unmapped(k);
	}
}

size_t
unwind_walk(const struct unwind_walker *w, const struct unwind_regs *regs,
	    const struct unwind_stack *stack, struct unwind_frame *frames,
	    size_t max, enum unwind_end *end)
{
	struct walk k;

	k.w = w;
	k.stack = stack;
	k.frames = frames;
	k.max = max;
	k.salt = (uint64_t)w->space << 40;
	k.spare.space = 0;
	k.full = (regs->known & MASK_FAST) != MASK_FAST;
	k.n = 0;
	k.end = UNWIND_LIMIT;
	while (max) {
		k.n = 0;
		k.regs = *regs;
		k.restart = false;
		k.exact = true;
		k.elsewhere = false;
		walk(&k);
		if (!k.restart)
			break;
		k.full = true;
	}
	*end = k.end;
	return k.n;
}
