/* SPDX-License-Identifier: MIT */
/* Symbols that are written into the capture because nobody could look them up
 * later: of the kernel, the vdso and code made at run time. Only those that
 * samples hit. */
#include "record/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/msg.h"
#include "base/xalloc.h"

static int
compare_u64(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b) - (a < b);
}

/* The distinct addresses of one module in the stack tree, ascending. */
static uint64_t *
sampled_addresses(const struct recorder *r, uint32_t module, size_t *n)
{
	uint64_t *addrs = NULL;
	size_t cap = 0, i, kept = 0;

	*n = 0;
	for (i = 1; i < r->w.nodes.n; i++) {
		if (r->w.nodes.list[i].module != module)
			continue;
		GROW(addrs, cap, *n + 1);
		addrs[(*n)++] = r->w.nodes.list[i].addr;
	}
	if (*n)
		qsort(addrs, *n, sizeof *addrs, compare_u64);
	for (i = 0; i < *n; i++)
		if (!i || addrs[i] != addrs[i - 1])
			addrs[kept++] = addrs[i];
	*n = kept;
	return addrs;
}

/* TABLE's symbols at the sampled addresses; BIAS is what an address in the
 * table is more than one in the module. */
static void
write_symbols(struct recorder *r, uint32_t module,
	      const struct symbol_table *table, uint64_t bias)
{
	const struct table_symbol *last = NULL, *s;
	uint64_t *addrs;
	size_t n, i;

	if (!module || !table->n)
		return;
	addrs = sampled_addresses(r, module, &n);
	for (i = 0; i < n; i++) {
		s = symbol_table_find(table, addrs[i] + bias);
		if (s && s != last)
			capture_write_symbol(
				&r->w, record_time(r, r->last_time), module,
				s->addr - bias, s->size, s->name);
		last = s ? s : last;
	}
	free(addrs);
}

void
record_write_kernel_symbols(struct recorder *r)
{
	const struct symbol_table *table = kernel_symbols(&r->kernel);
	size_t i;

	for (i = 0; i < r->kernel.n; i++)
		write_symbols(r, r->kernel.parts[i].capture_id, table,
			      r->kernel.parts[i].start);
}

void
record_write_vdso_symbols(struct recorder *r)
{
	struct slice image = module_vdso_image();
	struct symbol_table table = { 0 };
	uint32_t i = module_find_vdso(&r->procs.modules);
	uint32_t module = r->procs.modules.list[i]->capture_id;

	if (module && image.len &&
	    symbol_table_read_image(&table, image.ptr, image.len))
		write_symbols(r, module, &table, 0);
	symbol_table_free(&table);
}

/* The map lies in the process's own /tmp under the pid it has in its own
 * namespace; where that is gone, in ours. */
static bool
read_jit_map(struct symbol_table *table, const struct module *m,
	     const char **why)
{
	char path[96];

	snprintf(path, sizeof path, "/proc/%d/root/tmp/perf-%d.map",
		 (int)m->pid, m->namespace_pid);
	if (symbol_table_read_perf_map(table, path, m->uid, why))
		return true;
	snprintf(path, sizeof path, "/tmp/perf-%d.map", m->namespace_pid);
	return symbol_table_read_perf_map(table, path, m->uid, why);
}

static void
write_jit_module(struct recorder *r, const struct module *m)
{
	struct symbol_table table = { 0 };
	const char *why = NULL;

	if (!m->capture_id)
		return;
	if (read_jit_map(&table, m, &why))
		write_symbols(r, m->capture_id, &table, 0);
	else if (why)
		warning("the names of process %d's run-time code are not used: "
			"its perf-%d.map %s",
			(int)m->pid, m->namespace_pid, why);
	symbol_table_free(&table);
}

void
record_write_jit_symbols(struct recorder *r, pid_t pid)
{
	const struct modules *t = &r->procs.modules;
	uint32_t i;

	for (i = 0; i < t->keys.n; i++)
		if (t->list[i]->kind == MODULE_JIT && t->list[i]->pid == pid &&
		    !t->list[i]->named) {
			write_jit_module(r, t->list[i]);
			t->list[i]->named = true;
		}
}

void
record_write_all_jit_symbols(struct recorder *r)
{
	const struct modules *t = &r->procs.modules;
	uint32_t i;

	for (i = 0; i < t->keys.n; i++)
		if (t->list[i]->kind == MODULE_JIT)
			record_write_jit_symbols(r, t->list[i]->pid);
}
