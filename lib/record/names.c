/* SPDX-License-Identifier: MIT */
/* Symbols that are written into the capture because nobody could look them up
 * later: of the kernel, the vdso, files that are gone and code made at run
 * time. Only those that samples hit. */
#include "record/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"

/* An address of a module, by its id in the capture. */
struct sampled {
	uint64_t addr;
	uint32_t module;
};

static int
compare_sampled(const void *pa, const void *pb)
{
	const struct sampled *a = pa, *b = pb;

	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	return (a->addr > b->addr) - (a->addr < b->addr);
}

/* What the stack tree has of the modules that WANTED[id] says; sorted, each
 * once. */
static struct sampled *
sampled_addresses(const struct recorder *r, const bool *wanted, size_t *n)
{
	const struct node *node = r->w.nodes.list;
	struct sampled *list = NULL;
	size_t cap = 0, i, kept = 0;

	*n = 0;
	for (i = 1; i < r->w.nodes.n; i++) {
		if (!wanted[node[i].module])
			continue;
		GROW(list, cap, *n + 1);
		list[(*n)++] = (struct sampled){ node[i].addr, node[i].module };
	}
	if (*n)
		qsort(list, *n, sizeof *list, compare_sampled);
	for (i = 0; i < *n; i++)
		if (!i || compare_sampled(&list[i], &list[i - 1]))
			list[kept++] = list[i];
	*n = kept;
	return list;
}

static bool *
no_modules(const struct recorder *r)
{
	return xcalloc(r->w.n_modules + 1, sizeof(bool));
}

/* TABLE's symbols at the N addresses of one module; BIAS is what an address in
 * the table is more than one in the module. Where two cover an address, the
 * later line holds: an outer symbol comes before those that lie in it. */
static void
write_symbols(struct recorder *r, const struct sampled *at, size_t n,
	      const struct symbol_table *table, uint64_t bias)
{
	bool *hit = xcalloc(table->n + 1, sizeof *hit);
	const struct table_symbol *s;
	size_t i;

	for (i = 0; i < n; i++) {
		s = symbol_table_find(table, at[i].addr + bias);
		if (s)
			hit[s - table->symbols] = true;
	}
	for (i = 0; i < table->n; i++) {
		s = &table->symbols[i];
		if (hit[i])
			capture_write_symbol(
				&r->w, record_time(r, r->last_time), at->module,
				s->addr - bias, s->size, s->name);
	}
	free(hit);
}

/* Of a single module, by its id in the capture; 0 when it is not there. */
static void
write_module(struct recorder *r, uint32_t module,
	     const struct symbol_table *table, uint64_t bias)
{
	struct sampled *at;
	bool *wanted;
	size_t n;

	if (!module || !table->n)
		return;
	wanted = no_modules(r);
	wanted[module] = true;
	at = sampled_addresses(r, wanted, &n);
	write_symbols(r, at, n, table, bias);
	free(at);
	free(wanted);
}

void
record_write_kernel_symbols(struct recorder *r)
{
	const struct symbol_table *table = kernel_symbols(&r->kernel);
	size_t i;

	for (i = 0; i < r->kernel.n; i++)
		write_module(r, r->kernel.parts[i].capture_id, table,
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
		write_module(r, module, &table, 0);
	symbol_table_free(&table);
}

/* ---- files that were deleted or replaced ---- */

static void
write_file_module(struct recorder *r, const struct module *m,
		  const struct sampled *at, size_t n)
{
	struct symbol_table table = { 0 };
	int fd = module_open_file(m), debug_fd = module_open_debug(m);

	if (symbol_table_read_files(&table, fd, debug_fd))
		write_symbols(r, at, n, &table, 0);
	symbol_table_free(&table);
	if (fd >= 0)
		close(fd);
	if (debug_fd >= 0)
		close(debug_fd);
}

static bool
is_wanted(const struct recorder *r, const struct module *m, bool leaving)
{
	if (m->kind != MODULE_FILE || !m->capture_id || !m->readable)
		return false;
	if (leaving)
		return m->leaving;
	return r->opt.embed || module_is_replaced(m);
}

/* The modules to write, by their id in the capture. */
static const struct module **
files_to_name(const struct recorder *r, bool *wanted, bool leaving)
{
	const struct module **by_id =
		xcalloc(r->w.n_modules + 1, sizeof(struct module *));
	const struct modules *t = &r->procs.modules;
	uint32_t i;

	for (i = 0; i < t->keys.n; i++) {
		const struct module *m = t->list[i];

		if (!is_wanted(r, m, leaving))
			continue;
		by_id[m->capture_id] = m;
		wanted[m->capture_id] = true;
	}
	return by_id;
}

static void
write_files(struct recorder *r, bool leaving)
{
	bool *wanted = no_modules(r);
	const struct module **by_id = files_to_name(r, wanted, leaving);
	size_t n, i, end;
	struct sampled *at = sampled_addresses(r, wanted, &n);

	for (i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++)
			if (at[end].module != at[i].module)
				break;
		write_file_module(r, by_id[at[i].module], at + i, end - i);
	}
	free(at);
	free(by_id);
	free(wanted);
}

void
record_write_file_symbols(struct recorder *r)
{
	write_files(r, false);
}

void
record_write_leaving_symbols(struct recorder *r)
{
	write_files(r, true);
}

/* ---- code made at run time ---- */

/* The map as it is now; where the process or its map is gone, the one that was
 * found while it ran. Another process of its number may have one in our /tmp,
 * if it lived in a namespace of its own: that comes last. */
static bool
read_jit_map(struct symbol_table *table, const struct module *m,
	     const char **why)
{
	int fd = module_open_map(m, true, why);
	bool ok;

	if (fd < 0 && m->fd >= 0)
		fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		fd = module_open_map(m, false, why);
	if (fd < 0)
		return false;
	ok = symbol_table_read_open_perf_map(table, fd, why);
	close(fd);
	return ok;
}

static void
write_jit_module(struct recorder *r, struct module *m)
{
	struct symbol_table table = { 0 };
	const char *why = NULL;
	bool read;

	if (m->named || !m->capture_id)
		return;
	m->named = true;
	read = read_jit_map(&table, m, &why);
	if (read)
		write_module(r, m->capture_id, &table, 0);
	if (why)
		warning("%s names of process %d's run-time code are not used: "
			"perf-%d.map: %s",
			read ? "some" : "the", (int)m->pid, m->namespace_pid,
			why);
	symbol_table_free(&table);
}

void
record_write_jit_symbols(struct recorder *r, pid_t pid)
{
	const struct modules *t = &r->procs.modules;
	uint32_t i;

	for (i = 0; i < t->keys.n; i++)
		if (t->list[i]->kind == MODULE_JIT && t->list[i]->pid == pid) {
			write_jit_module(r, t->list[i]);
			module_close(t->list[i]);
		}
}

void
record_write_all_jit_symbols(struct recorder *r)
{
	const struct modules *t = &r->procs.modules;
	uint32_t i;

	for (i = 0; i < t->keys.n; i++)
		if (t->list[i]->kind == MODULE_JIT)
			write_jit_module(r, t->list[i]);
}
