/* SPDX-License-Identifier: MIT */
/* A sample's stack becomes a path in the capture's tree of frames. */
#include "import/machine/perf_data.h"

#include <stdlib.h>
#include "base/hash.h"
#include "base/xalloc.h"

enum {
	/* Slots, and the longest chain that is remembered: 8 MB at most. */
	CHAINS = 1 << 13,
	CHAIN_MAX = 128,
	/* The kernel's default, where the recording does not say. */
	KERNEL_CHAIN_MAX = 127,
};

/* ---- frames ---- */

static uint32_t
add_node(struct perf_reader *r, uint32_t parent, uint32_t module, uint64_t addr)
{
	struct node node = { addr, parent, module };

	return nodes_add(&r->c->nodes, node, NULL);
}

static uint32_t
add_special(struct perf_reader *r, uint32_t parent, enum perf_special s)
{
	static const char *const names[N_SPECIALS] = {
		[TRUNCATED] = CAPTURE_TRUNCATED,
		[UNREADABLE] = CAPTURE_UNREADABLE,
		[NO_CFI] = CAPTURE_NO_CFI,
		[UNKNOWN] = "[unknown]",
	};

	if (!r->specials[s])
		r->specials[s] =
			1 + capture_new_module(r->c, (struct slice){ NULL, 0 },
					       CAPTURE_ABSOLUTE,
					       slice_str(names[s]));
	return add_node(r, parent, r->specials[s] - 1, 0);
}

static uint32_t
module_of(struct perf_reader *r, uint32_t index)
{
	struct module *m = r->procs.modules.list[index];
	struct slice id = slice_str(m->build_id);

	if (m->capture_id)
		return m->capture_id - 1;
	if (m->kind == MODULE_JIT)
		m->capture_id =
			1 + capture_new_module(r->c, id, CAPTURE_ABSOLUTE,
					       m->key.path);
	else
		m->capture_id =
			1 + capture_add_module(r->c, id,
					       m->readable ? CAPTURE_VADDR
							   : CAPTURE_OFFSET,
					       m->key.path);
	return m->capture_id - 1;
}

static uint32_t
add_user(struct perf_reader *r, uint32_t parent, const struct unwind_frame *f)
{
	if (f->module == UNWIND_NO_MODULE)
		return add_special(r, parent, UNKNOWN);
	return add_node(r, parent, module_of(r, f->module), f->pc - f->bias);
}

static uint32_t
add_user_pc(struct perf_reader *r, uint32_t parent, const struct process *p,
	    uint64_t pc)
{
	struct unwind_frame f = process_find_frame(&r->walker, p, pc);

	return add_user(r, parent, &f);
}

static uint32_t
add_kernel_pc(struct perf_reader *r, uint32_t parent, uint64_t pc)
{
	struct perf_part *k;

	perf_find_kernel_symbols(r);
	k = perf_find_part(&r->kernel, pc);
	if (!k->capture_id)
		k->capture_id = 1 + perf_kernel_module(r, k);
	return add_node(r, parent, k->capture_id - 1, pc - k->start);
}

/* ---- chains ---- */

static bool
is_chain(const struct perf_chain *c, const struct perf_chain *key)
{
	return c->n == key->n && c->hash == key->hash &&
	       c->space == key->space && c->parent == key->parent &&
	       !memcmp(c->words, key->words, key->n * sizeof *key->words);
}

static void
remember(struct perf_chain *c, const struct perf_chain *key)
{
	uint64_t *words = c->words;
	uint32_t cap = c->cap;

	if (cap < key->n) {
		cap = key->n;
		words = xreallocarray(words, cap, sizeof *words);
	}
	memcpy(words, key->words, key->n * sizeof *words);
	*c = *key;
	c->words = words;
	c->cap = cap;
}

/*
 * The node of N callers, innermost first, on PARENT. SPACE: what their
 * addresses mean; P: NULL in the kernel. They are return addresses. Most
 * samples of a program have callers that were met before.
 */
static uint32_t
add_callers(struct perf_reader *r, uint32_t parent, uint32_t space,
	    const struct process *p, const uint64_t *word, size_t n)
{
	struct perf_chain key = { .words = (uint64_t *)(uintptr_t)word,
				  .n = (uint32_t)n,
				  .space = space,
				  .parent = parent,
				  .node = parent };
	struct perf_chain *c;
	size_t i;

	if (!n)
		return parent;
	key.hash = hash_bytes(word, n * sizeof *word) ^ hash_mix(space, parent);
	if (!r->chains)
		r->chains = xcalloc(CHAINS, sizeof *r->chains);
	c = &r->chains[key.hash & (CHAINS - 1)];
	if (is_chain(c, &key))
		return c->node;
	for (i = n; i--;)
		key.node = p ? add_user_pc(r, key.node, p, word[i] - 1)
			     : add_kernel_pc(r, key.node, word[i] - 1);
	if (n <= CHAIN_MAX)
		remember(c, &key);
	return key.node;
}

void
perf_free_chains(struct perf_reader *r)
{
	size_t i;

	for (i = 0; r->chains && i < CHAINS; i++)
		free(r->chains[i].words);
	free(r->chains);
}

struct part {
	const uint64_t *word;
	size_t n;
};

/* A sample's chain, cut at the marks in it. */
struct chain {
	struct part kernel, user;
	size_t n; /* frames in all */
};

static struct chain
cut_chain(const struct perf_sample *s)
{
	struct chain c = { { NULL, 0 }, { NULL, 0 }, 0 };
	struct part none, *part = &none;
	uint64_t i, from = 0;

	for (i = 0; i <= s->n_chain; i++) {
		if (i < s->n_chain && s->chain[i] < (uint64_t)PERF_CONTEXT_MAX)
			continue;
		if (i > from && part != &none && !part->n)
			*part = (struct part){ s->chain + from, i - from };
		c.n += i - from;
		part = &none;
		if (i < s->n_chain &&
		    s->chain[i] == (uint64_t)PERF_CONTEXT_USER)
			part = &c.user;
		else if (i < s->n_chain &&
			 s->chain[i] == (uint64_t)PERF_CONTEXT_KERNEL)
			part = &c.kernel;
		from = i + 1;
	}
	return c;
}

/* The kernel stops at a number of frames, its own included. */
static bool
is_full(const struct perf_sample *s, const struct chain *c)
{
	size_t max = s->event->attr.sample_max_stack;

	return c->n >= (max ? max : KERNEL_CHAIN_MAX);
}

static uint32_t
add_user_chain(struct perf_reader *r, const struct process *p,
	       const struct perf_sample *s, const struct chain *c)
{
	uint32_t node = is_full(s, c) ? add_special(r, 0, TRUNCATED) : 0;

	node = add_callers(r, node, p->space, p, c->user.word + 1,
			   c->user.n - 1);
	return add_user_pc(r, node, p, c->user.word[0]);
}

/* The processor noted the call instructions themselves. Its record holds so
 * many calls and no more. */
static uint32_t
add_branches(struct perf_reader *r, const struct process *p,
	     const struct perf_sample *s)
{
	uint64_t n = s->n_branches, i;
	bool in_user = s->cpumode == PERF_RECORD_MISC_USER;
	uint32_t node =
		n == 8 || n == 16 || n == 32 ? add_special(r, 0, TRUNCATED) : 0;

	for (i = n; i--;)
		node = add_user_pc(r, node, p, s->branches[i].from);
	return add_user_pc(r, node, p, in_user ? s->ip : s->branches[0].to);
}

/* ---- copied stacks ---- */

/* The node that says that a stack is cut, or 0. FULL: as much was copied as
 * was asked for. */
static uint32_t
add_cut(struct perf_reader *r, enum unwind_end end, bool full)
{
	switch (end) {
	case UNWIND_COMPLETE:
		return 0;
	case UNWIND_TRUNCATED:
	case UNWIND_LIMIT:
		return add_special(r, 0, full ? TRUNCATED : UNREADABLE);
	default:
		return add_special(r, 0, NO_CFI);
	}
}

static uint32_t
unwind(struct perf_reader *r, const struct process *p,
       const struct perf_sample *s, const struct unwind_regs *regs)
{
	struct unwind_stack stack = { s->stack, regs->reg[UNWIND_RSP],
				      s->stack_size };
	enum unwind_end end;
	uint32_t node;
	size_t n;

	n = process_walk(&r->walker, p, regs, &stack, &end);
	node = add_cut(r, end, s->stack_size == s->stack_asked);
	while (n--)
		node = add_user(r, node, &r->walker.frames[n]);
	return node;
}

static bool
is_x86_64(const struct perf_reader *r)
{
	return !r->header->foreign_endian &&
	       (!r->header->arch.len || slice_is(r->header->arch, "x86_64"));
}

static bool
can_unwind(const struct perf_reader *r, const struct perf_sample *s,
	   struct unwind_regs *regs)
{
	const uint32_t needed = 1u << UNWIND_RSP | 1u << UNWIND_RIP;

	if (!s->n_regs || s->regs_abi != PERF_SAMPLE_REGS_ABI_64 ||
	    !is_x86_64(r))
		return false;
	*regs = process_take_regs(s->regs_mask, s->regs, s->n_regs);
	return (regs->known & needed) == needed;
}

static uint32_t
add_user_stack(struct perf_reader *r, const struct process *p,
	       const struct perf_sample *s, const struct chain *c)
{
	bool copied = s->event->attr.sample_type & PERF_SAMPLE_STACK_USER;
	bool in_user = s->cpumode == PERF_RECORD_MISC_USER;
	struct unwind_regs regs;
	uint32_t node;

	if (s->branches_are_calls && s->n_branches)
		return add_branches(r, p, s);
	/* In the middle of an exec or an exit there is no user stack. */
	if (copied && !c->user.n && !in_user && !s->stack_size)
		return 0;
	if (copied && can_unwind(r, s, &regs))
		return unwind(r, p, s, &regs);
	if (c->user.n)
		return add_user_chain(r, p, s, c);
	node = copied ? add_special(r, 0, NO_CFI) : 0;
	return in_user ? add_user_pc(r, node, p, s->ip) : node;
}

static uint32_t
add_kernel_stack(struct perf_reader *r, uint32_t node,
		 const struct perf_sample *s, struct part chain)
{
	if (!chain.n && s->cpumode == PERF_RECORD_MISC_KERNEL)
		return add_kernel_pc(r, node, s->ip);
	if (!chain.n)
		return node;
	node = add_callers(r, node, r->kernel_space, NULL, chain.word + 1,
			   chain.n - 1);
	return add_kernel_pc(r, node, chain.word[0]);
}

uint32_t
perf_add_stack(struct perf_reader *r, const struct process *p,
	       const struct perf_sample *s)
{
	struct chain c = cut_chain(s);
	uint32_t node = add_user_stack(r, p, s, &c);

	node = add_kernel_stack(r, node, s, c.kernel);
	/* A guest's or a hypervisor's. */
	if (!node && s->cpumode != PERF_RECORD_MISC_USER &&
	    s->cpumode != PERF_RECORD_MISC_KERNEL)
		node = add_special(r, 0, UNKNOWN);
	return node;
}
