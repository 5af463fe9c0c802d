/* SPDX-License-Identifier: MIT */
#include "process/module.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/xalloc.h"
#include "process/debugframe.h"

/* *ADDED, when not NULL, receives the module if the key is new. */
static uint32_t
find_module(struct modules *t, struct buf *key, struct module **added)
{
	size_t before = t->keys.n;
	uint32_t id = intern_add(&t->keys, buf_get(key));

	buf_free(key);
	*added = NULL;
	if (t->keys.n > before) {
		GROW(t->list, t->cap, t->keys.n);
		*added = t->list[id] = xcalloc(1, sizeof **added);
		(*added)->in = t;
		(*added)->fd = -1;
	}
	return id;
}

/* The kernel says so behind the path of a file that has no name any more. */
static struct slice
without_deleted(struct slice path)
{
	struct slice mark = SLICE_LIT(" (deleted)");

	if (path.len > mark.len &&
	    !memcmp(path.ptr + path.len - mark.len, mark.ptr, mark.len))
		path.len -= mark.len;
	return path;
}

uint32_t
module_find_file(struct modules *t, const struct module_key *key)
{
	struct buf text = { 0 };
	struct module *m;
	uint32_t id;

	buf_printf(&text, "%x %x %llx %llx ", key->major, key->minor,
		   (unsigned long long)key->inode,
		   (unsigned long long)key->generation);
	buf_slice(&text, key->build_id);
	buf_char(&text, ' ');
	buf_slice(&text, key->path);
	id = find_module(t, &text, &m);
	if (m) {
		m->kind = MODULE_FILE;
		m->key = *key;
		m->key.path = arena_copy(&t->arena, without_deleted(key->path));
		m->key.build_id = arena_copy(&t->arena, key->build_id);
		m->deleted = m->key.path.len < key->path.len;
	}
	return id;
}

uint32_t
module_find_jit(struct modules *t, pid_t pid, uint32_t image)
{
	struct buf text = { 0 };
	struct module *m;
	size_t shown;
	uint32_t id;

	buf_printf(&text, "[jit %d]", (int)pid);
	shown = text.len;
	buf_printf(&text, " %u", image);
	id = find_module(t, &text, &m);
	if (m) {
		m->kind = MODULE_JIT;
		m->key.path = intern_get(&t->keys, id);
		m->key.path.len = shown;
		m->pid = pid;
	}
	return id;
}

uint32_t
module_find_vdso(struct modules *t)
{
	struct buf text = { 0 };
	struct module *m;
	uint32_t id;

	buf_str(&text, "[vdso]");
	id = find_module(t, &text, &m);
	if (m) {
		m->kind = MODULE_VDSO;
		m->key.path = intern_get(&t->keys, id);
	}
	return id;
}

/* ---- reading what unwinding needs ---- */

static bool
read_memory(void *ctx, uint64_t offset, void *to, size_t n)
{
	const struct slice *image = ctx;

	if (offset > image->len || n > image->len - offset)
		return false;
	memcpy(to, image->ptr + offset, n);
	return true;
}

/* Reads a section; leaves it empty when that fails. */
static void
read_section(struct module *m, unwind_read_fn *read, void *ctx,
	     const struct unwind_range *range, struct unwind_section *out)
{
	void *bytes;

	if (!range->size || range->size > CFI_MAX)
		return;
	bytes = xmalloc(range->size);
	if (!read(ctx, range->offset, bytes, range->size)) {
		free(bytes);
		return;
	}
	m->memory[m->n_memory++] = bytes;
	*out = (struct unwind_section){ bytes, range->size, range->addr };
}

static void
add_index(struct module *m, struct unwind_cfi *cfi)
{
	size_t n = unwind_build_index(cfi, NULL, 0);
	struct unwind_index *index;

	if (!n)
		return;
	index = xcalloc(n, sizeof *index);
	cfi->n_index = unwind_build_index(cfi, index, n);
	cfi->index = index;
	m->memory[m->n_memory++] = index;
}

void
module_add_debug_frame(struct module *m, void *bytes)
{
	if (!bytes)
		return;
	m->memory[m->n_memory++] = bytes;
	m->debug_frame.debug_frame = true;
	add_index(m, &m->debug_frame);
	m->cfi.next = &m->debug_frame;
	m->has_cfi = true;
}

static void
read_cfi(struct module *m, unwind_read_fn *read, void *ctx)
{
	read_section(m, read, ctx, &m->elf.hdr, &m->cfi.hdr);
	read_section(m, read, ctx, &m->elf.frame, &m->cfi.frame);
	if (m->cfi.frame.size) {
		m->has_cfi = true;
		if (!unwind_has_table(&m->cfi))
			add_index(m, &m->cfi);
	}
	module_add_debug_frame(
		m, debug_frame_read(read, ctx, &m->elf, &m->debug_frame.frame));
}

/* By probing: an eighth of the code may lack them. */
bool
module_lacks_rules(const struct module *m)
{
	enum { PROBES = 64 };
	unsigned i, probe, n = 0, missing = 0;
	struct unwind_rule rule;

	if (m->debug_frame.frame.size || m->in->no_cfi)
		return false;
	for (i = 0; i < m->elf.n_load; i++) {
		const struct unwind_segment *s = &m->elf.load[i];

		if (!(s->flags & PF_X))
			continue;
		for (probe = 0; probe < PROBES; probe++) {
			uint64_t pc = s->addr + s->memsz / PROBES * probe;

			n++;
			missing += unwind_find_rule(&m->cfi, pc, &rule) ==
				   UNWIND_NONE;
		}
	}
	return missing * 8 > n;
}

void
module_name_build(struct module *m, const struct stat *st)
{
	unsigned i;

	for (i = 0; i < m->elf.build_id_size; i++)
		sprintf(m->build_id + 2 * i, "%02x", m->elf.build_id[i]);
	if (!m->elf.build_id_size && st)
		snprintf(m->build_id, sizeof m->build_id, "%lld:%lld",
			 (long long)st->st_size, (long long)st->st_mtime);
}

struct slice
module_vdso_image(void)
{
	struct slice image = { NULL, 0 };
	unsigned long at = getauxval(AT_SYSINFO_EHDR), end;
	char line[512];
	FILE *f;

	/* Its mapping says how large it is. */
	f = at ? fopen("/proc/self/maps", "re") : NULL;
	while (f && fgets(line, sizeof line, f)) {
		unsigned long start;

		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start == at)
			image = (struct slice){ (const char *)at, end - start };
	}
	if (f)
		fclose(f);
	return image;
}

bool
module_read(struct module *m, unwind_read_fn *read, void *ctx,
	    const struct stat *st)
{
	if (!unwind_elf_read(read, ctx, &m->elf))
		return false;
	m->readable = true;
	module_name_build(m, st);
	if (!m->in->no_cfi)
		read_cfi(m, read, ctx);
	return true;
}

bool
module_read_image(struct module *m, struct slice image)
{
	return image.len && module_read(m, read_memory, &image, NULL);
}

bool
module_image_is(struct slice image, const char *build_id)
{
	struct module m = { 0 };

	if (!image.len || !unwind_elf_read(read_memory, &image, &m.elf))
		return false;
	module_name_build(&m, NULL);
	return !strcmp(m.build_id, build_id);
}

void
modules_free(struct modules *t)
{
	size_t i;

	for (i = 0; i < t->keys.n; i++) {
		while (t->list[i]->n_memory)
			free(t->list[i]->memory[--t->list[i]->n_memory]);
		if (t->list[i]->fd >= 0)
			close(t->list[i]->fd);
		free(t->list[i]);
	}
	free(t->list);
	intern_free(&t->keys);
	arena_free(&t->arena);
	*t = (struct modules){ 0 };
}
