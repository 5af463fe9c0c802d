/* SPDX-License-Identifier: MIT */
/* User frames of a sample: what the kernel copied of a stack is walked, and
 * addresses are settled in the modules they lie in. */
#ifndef PK_PROCESS_WALK_H
#define PK_PROCESS_WALK_H

#include "process/process.h"

/* More than fit into the largest copy of a stack, at 16 bytes a frame. */
enum { FRAMES_MAX = 1 << 13 };

struct process_walker {
	struct processes *procs;
	struct unwind_cached *cache; /* NULL: not used yet */
	struct unwind_frame *frames; /* use process_frames */
};

void process_walker_start(struct process_walker *w, struct processes *procs);
void process_walker_free(struct process_walker *w);

/* Registers as a perf event's MASK selects them, in the order of its bits
 * (asm/perf_regs.h), of which there are N. */
struct unwind_regs process_take_regs(uint64_t mask, const uint64_t *values,
				     size_t n);

/* Room for FRAMES_MAX frames. */
struct unwind_frame *process_frames(struct process_walker *w);

/* Walks a copied stack of P into w->frames, innermost first; returns how many.
 * REGS must hold rip and rsp. */
size_t process_walk(struct process_walker *w, const struct process *p,
		    const struct unwind_regs *regs,
		    const struct unwind_stack *stack, enum unwind_end *end);

/* The frame for one address of P: UNWIND_NO_MODULE where nothing is mapped. */
struct unwind_frame process_find_frame(struct process_walker *w,
				       const struct process *p, uint64_t pc);

#endif
