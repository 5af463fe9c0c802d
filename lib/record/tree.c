/* SPDX-License-Identifier: MIT */
/* The capture's modules and its tree of frames. Both are written at first
 * use; a capture that follows another begins with none. */
#include "record/internal.h"

#include <stdlib.h>
#include "base/xalloc.h"

static void
remember(struct recorder *r, uint32_t id, struct module_ref ref)
{
	GROW(r->refs, r->cap_refs, (size_t)id + 1);
	r->refs[id] = ref;
}

static uint32_t
special_module(struct recorder *r, uint32_t s)
{
	static const char *const names[N_SPECIALS] = {
		[TRUNCATED] = "[truncated]", [UNREADABLE] = "[unreadable]",
		[NO_CFI] = "[no-cfi]",	     [UNKNOWN] = "[unknown]",
		[PREEMPTED] = "[preempted]", [WAITING] = "[waiting]",
	};

	if (!r->specials[s]) {
		r->specials[s] =
			capture_write_module(&r->w, (struct slice){ NULL, 0 },
					     'a', slice_str(names[s]));
		remember(r, r->specials[s],
			 (struct module_ref){ REF_SPECIAL, s });
	}
	return r->specials[s];
}

static char
base_of(const struct module *m)
{
	if (m->kind == MODULE_JIT)
		return 'a';
	return m->readable ? 'v' : 'o';
}

static uint32_t
file_module(struct recorder *r, uint32_t index)
{
	struct module *m = r->procs.modules.list[index];

	if (!m->capture_id) {
		m->capture_id = capture_write_module(
			&r->w, slice_str(m->build_id), base_of(m), m->key.path);
		remember(r, m->capture_id,
			 (struct module_ref){ REF_FILE, index });
	}
	return m->capture_id;
}

static uint32_t
kernel_module(struct recorder *r, uint32_t index)
{
	struct kernel_part *k = &r->kernel.parts[index];

	if (!k->capture_id) {
		k->capture_id = capture_write_module(
			&r->w, slice_str(k->build_id), k->start ? 'k' : 'a',
			slice_str(k->name));
		remember(r, k->capture_id,
			 (struct module_ref){ REF_KERNEL, index });
	}
	return k->capture_id;
}

uint32_t
record_special(struct recorder *r, uint32_t parent, enum special s)
{
	return capture_write_frame(&r->w, parent, special_module(r, s), 0);
}

uint32_t
record_user_frame(struct recorder *r, uint32_t parent,
		  const struct unwind_frame *f)
{
	if (f->module == UNWIND_NO_MODULE)
		return record_special(r, parent, UNKNOWN);
	return capture_write_frame(&r->w, parent, file_module(r, f->module),
				   f->pc - f->bias);
}

uint32_t
record_kernel_frame(struct recorder *r, uint32_t parent, uint64_t pc)
{
	struct kernel_part *k;
	uint32_t index;

	if (!r->kernel.n)
		kernel_read_running(&r->kernel);
	k = kernel_find(&r->kernel, pc);
	index = (uint32_t)(k - r->kernel.parts);
	return capture_write_frame(&r->w, parent, kernel_module(r, index),
				   pc - k->start);
}

/* ---- from one capture to the next ---- */

void
record_restart_tree(struct recorder *r, struct old_tree *old)
{
	size_t i;

	*old = (struct old_tree){ r->w.nodes, r->refs };
	r->refs = NULL;
	r->cap_refs = 0;
	r->w.nodes = (struct nodes){ 0 };
	r->w.n_modules = r->w.n_events = 0;
	memset(r->specials, 0, sizeof r->specials);
	for (i = 0; i < r->procs.modules.keys.n; i++) {
		r->procs.modules.list[i]->capture_id = 0;
		r->procs.modules.list[i]->named = false;
	}
	for (i = 0; i < r->kernel.n; i++)
		r->kernel.parts[i].capture_id = 0;
}

static uint32_t
module_of_ref(struct recorder *r, struct module_ref ref)
{
	switch (ref.kind) {
	case REF_SPECIAL:
		return special_module(r, ref.index);
	case REF_FILE:
		return file_module(r, ref.index);
	default:
		return kernel_module(r, ref.index);
	}
}

uint32_t
record_move_stack(struct recorder *r, const struct old_tree *old, uint32_t node)
{
	uint32_t *path = NULL, moved = 0;
	size_t n = 0, cap = 0;

	for (; node; node = old->nodes.list[node].parent) {
		GROW(path, cap, n + 1);
		path[n++] = node;
	}
	while (n--) {
		const struct node *f = &old->nodes.list[path[n]];

		moved = capture_write_frame(
			&r->w, moved, module_of_ref(r, old->refs[f->module]),
			f->addr);
	}
	free(path);
	return moved;
}

void
record_free_tree(struct old_tree *old)
{
	nodes_free(&old->nodes);
	free(old->refs);
}
