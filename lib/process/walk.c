/* SPDX-License-Identifier: MIT */
#include "process/walk.h"

#include <stdlib.h>
#include <string.h>
#include "base/msg.h"
#include "base/xalloc.h"

enum { CACHE_BITS = 14 };

void
process_walker_start(struct process_walker *w, struct processes *procs)
{
	w->procs = procs;
}

/* Not before it is needed: to clear it takes longer than to read many a small
 * recording. */
static void
make_room(struct process_walker *w)
{
	w->cache = aligned_alloc(64, sizeof *w->cache << CACHE_BITS);
	if (!w->cache)
		die("out of memory");
	memset(w->cache, 0, sizeof *w->cache << CACHE_BITS);
}

struct unwind_frame *
process_frames(struct process_walker *w)
{
	if (!w->frames)
		w->frames = xcalloc(FRAMES_MAX, sizeof *w->frames);
	return w->frames;
}

void
process_walker_free(struct process_walker *w)
{
	free(w->cache);
	free(w->frames);
}

struct unwind_regs
process_take_regs(uint64_t mask, const uint64_t *values, size_t n)
{
	/* By the mask's bit: DWARF's numbers; ax bx cx dx si di bp sp ip, seven
	 * that unwinding does not need, r8 to r15. */
	static const int8_t dwarf[] = { 0,  3,	2,  1,	4,  5,	6,  7,
					16, -1, -1, -1, -1, -1, -1, -1,
					8,  9,	10, 11, 12, 13, 14, 15 };
	struct unwind_regs regs = { .known = 0 };
	size_t at = 0, bit;

	for (bit = 0; bit < sizeof dwarf && at < n; bit++) {
		if (!(mask >> bit & 1))
			continue;
		if (dwarf[bit] >= 0) {
			regs.reg[dwarf[bit]] = values[at];
			regs.known |= 1u << dwarf[bit];
		}
		at++;
	}
	return regs;
}

struct lookup {
	struct processes *procs;
	const struct process *p;
};

/* The file's own addresses where it could be read, else offsets in it. */
static uint64_t
mapping_bias(const struct mapping *map, const struct module *m)
{
	uint64_t addr;

	if (m->kind == MODULE_JIT)
		return 0;
	if (m->readable &&
	    unwind_elf_offset_to_addr(&m->elf, map->offset, &addr))
		return map->start - addr;
	return map->start - map->offset;
}

static bool
look_up(void *ctx, uint64_t pc, struct unwind_code *code)
{
	struct lookup *l = ctx;
	struct modules *modules = &l->procs->modules;
	const struct mapping *map = process_find_mapping(l->p, pc);
	struct module *m;

	if (!map)
		return false;
	m = modules->list[map->module];
	modules->load(modules->load_ctx, m,
		      &(struct module_place){ l->p->pid, map->start, map->end,
					      map->offset });
	code->cfi = m->has_cfi ? &m->cfi : NULL;
	code->bias = mapping_bias(map, m);
	code->module = map->module;
	return true;
}

size_t
process_walk(struct process_walker *w, const struct process *p,
	     const struct unwind_regs *regs, const struct unwind_stack *stack,
	     enum unwind_end *end)
{
	struct lookup l = { w->procs, p };
	struct unwind_walker walker = { look_up, &l, NULL, CACHE_BITS,
					p->space };

	if (!w->cache)
		make_room(w);
	walker.cache = w->cache;
	return unwind_walk(&walker, regs, stack, process_frames(w), FRAMES_MAX,
			   end);
}

struct unwind_frame
process_find_frame(struct process_walker *w, const struct process *p,
		   uint64_t pc)
{
	struct lookup l = { w->procs, p };
	struct unwind_code code = { NULL, 0, UNWIND_NO_MODULE };

	look_up(&l, pc, &code);
	return (struct unwind_frame){ pc, code.bias, code.module };
}
