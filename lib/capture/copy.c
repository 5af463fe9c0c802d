/* SPDX-License-Identifier: MIT */
#include "capture/copy.h"

#include <stdlib.h>
#include "base/xalloc.h"
#include "capture/write.h"

enum { FLUSH_SIZE = 1 << 16 };

struct capture_copy {
	const struct capture *c;
	struct output *out;
	struct capture_writer w;
	size_t n_meta;	      /* written so far */
	uint32_t *module_ids; /* by the model's index; 0: not written */
	uint32_t *node_ids;
	size_t cap_modules, cap_nodes;
	struct map procs;   /* pid: those told of; id of the name */
	struct map threads; /* pid << 32 | tid: id of the name */
	uint32_t *path;
	size_t cap_path;
};

/* Room for N ids; what is new is 0. */
static void
grow_ids(uint32_t **ids, size_t *cap, size_t n)
{
	size_t old = *cap;

	if (n <= old)
		return;
	GROW(*ids, *cap, n);
	memset(*ids + old, 0, (*cap - old) * sizeof **ids);
}

static void
flush(struct capture_copy *k)
{
	output_slice(k->out, buf_get(&k->w.out));
	buf_clear(&k->w.out);
}

struct capture_copy *
capture_copy_new(const struct capture *c, struct output *out)
{
	struct capture_copy *k = xcalloc(1, sizeof *k);

	k->c = c;
	k->out = out;
	capture_write_start(&k->w);
	return k;
}

/* Of several captures the first one's word holds. */
static bool
is_first(const struct capture *c, size_t meta)
{
	size_t i;

	for (i = 0; i < meta; i++)
		if (slice_eq(c->meta[i].key, c->meta[meta].key))
			return false;
	return true;
}

static void
write_meta(struct capture_copy *k)
{
	for (; k->n_meta < k->c->n_meta; k->n_meta++)
		if (is_first(k->c, k->n_meta))
			capture_write_meta(&k->w, k->c->meta[k->n_meta].key.ptr,
					   k->c->meta[k->n_meta].value);
}

/* Before the events that it is about. */
static void
write_default_value(struct capture_copy *k)
{
	size_t i;

	if (k->w.n_events || capture_meta(k->c, "value").len)
		return;
	for (i = 0; i < k->c->n_events; i++)
		if (k->c->events[i].weighed)
			break;
	if (i < k->c->n_events)
		capture_write_meta(&k->w, "value", SLICE_LIT("weight"));
}

/* In the order of the model: which one comes first matters. */
static void
write_events(struct capture_copy *k)
{
	while (k->w.n_events < k->c->n_events) {
		const struct capture_event *e = &k->c->events[k->w.n_events];

		capture_write_event(&k->w, e->unit.ptr, e->period, e->name);
	}
}

static uint32_t
write_module(struct capture_copy *k, uint32_t i)
{
	const struct capture_module *m = &k->c->modules[i];

	grow_ids(&k->module_ids, &k->cap_modules, (size_t)i + 1);
	if (!k->module_ids[i])
		k->module_ids[i] = capture_write_module(&k->w, m->build_id,
							m->base, m->path);
	return k->module_ids[i];
}

/* Callers come first. */
static uint32_t
write_stack(struct capture_copy *k, uint32_t node)
{
	const struct node *list = k->c->nodes.list;
	uint32_t id;
	size_t n = 0;

	if (!node)
		return 0;
	grow_ids(&k->node_ids, &k->cap_nodes, k->c->nodes.n);
	for (; node && !k->node_ids[node]; node = list[node].parent) {
		GROW(k->path, k->cap_path, n + 1);
		k->path[n++] = node;
	}
	id = node ? k->node_ids[node] : 0;
	while (n--) {
		const struct node *f = &list[k->path[n]];

		id = capture_write_frame(&k->w, id, write_module(k, f->module),
					 f->addr);
		k->node_ids[k->path[n]] = id;
	}
	return id;
}

/* A thread without a name of its own has its process's. A process nobody knows
 * the name of gets none. */
static void
write_name(struct capture_copy *k, const struct capture_sample *s)
{
	uint64_t key = s->pid << 32 | s->tid;
	uint32_t *known, *thread;
	bool added;

	if (s->name_id == UINT32_MAX)
		return;
	known = map_put(&k->procs, s->pid, &added);
	if (added) {
		*known = s->name_id;
		capture_write_proc(&k->w, s->time, (uint32_t)s->pid, 0, "found",
				   s->name);
	}
	thread = map_find(&k->threads, key);
	if ((thread ? *thread : *known) == s->name_id)
		return;
	*map_put(&k->threads, key, NULL) = s->name_id;
	capture_write_name(&k->w, s->time, (uint32_t)s->pid, (uint32_t)s->tid,
			   s->name);
}

void
capture_copy_sample(void *copy, const struct capture_sample *s)
{
	struct capture_copy *k = copy;
	uint32_t stack;

	write_meta(k);
	write_default_value(k);
	write_events(k);
	write_name(k, s);
	stack = write_stack(k, s->node);
	capture_write_sample(&k->w, s->time, (uint32_t)s->pid, (uint32_t)s->tid,
			     (uint32_t)s->cpu, s->event + 1, s->weight, stack);
	if (k->w.out.len >= FLUSH_SIZE)
		flush(k);
}

static void
write_symbols(struct capture_copy *k, uint32_t module)
{
	const struct capture_module *m = &k->c->modules[module];
	size_t i;

	for (i = 0; i < m->n_symbols; i++)
		capture_write_symbol(&k->w, 0, write_module(k, module),
				     m->symbols[i].addr, m->symbols[i].size,
				     m->symbols[i].name);
	flush(k);
}

void
capture_copy_finish(struct capture_copy *k)
{
	uint32_t i;

	write_meta(k);
	write_default_value(k);
	write_events(k);
	for (i = 0; i < k->c->n_modules; i++)
		write_symbols(k, i);
	for (i = 0; i < k->c->n_lacks; i++)
		capture_write_lack(&k->w, k->c->lacks[i].what.ptr,
				   k->c->lacks[i].count);
	capture_write_end(&k->w);
	flush(k);
	capture_writer_free(&k->w);
	free(k->module_ids);
	free(k->node_ids);
	free(k->path);
	map_free(&k->procs);
	map_free(&k->threads);
	free(k);
}
