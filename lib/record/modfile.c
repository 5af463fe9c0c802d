/* SPDX-License-Identifier: MIT */
#include "record/modfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "process/file.h"
#include "record/debugfile.h"
#include "symbol/table.h"

/* Descriptors kept, and those left for everything else. */
enum { KEPT_MAX = 1000, SPARE_FILES = 64 };

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
	if (!module_read(m, file_read, &fd, &st)) {
		close(fd);
		return;
	}
	if (module_lacks_rules(m))
		module_add_debug_frame(
			m, debug_frame_find(&m->elf, fd, at->pid, m->key.path,
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
	module_name_build(&other, st);
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
	m->namespace_pid = m->pid;
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
module_load(void *ctx, struct module *m, const struct module_place *at)
{
	(void)ctx;
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
		module_read_image(m, module_vdso_image());
		break;
	case MODULE_JIT:
		load_jit(m);
		break;
	}
}
