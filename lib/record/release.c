/* SPDX-License-Identifier: MIT */
/* Letting go of files: an open one keeps its file system mounted and, deleted,
 * its bytes on the disk. */
#include "record/internal.h"

#include <stdlib.h>
#include "base/xalloc.h"

/* By index in modules.list. */
static bool *
mapped_modules(const struct processes *t)
{
	bool *mapped = xcalloc(t->modules.keys.n + 1, sizeof *mapped);
	size_t i, k;

	for (i = 0; i < t->n; i++)
		for (k = 0; t->list[i]->threads && k < t->list[i]->n_maps; k++)
			mapped[t->list[i]->maps[k].module] = true;
	return mapped;
}

/* Whether M is open, and nobody has had it mapped this time and, unless
 * AT_ONCE, the time before. */
static bool
is_idle(struct module *m, bool mapped, bool at_once)
{
	bool was_idle = m->idle;

	m->idle = m->kind == MODULE_FILE && m->fd >= 0 && !mapped;
	return m->idle && (was_idle || at_once);
}

static bool
choose_leaving(struct recorder *r, bool at_once)
{
	struct modules *t = &r->procs.modules;
	bool *mapped = mapped_modules(&r->procs), any = false;
	size_t i;

	for (i = 0; i < t->keys.n; i++) {
		t->list[i]->leaving = is_idle(t->list[i], mapped[i], at_once);
		any |= t->list[i]->leaving;
	}
	free(mapped);
	return any;
}

static void
release_leaving(struct modules *t)
{
	size_t i;

	for (i = 0; i < t->keys.n; i++)
		if (t->list[i]->leaving)
			module_release(t->list[i]);
}

/* Two times in a row, since programs that are started again and again would
 * have their symbols read as often. */
void
record_release_idle(struct recorder *r)
{
	if (!choose_leaving(r, false))
		return;
	record_write_leaving_symbols(r);
	release_leaving(&r->procs.modules);
}

void
record_release_unused(struct recorder *r)
{
	if (choose_leaving(r, true))
		release_leaving(&r->procs.modules);
}
