/* SPDX-License-Identifier: MIT */
/* clang-format off */
/*
 * Rules and walks from hostile call-frame information and a hostile stack.
 * An input, numbers little-endian:
 *
 *	 0	flags: 1 .debug_frame, 2 index even where there is a table,
 *		4 the whole input is (also) an ELF file
 *	 1	bit per register in UNWIND_UC_ORDER's first eight: unknown
 *	 2	u16 bytes of .eh_frame_hdr
 *	 4	u16 bytes of stack
 *	 6	u16 where rbp points, from the stack's start
 *	 8	u32 address of .eh_frame_hdr
 *	12	u32 address of .eh_frame
 *	16	8 times u32: addresses in the module to ask for and walk from
 *	48	.eh_frame_hdr, the stack, and the rest is .eh_frame
 */
/* clang-format on */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/unwind.h"

enum { HEADER = 48, N_PCS = 8, MAX_FRAMES = 64, CACHE_BITS = 4 };

/* The module's place and size in the program, and the stack's. */
#define BIAS ((uint64_t)0x555500000000)
#define CODE_SIZE ((uint64_t)1 << 32)
#define STACK ((uint64_t)0x7ffc00000000)

struct input {
	const uint8_t *data;
	size_t size;
	uint8_t flags;
	struct unwind_cfi cfi;
	struct unwind_stack stack;
	uint64_t bp;
	uint32_t pc[N_PCS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
number(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	memcpy(&v, p, n);
	return v;
}

static size_t
at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

static void
take_apart(const uint8_t *data, size_t size, struct input *in)
{
	const uint8_t *p = data + HEADER;
	size_t left = size - HEADER, n;

	memset(in, 0, sizeof *in);
	in->data = data;
	in->size = size;
	in->flags = data[0];
	n = at_most(number(data + 2, 2), left);
	in->cfi.hdr = (struct unwind_section){ p, n, number(data + 8, 4) };
	p += n;
	left -= n;
	n = at_most(number(data + 4, 2), left);
	in->stack = (struct unwind_stack){ p, STACK, n };
	p += n;
	left -= n;
	in->cfi.frame =
		(struct unwind_section){ p, left, number(data + 12, 4) };
	in->cfi.debug_frame = in->flags & 1;
	in->bp = STACK + number(data + 6, 2);
	for (unsigned i = 0; i < N_PCS; i++)
		in->pc[i] = number(data + 16 + 4 * i, 4);
}

static struct unwind_index *
make_index(struct input *in)
{
	struct unwind_index *index = NULL;
	size_t n;

	if (in->flags & 2 || !unwind_has_table(&in->cfi)) {
		n = unwind_build_index(&in->cfi, NULL, 0);
		index = malloc((n + 1) * sizeof *index);
		if (!index || unwind_build_index(&in->cfi, index, n) != n)
			abort();
		for (size_t i = 1; i < n; i++)
			if (index[i].start < index[i - 1].start)
				abort();
		in->cfi.index = index;
		in->cfi.n_index = n;
	}
	return index;
}

static bool
lookup(void *ctx, uint64_t pc, struct unwind_code *code)
{
	const struct input *in = ctx;

	if (pc - BIAS >= CODE_SIZE)
		return false;
	*code = (struct unwind_code){ &in->cfi, BIAS, 1 };
	return true;
}

static void
set_regs(const struct input *in, unsigned i, struct unwind_regs *regs)
{
	static const uint8_t order[] = UNWIND_UC_ORDER;

	for (unsigned reg = 0; reg < UNWIND_NREGS; reg++)
		regs->reg[reg] = STACK + reg * 8;
	regs->known = (1u << UNWIND_NREGS) - 1;
	for (unsigned bit = 0; bit < 8; bit++)
		if (in->data[1] >> bit & 1)
			regs->known &= ~(1u << order[bit]);
	regs->reg[UNWIND_RSP] = STACK;
	regs->reg[UNWIND_RBP] = in->bp;
	regs->reg[UNWIND_RIP] = BIAS + in->pc[i];
}

/* The cache must not change what a walk finds. */
static void
walk_both_ways(struct input *in, unsigned i, struct unwind_cached *cache)
{
	struct unwind_walker w = { lookup, in, cache, CACHE_BITS, 7 };
	struct unwind_frame a[MAX_FRAMES], b[MAX_FRAMES];
	enum unwind_end end_a, end_b;
	struct unwind_regs regs;
	size_t n_a, n_b;

	memset(a, 0, sizeof a);
	memset(b, 0, sizeof b);
	set_regs(in, i, &regs);
	n_a = unwind_walk(&w, &regs, &in->stack, a, MAX_FRAMES, &end_a);
	w.cache = NULL;
	n_b = unwind_walk(&w, &regs, &in->stack, b, MAX_FRAMES, &end_b);
	if (!n_a || n_a > MAX_FRAMES || n_a != n_b || end_a != end_b ||
	    memcmp(a, b, sizeof a) != 0)
		abort();
}

static bool
read_input(void *ctx, uint64_t offset, void *to, size_t n)
{
	const struct input *in = ctx;

	if (offset > in->size || n > in->size - offset)
		return false;
	memcpy(to, in->data + offset, n);
	return true;
}

static void
read_elf(struct input *in)
{
	struct unwind_elf elf;
	uint64_t to;

	if (!unwind_elf_read(read_input, in, &elf))
		return;
	if (elf.n_load > UNWIND_MAX_LOAD ||
	    elf.build_id_size > UNWIND_MAX_BUILD_ID)
		abort();
	unwind_elf_offset_to_addr(&elf, in->pc[0], &to);
	unwind_elf_addr_to_offset(&elf, in->pc[0], &to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unwind_cached cache[1 << CACHE_BITS];
	struct unwind_index *index;
	struct unwind_rule rule;
	struct input in;

	if (size < HEADER)
		return 0;
	take_apart(data, size, &in);
	index = make_index(&in);
	memset(cache, 0, sizeof cache);
	for (unsigned i = 0; i < N_PCS; i++) {
		unwind_find_rule(&in.cfi, in.pc[i], &rule);
		walk_both_ways(&in, i, cache);
	}
	free(index);
	if (in.flags & 4)
		read_elf(&in);
	return 0;
}
