/* SPDX-License-Identifier: MIT */
/*
 * unwind_rows MODULE...: compares the rule that lib/unwind compiles with what
 * libdw says, for every row that libdw knows in a module's code. Prints a line
 *
 *	module  rows  equal  hard  different
 *
 * of words and one of numbers for each, and on standard error the first rows
 *that differ. `hard` rows are those left to be evaluated when walked; their
 *full row is compared, and counts as different when it is not libdw's. With -d
 *.debug_frame is compared instead. Status 1 when any row differs.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unwind/row.h"
#include "unwind_process.h"

struct counts {
	unsigned long rows, equal, hard, different;
};

/* libdw's idea of one register. */
struct oracle {
	enum unwind_how how;
	int64_t value;
	Dwarf_Op *ops;
	size_t n_ops;
	Dwarf_Op mem[3];
};

static void
read_register(Dwarf_Frame *frame, unsigned reg, struct oracle *o)
{
	size_t n;

	if (dwarf_frame_register(frame, (int)reg, o->mem, &o->ops, &n) != 0)
		abort();
	o->n_ops = n;
	o->value = 0;
	if (!n && reg <= UNWIND_RBX) {
		/* libdw's defaults have rax (0) where rbx (3) is meant. */
		o->how = reg == UNWIND_RBX ? UNWIND_SAME : UNWIND_UNDEFINED;
	} else if (!n) {
		o->how = o->ops ? UNWIND_UNDEFINED : UNWIND_SAME;
	} else if (n == 1 && o->ops[0].atom == DW_OP_regx) {
		o->how = UNWIND_IN_REG;
		o->value = (int64_t)o->ops[0].number;
	} else if (o->ops == o->mem) {
		bool val = o->ops[n - 1].atom == DW_OP_stack_value;

		o->how = val ? UNWIND_IS_CFA : UNWIND_AT_CFA;
		if (n - val > 1)
			o->value = (int64_t)o->ops[1].number;
	} else {
		/* call_frame_cfa first, perhaps stack_value last */
		bool val = o->ops[n - 1].atom == DW_OP_stack_value;

		o->how = val ? UNWIND_IS_EXPR : UNWIND_AT_EXPR;
		o->ops++;
		o->n_ops -= 1 + val;
	}
}

static bool
is_breg(const Dwarf_Op *op, unsigned *reg, int64_t *off)
{
	if (op->atom == DW_OP_bregx) {
		*reg = (unsigned)op->number;
		*off = (int64_t)op->number2;
		return true;
	}
	*reg = op->atom - DW_OP_breg0;
	*off = (int64_t)op->number;
	return op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31;
}

static bool
same_plt(const struct unwind_rule *rule, const Dwarf_Op *ops, size_t n)
{
	static const uint8_t atoms[] = {
		0,	  DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0,
		DW_OP_ge, DW_OP_lit3,	DW_OP_shl,   DW_OP_plus
	};

	if (n != sizeof atoms || ops[1].number)
		return false;
	for (size_t i = 1; i < n; i++)
		if (atoms[i] && ops[i].atom != atoms[i])
			return false;
	return ops[4].atom - DW_OP_lit0 == rule->off2;
}

static bool
same_cfa(const struct unwind_rule *rule, const Dwarf_Op *ops, size_t n)
{
	unsigned reg;
	int64_t off;

	if (!n || !is_breg(&ops[0], &reg, &off) || reg != rule->reg ||
	    off != rule->off)
		return false;
	switch (rule->kind) {
	case UNWIND_REG:
		return n == 1;
	case UNWIND_PLT:
		return same_plt(rule, ops, n);
	case UNWIND_DEREF:
		if (n < 2 || ops[1].atom != DW_OP_deref)
			return false;
		return n == 2 ? !rule->off2
			      : n == 3 && ops[2].atom == DW_OP_plus_uconst &&
					(int64_t)ops[2].number == rule->off2;
	}
	return false;
}

static bool
same_saved(const struct unwind_rule *rule, unsigned i, const struct oracle *o)
{
	unsigned reg;
	int64_t off;

	if (rule->from_rbp >> i & 1)
		return o->how == UNWIND_AT_EXPR && o->n_ops == 1 &&
		       is_breg(&o->ops[0], &reg, &off) && reg == UNWIND_RBP &&
		       off == 8 * rule->saved[i];
	if (!rule->saved[i])
		return o->how == UNWIND_SAME;
	return o->how == UNWIND_AT_CFA && o->value == 8 * rule->saved[i];
}

static bool
same_rule(const struct unwind_rule *rule, Dwarf_Frame *frame)
{
	static const uint8_t regs[] = UNWIND_SAVED_REGS;
	struct oracle o;
	Dwarf_Op *ops;
	size_t n;

	read_register(frame, UNWIND_RIP, &o);
	if (rule->kind == UNWIND_END)
		return o.how == UNWIND_UNDEFINED;
	if (o.how != UNWIND_AT_CFA || o.value != -8)
		return false;
	read_register(frame, UNWIND_RSP, &o);
	if (o.how != UNWIND_IS_CFA || o.value)
		return false;
	if (dwarf_frame_cfa(frame, &ops, &n) != 0 || !same_cfa(rule, ops, n))
		return false;
	for (unsigned i = 0; i < UNWIND_SAVED; i++) {
		read_register(frame, regs[i], &o);
		if (!same_saved(rule, i, &o))
			return false;
	}
	return true;
}

/* Of a hard row everything but what expressions say. */
static bool
same_row(const struct unwind_cfi *cfi, uint64_t pc, Dwarf_Frame *frame)
{
	struct unwind_fde fde;
	struct unwind_row row;
	struct oracle o;

	if (unwind_find_fde(cfi, pc, &fde) != UNWIND_FOUND ||
	    !unwind_find_row(&fde, pc, &row))
		return false;
	for (unsigned reg = 0; reg < UNWIND_NREGS; reg++) {
		bool expr = row.how[reg] == UNWIND_AT_EXPR ||
			    row.how[reg] == UNWIND_IS_EXPR;

		read_register(frame, reg, &o);
		if (o.how != row.how[reg] ||
		    (!expr && o.value != row.value[reg]))
			return false;
	}
	return true;
}

static void
complain(const struct test_module *m, uint64_t pc,
	 const struct unwind_rule *rule, struct counts *c)
{
	if (c->different++ < 10)
		fprintf(stderr, "%s: %llx: kind %d reg %d off %d off2 %d\n",
			m->path, (unsigned long long)pc, rule->kind, rule->reg,
			rule->off, rule->off2);
}

static void
compare_row(const struct test_module *m, const struct unwind_cfi *cfi,
	    uint64_t pc, Dwarf_Frame *frame, struct counts *c)
{
	struct unwind_rule rule;
	Dwarf_Addr start, end;
	bool signal, hard;

	c->rows++;
	dwarf_frame_info(frame, &start, &end, &signal);
	unwind_find_rule(cfi, pc, &rule);
	hard = rule.kind == UNWIND_HARD;
	if (signal != (bool)(rule.flags & UNWIND_SIGNAL) ||
	    !(hard ? same_row(cfi, pc, frame) : same_rule(&rule, frame)))
		complain(m, pc, &rule, c);
	else if (hard)
		c->hard++;
	else
		c->equal++;
}

/* Goes through a segment's addresses, row by row. */
static void
compare_segment(const struct test_module *m, const struct unwind_cfi *cfi,
		Dwarf_CFI *dw, const struct unwind_segment *s, struct counts *c)
{
	struct unwind_rule rule;
	Dwarf_Addr start, end;
	Dwarf_Frame *frame;
	bool signal;

	for (uint64_t pc = s->addr; pc < s->addr + s->memsz; pc = end) {
		end = pc + 1;
		if (dwarf_cfi_addrframe(dw, pc, &frame) != 0) {
			if (unwind_find_rule(cfi, pc, &rule) != UNWIND_NONE)
				complain(m, pc, &rule, c);
			continue;
		}
		dwarf_frame_info(frame, &start, &end, &signal);
		compare_row(m, cfi, pc, frame, c);
		free(frame);
	}
}

static unsigned long
compare_module(const char *path, bool debug)
{
	struct test_module m;
	struct counts c = { 0, 0, 0, 0 };
	int fd = open(path, O_RDONLY);
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	Dwarf *dwarf = debug ? dwarf_begin_elf(elf, DWARF_C_READ, NULL) : NULL;
	Dwarf_CFI *dw = debug ? dwarf_getcfi(dwarf) : dwarf_getcfi_elf(elf);

	test_module_open(&m, path);
	if (!dw) {
		fprintf(stderr, "%s: %s\n", path, dwarf_errmsg(-1));
		exit(2);
	}
	m.cfi.next = NULL;
	for (unsigned i = 0; i < m.elf.n_load; i++)
		if (m.elf.load[i].flags & PF_X)
			compare_segment(&m, debug ? &m.debug : &m.cfi, dw,
					&m.elf.load[i], &c);
	printf("%s\t%lu\t%lu\t%lu\t%lu\n", path, c.rows, c.equal, c.hard,
	       c.different);
	test_module_close(&m);
	if (dwarf)
		dwarf_end(dwarf);
	else
		dwarf_cfi_end(dw);
	elf_end(elf);
	close(fd);
	return c.different;
}

int
main(int argc, char **argv)
{
	bool debug = argc > 1 && strcmp(argv[1], "-d") == 0;
	unsigned long different = 0;

	elf_version(EV_CURRENT);
	puts("module\trows\tequal\thard\tdifferent");
	for (int i = 1 + debug; i < argc; i++)
		different += compare_module(argv[i], debug);
	return different != 0;
}
