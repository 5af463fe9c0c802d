/* SPDX-License-Identifier: MIT */
/* The files of the modules of a recording: by path, with the build id that was
 * recorded where one was. */
#include "import/machine/perf_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "process/debugframe.h"
#include "process/file.h"
#include "symbol/files.h"
#include "symbol/open.h"

void
perf_hex_id(struct slice bytes, char text[2 * UNWIND_MAX_BUILD_ID + 1])
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < bytes.len && i < UNWIND_MAX_BUILD_ID; i++)
		sprintf(text + 2 * i, "%02x", (unsigned char)bytes.ptr[i]);
}

enum { MOST_OF_A_PATH = 16 };

static struct perf_listed_path *
listed_path(struct perf_listed *l, struct slice path)
{
	uint32_t id = intern_add(&l->paths, path);
	size_t cap = l->cap_of;

	GROW(l->of, l->cap_of, (size_t)id + 1);
	if (l->cap_of > cap)
		memset(l->of + cap, 0, (l->cap_of - cap) * sizeof *l->of);
	return &l->of[id];
}

static void
list_build_id(struct perf_listed *l, struct slice path)
{
	struct perf_listed_path *p = listed_path(l, path);
	uint32_t place = (uint32_t)l->n++;

	GROW(l->next, l->cap_next, l->n);
	if (p->n == MOST_OF_A_PATH)
		return;
	if (p->n++)
		l->next[p->last] = place;
	else
		p->first = place;
	p->last = place;
}

/* In a pipe the list grows while records are read. */
struct slice
perf_listed_build_id(struct perf_reader *r, struct slice path, size_t i)
{
	const struct perf_header *h = r->header;
	struct perf_listed *l = &r->listed;
	const struct perf_listed_path *p;
	uint32_t place;

	while (l->n < h->n_build_ids && l->n < UINT32_MAX)
		list_build_id(l, h->build_ids[l->n].path);
	p = listed_path(l, path);
	if (i >= p->n)
		return (struct slice){ NULL, 0 };
	for (place = p->first; i--;)
		place = l->next[place];
	return h->build_ids[place].id;
}

void
perf_free_listed(struct perf_reader *r)
{
	intern_free(&r->listed.paths);
	free(r->listed.of);
	free(r->listed.next);
}

/* A mapping cannot reach beyond the page in which its file ends: where it
 * does, this is another file. */
static bool
holds(const struct module_place *at, const struct stat *st)
{
	enum { PAGE = 4096 };
	uint64_t size = ((uint64_t)st->st_size | (PAGE - 1)) + 1;

	return at->offset <= size && at->end - at->start <= size - at->offset;
}

static int
open_build(const struct perf_reader *r, const struct module *m,
	   struct slice build_id, enum symbol_problem *why)
{
	return symbol_open_module(r->opt, m->key.path, build_id, why);
}

/* The file, and the build id to name it by in TEXT: of several that the list
 * has for the path, the one that is here. */
static int
open_file(struct perf_reader *r, struct module *m,
	  char text[2 * UNWIND_MAX_BUILD_ID + 1])
{
	enum symbol_problem why;
	struct slice listed;
	size_t i;
	int fd;

	if (m->key.build_id.len)
		snprintf(text, 2 * UNWIND_MAX_BUILD_ID + 1, "%.*s",
			 (int)m->key.build_id.len, m->key.build_id.ptr);
	else
		perf_hex_id(perf_listed_build_id(r, m->key.path, 0), text);
	if (m->deleted && !text[0])
		return -1;
	fd = open_build(r, m, slice_str(text), &why);
	for (i = 1; fd < 0 && !m->key.build_id.len; i++) {
		char other[2 * UNWIND_MAX_BUILD_ID + 1];

		listed = perf_listed_build_id(r, m->key.path, i);
		if (!listed.len)
			break;
		perf_hex_id(listed, other);
		fd = open_build(r, m, slice_str(other), &why);
		if (fd >= 0)
			memcpy(text, other, sizeof other);
	}
	return fd;
}

static void
add_debug_file(const struct perf_reader *r, struct module *m)
{
	int fd = symbol_open_debug(r->opt, m->key.path, slice_str(m->build_id));
	struct unwind_elf elf;

	if (fd < 0)
		return;
	if (unwind_elf_read(file_read, &fd, &elf))
		module_add_debug_frame(m,
				       debug_frame_read(file_read, &fd, &elf,
							&m->debug_frame.frame));
	close(fd);
}

static void
load_file(struct perf_reader *r, struct module *m,
	  const struct module_place *at)
{
	char id[2 * UNWIND_MAX_BUILD_ID + 1];
	struct stat st;
	int fd = open_file(r, m, id);

	if (fd >= 0 && !fstat(fd, &st) && holds(at, &st) &&
	    module_read(m, file_read, &fd, &st) && module_lacks_rules(m))
		add_debug_file(r, m);
	if (fd >= 0)
		close(fd);
	/* Nobody shall take what lies there now for it: no file is called so.
	 */
	if (!m->readable && !id[0])
		memcpy(id, "0:0", 4);
	if (!m->readable)
		memcpy(m->build_id, id, strlen(id) + 1);
}

/* Perf's copy of the one that was recorded. */
static void
load_cached_vdso(struct module *m, struct slice build_id)
{
	char *path = perf_cache_path(build_id, "vdso");
	struct stat st;
	int fd = path ? file_open_regular(path, &st) : -1;

	free(path);
	if (fd < 0)
		return;
	module_read(m, file_read, &fd, NULL);
	close(fd);
}

static void
load_vdso(struct perf_reader *r, struct module *m)
{
	char want[2 * UNWIND_MAX_BUILD_ID + 1];
	struct slice image = module_vdso_image();
	struct slice listed = perf_listed_build_id(r, m->key.path, 0);

	perf_hex_id(listed, want);
	if (!listed.len) {
		if (perf_is_running_kernel(r))
			module_read_image(m, image);
		return;
	}
	if (module_image_is(image, want))
		module_read_image(m, image);
	else
		load_cached_vdso(m, slice_str(want));
}

static bool
copies_stacks(const struct perf_reader *r)
{
	const struct perf_event *list;
	size_t n, i;

	list = perf_events(r->file, &n);
	for (i = 0; i < n; i++)
		if (list[i].attr.sample_type & PERF_SAMPLE_STACK_USER)
			return true;
	return false;
}

void
perf_load_module(void *ctx, struct module *m, const struct module_place *at)
{
	struct perf_reader *r = ctx;

	if (m->loaded)
		return;
	m->loaded = true;
	m->in->no_cfi = !copies_stacks(r);
	if (m->kind == MODULE_FILE)
		load_file(r, m, at);
	else if (m->kind == MODULE_VDSO)
		load_vdso(r, m);
}
