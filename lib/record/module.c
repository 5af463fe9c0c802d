/* SPDX-License-Identifier: MIT */
#include "record/module.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/xalloc.h"
#include "record/debugframe.h"
#include "record/file.h"
#include "symbol/table.h"

/* Descriptors kept, and those left for everything else. */
enum { KEPT_MAX = 1000, SPARE_FILES = 64 };

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
	buf_slice(&text, key->path);
	id = find_module(t, &text, &m);
	if (m) {
		m->kind = MODULE_FILE;
		m->key = *key;
		m->key.path = arena_copy(&t->arena, without_deleted(key->path));
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
		m->pid = m->namespace_pid = pid;
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

/* ---- finding the file ---- */

/* The file at PATH, if it is the one that is mapped. Only inode numbers are
 * compared: some file systems report another device to stat(2) than to the
 * memory map. */
static int
open_if_same(const struct module *m, const char *path, struct stat *st)
{
	int fd = file_open_regular(path, st);

	if (fd >= 0 && m->key.inode && st->st_ino != m->key.inode) {
		close(fd);
		return -1;
	}
	return fd;
}

/* As the process sees it (it may live in another mount namespace); through
 * the mapping or the process, when the file was deleted or replaced; as we see
 * it, in case the process has ended. */
static int
open_module(const struct module *m, const struct module_place *at,
	    struct stat *st)
{
	char *paths[4];
	int fd = -1, i, pid = (int)at->pid;

	if (!m->key.path.len || m->key.path.ptr[0] != '/' ||
	    memchr(m->key.path.ptr, '\0', m->key.path.len))
		return -1;
	paths[0] = xasprintf("/proc/%d/root%.*s", pid, (int)m->key.path.len,
			     m->key.path.ptr);
	paths[1] = xasprintf("/proc/%d/map_files/%llx-%llx", pid,
			     (unsigned long long)at->start,
			     (unsigned long long)at->end);
	paths[2] = xasprintf("/proc/%d/exe", pid);
	paths[3] = xmemdup0(m->key.path.ptr, m->key.path.len);
	for (i = 0; i < 4; i++) {
		if (fd < 0)
			fd = open_if_same(m, paths[i], st);
		free(paths[i]);
	}
	return fd;
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

/* BYTES are those of debug_frame, or NULL. */
static void
add_debug_frame(struct module *m, void *bytes)
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
	add_debug_frame(
		m, debug_frame_read(read, ctx, &m->elf, &m->debug_frame.frame));
}

/* Whether an eighth of the code has no rule, by probing. */
static bool
lacks_rules(const struct module *m)
{
	enum { PROBES = 64 };
	unsigned i, probe, n = 0, missing = 0;
	struct unwind_rule rule;

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

static void
name_build_id(struct module *m, const struct stat *st)
{
	unsigned i;

	for (i = 0; i < m->elf.build_id_size; i++)
		sprintf(m->build_id + 2 * i, "%02x", m->elf.build_id[i]);
	if (!m->elf.build_id_size && st)
		snprintf(m->build_id, sizeof m->build_id, "%lld:%lld",
			 (long long)st->st_size, (long long)st->st_mtime);
}

static void
keep_or_close(struct module *m, int fd)
{
	struct rlimit limit;

	if (m->in->n_kept < KEPT_MAX && !getrlimit(RLIMIT_NOFILE, &limit) &&
	    limit.rlim_cur > SPARE_FILES &&
	    (rlim_t)fd < limit.rlim_cur - SPARE_FILES) {
		m->fd = fd;
		m->in->n_kept++;
	} else {
		close(fd);
	}
}

void
module_close(struct module *m)
{
	if (m->fd < 0)
		return;
	close(m->fd);
	m->fd = -1;
	m->in->n_kept--;
}

static void
load_file(struct module *m, const struct module_place *at)
{
	struct stat st;
	int fd = open_module(m, at, &st);

	if (fd < 0)
		return;
	if (!unwind_elf_read(file_read, &fd, &m->elf)) {
		close(fd);
		return;
	}
	m->readable = true;
	name_build_id(m, &st);
	read_cfi(m, file_read, &fd);
	if (!m->debug_frame.frame.size && lacks_rules(m))
		add_debug_frame(m, debug_frame_find(&m->elf, fd, at->pid,
						    m->key.path,
						    &m->debug_frame.frame));
	keep_or_close(m, fd);
}

/* Whether FD has M's build id or, without one, its size and time. */
static bool
is_build(const struct module *m, int fd, const struct stat *st)
{
	struct module other = { 0 };

	if (!unwind_elf_read(file_read, &fd, &other.elf))
		return false;
	name_build_id(&other, st);
	return !strcmp(m->build_id, other.build_id);
}

/* FD, or -1 when it is not M's. */
static int
checked(const struct module *m, int fd, const struct stat *st)
{
	if (fd < 0 || is_build(m, fd, st))
		return fd;
	close(fd);
	return -1;
}

int
module_open_file(const struct module *m)
{
	struct stat st;
	char *path;
	int fd;

	if (m->fd >= 0) {
		fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 || fstat(fd, &st) ? fd : checked(m, fd, &st);
	}
	path = xmemdup0(m->key.path.ptr, m->key.path.len);
	fd = open_if_same(m, path, &st);
	free(path);
	return checked(m, fd, &st);
}

int
module_open_debug(const struct module *m)
{
	struct stat st;
	char *path;
	int fd;

	if (m->elf.build_id_size < 2)
		return -1;
	path = xasprintf("/usr/lib/debug/.build-id/%.2s/%s.debug", m->build_id,
			 m->build_id + 2);
	fd = file_open_regular(path, &st);
	free(path);
	return checked(m, fd, &st);
}

bool
module_is_replaced(const struct module *m)
{
	char *path = xmemdup0(m->key.path.ptr, m->key.path.len);
	struct stat at_path, mapped;
	bool replaced;

	replaced = m->fd >= 0 && !fstat(m->fd, &mapped) &&
		   (stat(path, &at_path) || at_path.st_dev != mapped.st_dev ||
		    at_path.st_ino != mapped.st_ino ||
		    at_path.st_size != mapped.st_size ||
		    at_path.st_mtime != mapped.st_mtime);
	free(path);
	return replaced;
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

static void
load_vdso(struct module *m)
{
	struct slice image = module_vdso_image();

	if (image.len && unwind_elf_read(read_memory, &image, &m->elf)) {
		m->readable = true;
		name_build_id(m, NULL);
		read_cfi(m, read_memory, &image);
	}
}

int
module_open_map(const struct module *m, bool in_its_root, const char **why)
{
	char root[32] = "", path[96];

	if (in_its_root)
		snprintf(root, sizeof root, "/proc/%d/root", (int)m->pid);
	snprintf(path, sizeof path, "%s/tmp/perf-%d.map", root,
		 (int)m->namespace_pid);
	return symbol_table_open_perf_map(path, m->uid, why);
}

void
module_release(struct module *m)
{
	module_close(m);
	m->idle = m->leaving = false;
	m->released = true;
}

static void
open_again(struct module *m, const struct module_place *at)
{
	struct stat st;
	int fd = open_module(m, at, &st);

	m->released = false;
	fd = checked(m, fd, &st);
	if (fd >= 0)
		keep_or_close(m, fd);
}

/* How often to look for a map that is not there yet. */
enum { MAP_EVERY_NS = 100000000 };

/* The process may delete its map when it ends, or take its file system with
 * it. */
static void
keep_map(struct module *m)
{
	struct timespec t;
	const char *why;
	uint64_t now;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	if (m->fd >= 0 || m->named || now - m->map_looked_for < MAP_EVERY_NS)
		return;
	m->map_looked_for = now;
	fd = module_open_map(m, true, &why);
	if (fd >= 0)
		keep_or_close(m, fd);
}

/* What finds the process's perf-PID.map, while the process is there. */
static void
load_jit(struct module *m)
{
	char path[64], line[256], *last;
	FILE *f;

	m->uid = geteuid();
	snprintf(path, sizeof path, "/proc/%d/status", (int)m->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (!strncmp(line, "Uid:", 4))
			m->uid = (uid_t)strtoul(line + 4, NULL, 10);
		last = strrchr(line, '\t');
		if (!strncmp(line, "NSpid:", 6) && last)
			m->namespace_pid = (pid_t)strtol(last, NULL, 10);
	}
	if (f)
		fclose(f);
	keep_map(m);
}

void
module_load(struct module *m, const struct module_place *at)
{
	if (m->loaded && m->kind == MODULE_JIT)
		keep_map(m);
	if (m->released)
		open_again(m, at);
	if (m->loaded)
		return;
	m->loaded = true;
	switch (m->kind) {
	case MODULE_FILE:
		load_file(m, at);
		break;
	case MODULE_VDSO:
		load_vdso(m);
		break;
	case MODULE_JIT:
		load_jit(m);
		break;
	}
}

void
modules_free(struct modules *t)
{
	size_t i;

	for (i = 0; i < t->keys.n; i++) {
		while (t->list[i]->n_memory)
			free(t->list[i]->memory[--t->list[i]->n_memory]);
		module_close(t->list[i]);
		free(t->list[i]);
	}
	free(t->list);
	intern_free(&t->keys);
	arena_free(&t->arena);
	*t = (struct modules){ 0 };
}
