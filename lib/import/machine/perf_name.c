/* SPDX-License-Identifier: MIT */
/* Symbols of what has no file to look them up in later. */
#include "import/machine/perf_data.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"
#include "process/file.h"
#include "symbol/files.h"

void
perf_add_symbols(struct capture *c, uint32_t module,
		 const struct symbol_table *table, uint64_t bias, uint32_t only)
{
	bool *added = xcalloc(table->n + 1, sizeof *added);
	size_t i;

	for (i = 1; i < c->nodes.n; i++) {
		const struct node *n = &c->nodes.list[i];
		const struct table_symbol *s;

		if (n->module != module)
			continue;
		s = symbol_table_find(table, n->addr + bias);
		if (!s || added[s - table->symbols] ||
		    (only != UINT32_MAX && s->module != only))
			continue;
		added[s - table->symbols] = true;
		capture_add_symbol(c, module, s->addr - bias, s->size, s->name);
	}
	free(added);
}

/* ---- the vdso ---- */

static bool
read_vdso(const struct module *m, struct symbol_table *t)
{
	struct slice image = module_vdso_image();
	struct stat st;
	char *path;
	bool read;
	int fd;

	if (module_image_is(image, m->build_id))
		return symbol_table_read_image(t, image.ptr, image.len);
	path = perf_cache_path(slice_str(m->build_id), "vdso");
	fd = path ? file_open_regular(path, &st) : -1;
	free(path);
	if (fd < 0)
		return false;
	read = symbol_table_read_files(t, fd, -1);
	close(fd);
	return read;
}

static void
name_vdso(struct capture *c, const struct module *m)
{
	struct symbol_table t = { 0 };

	if (m->readable && read_vdso(m, &t))
		perf_add_symbols(c, m->capture_id - 1, &t, 0, UINT32_MAX);
	symbol_table_free(&t);
}

/* ---- code made at run time ---- */

/* As perf does, nobody else's file is believed. */
static void
name_jit(const struct perf_reader *r, const struct module *m)
{
	char *path =
		xasprintf("%s/tmp/perf-%d.map",
			  r->opt->sysroot ? r->opt->sysroot : "", (int)m->pid);
	struct symbol_table t = { 0 };
	const char *why = NULL;

	if (symbol_table_read_perf_map(&t, path, geteuid(), &why))
		perf_add_symbols(r->c, m->capture_id - 1, &t, 0, UINT32_MAX);
	if (why)
		warning("%s names of process %d's run-time code are not used: "
			"%s: %s",
			t.n ? "some" : "the", (int)m->pid, path, why);
	symbol_table_free(&t);
	free(path);
}

void
perf_name_others(struct perf_reader *r)
{
	const struct modules *t = &r->procs.modules;
	uint32_t i;

	for (i = 0; i < t->keys.n; i++) {
		const struct module *m = t->list[i];

		if (!m->capture_id)
			continue;
		if (m->kind == MODULE_VDSO)
			name_vdso(r->c, m);
		else if (m->kind == MODULE_JIT)
			name_jit(r, m);
	}
}
