/* SPDX-License-Identifier: MIT */
#include "symbol/resolve.h"

#include <stdlib.h>
#include "base/xalloc.h"

/* Inlined calls at one address beyond which the inner ones are left out. */
enum { FRAMES_MAX = 64 };

static void
find_locations(struct resolution *r, const struct capture *c,
	       const uint8_t *wanted)
{
	struct nodes distinct = { 0 };
	size_t i;

	r->of_node = xcalloc(c->nodes.n, sizeof *r->of_node);
	for (i = 1; i < c->nodes.n; i++) {
		struct node node = c->nodes.list[i];

		node.parent = 0;
		if (wanted[i])
			r->of_node[i] = nodes_add(&distinct, node, NULL) - 1;
	}
	r->n_locations = distinct.n ? distinct.n - 1 : 0;
	r->locations = xcalloc(r->n_locations, sizeof *r->locations);
	for (i = 0; i < r->n_locations; i++)
		r->locations[i] = (struct location){
			.addr = distinct.list[i + 1].addr,
			.module = distinct.list[i + 1].module,
		};
	nodes_free(&distinct);
}

struct ordered {
	struct location location;
	uint32_t was;
};

static int
compare_locations(const void *pa, const void *pb)
{
	const struct location *a = &((const struct ordered *)pa)->location;
	const struct location *b = &((const struct ordered *)pb)->location;

	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	return (a->addr > b->addr) - (a->addr < b->addr);
}

static void
sort_locations(struct resolution *r, size_t n_nodes, const uint8_t *wanted)
{
	struct ordered *o = xcalloc(r->n_locations, sizeof *o);
	uint32_t *now = xcalloc(r->n_locations, sizeof *now);
	size_t i;

	for (i = 0; i < r->n_locations; i++)
		o[i] = (struct ordered){ r->locations[i], (uint32_t)i };
	qsort(o, r->n_locations, sizeof *o, compare_locations);
	for (i = 0; i < r->n_locations; i++) {
		r->locations[i] = o[i].location;
		now[o[i].was] = (uint32_t)i;
	}
	for (i = 1; i < n_nodes; i++)
		if (wanted[i])
			r->of_node[i] = now[r->of_node[i]];
	free(o);
	free(now);
}

static struct symbol_module *
symbol_module_of(struct resolution *r, const struct capture *c, uint32_t i)
{
	const struct capture_module *m = &c->modules[i];

	if (!r->modules[i])
		r->modules[i] =
			symbolizer_module(r->symbolizer, m->path, m->build_id,
					  (enum symbol_base)m->base);
	return r->modules[i];
}

static bool
is_file(const struct capture_module *m)
{
	return (m->base == CAPTURE_VADDR || m->base == CAPTURE_OFFSET) &&
	       slice_starts(m->path, "/");
}

static size_t
look_up(struct resolution *r, const struct capture *c, const struct location *l,
	struct symbol_frame frames[FRAMES_MAX])
{
	const struct capture_module *m = &c->modules[l->module];
	const struct capture_symbol *s = capture_find_symbol(m, l->addr);
	size_t n;

	frames[0] = (struct symbol_frame){ 0 };
	/* What the kernel and JIT compilers call their code is not mangled. */
	if (!is_file(m) &&
	    (s || (m->base != CAPTURE_VADDR && m->base != CAPTURE_OFFSET))) {
		if (s)
			frames[0].name = s->name;
		return 1;
	}
	n = symbol_lookup(symbol_module_of(r, c, l->module), l->addr, frames,
			  FRAMES_MAX);
	if (s && !frames[n - 1].name.len)
		frames[n - 1].name = symbolizer_show(r->symbolizer, s->name);
	return n;
}

static void
name_locations(struct resolution *r, const struct capture *c)
{
	struct symbol_frame frames[FRAMES_MAX];
	size_t i;

	for (i = 0; i < r->n_locations; i++) {
		struct location *l = &r->locations[i];

		l->first = (uint32_t)r->n_frames;
		l->n = (uint32_t)look_up(r, c, l, frames);
		GROW(r->frames, r->cap_frames, r->n_frames + l->n);
		memcpy(r->frames + r->n_frames, frames, l->n * sizeof *frames);
		r->n_frames += l->n;
	}
}

void
resolution_make(struct resolution *r, struct capture *c, const uint8_t *wanted,
		const struct symbol_options *opt)
{
	*r = (struct resolution){ 0 };
	capture_sort_symbols(c);
	find_locations(r, c, wanted);
	sort_locations(r, c->nodes.n, wanted);
	r->symbolizer = symbolizer_new(opt);
	r->modules = xcalloc(c->n_modules, sizeof(struct symbol_module *));
	name_locations(r, c);
}

void
resolution_free(struct resolution *r)
{
	if (r->symbolizer)
		symbolizer_free(r->symbolizer);
	free(r->modules);
	free(r->locations);
	free(r->of_node);
	free(r->frames);
	*r = (struct resolution){ 0 };
}
