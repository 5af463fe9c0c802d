/* SPDX-License-Identifier: MIT */
#include "capture/capture.h"

#include "base/buf.h"
#include "base/msg.h"
#include "base/xalloc.h"

bool
capture_guess(struct slice bytes)
{
	return slice_starts(bytes, "pk-capture ");
}

uint32_t
capture_new_module(struct capture *c, struct slice build_id, char base,
		   struct slice path)
{
	GROW(c->modules, c->cap_modules, c->n_modules + 1);
	c->modules[c->n_modules] = (struct capture_module){
		.path = arena_copy(&c->arena, path),
		.build_id = arena_copy(&c->arena, build_id),
		.base = base,
	};
	return (uint32_t)c->n_modules++;
}

/* Modules without a build id are only equal within one capture: the same
 * path on another host may be another file. */
uint32_t
capture_add_module(struct capture *c, struct slice build_id, char base,
		   struct slice path)
{
	struct buf key = { 0 };
	size_t before = c->module_ids.n;
	uint32_t id;

	buf_char(&key, base);
	buf_u64(&key, build_id.len ? 0 : c->n_captures);
	buf_char(&key, ' ');
	buf_slice(&key, build_id);
	buf_char(&key, ' ');
	buf_slice(&key, path);
	id = intern_add(&c->module_ids, buf_get(&key));
	buf_free(&key);
	if (c->module_ids.n > before) {
		GROW(c->module_of_id, c->cap_module_of_id, (size_t)id + 1);
		c->module_of_id[id] =
			capture_new_module(c, build_id, base, path);
	}
	return c->module_of_id[id];
}

/* Kinds, not numbers; they are searched one by one. */
enum { EVENTS_MAX = 4096, LACKS_MAX = 64 };

uint32_t
capture_add_event(struct capture *c, struct slice unit, uint64_t period,
		  struct slice name)
{
	uint32_t i;

	for (i = 0; i < c->n_events; i++)
		if (slice_eq(c->events[i].name, name) &&
		    slice_eq(c->events[i].unit, unit))
			return i;
	if (i == EVENTS_MAX)
		return UINT32_MAX;
	GROW(c->events, c->cap_events, c->n_events + 1);
	c->events[c->n_events++] =
		(struct capture_event){ .name = arena_copy(&c->arena, name),
					.unit = arena_copy(&c->arena, unit),
					.period = period };
	return i;
}

void
capture_add_meta(struct capture *c, struct slice key, struct slice value)
{
	GROW(c->meta, c->cap_meta, c->n_meta + 1);
	c->meta[c->n_meta++] =
		(struct capture_meta){ arena_copy(&c->arena, key),
				       arena_copy(&c->arena, value) };
}

void
capture_add_symbol(struct capture *c, uint32_t module, uint64_t addr,
		   uint64_t size, struct slice name)
{
	struct capture_module *m = &c->modules[module];

	GROW(m->symbols, m->cap_symbols, m->n_symbols + 1);
	m->symbols[m->n_symbols++] =
		(struct capture_symbol){ addr, size, ++c->n_symbols,
					 arena_copy(&c->arena, name) };
}

bool
capture_add_lack(struct capture *c, struct slice what, uint64_t count)
{
	size_t i;

	for (i = 0; i < c->n_lacks; i++)
		if (slice_eq(c->lacks[i].what, what))
			break;
	if (i == LACKS_MAX)
		return false;
	if (i == c->n_lacks) {
		GROW(c->lacks, c->cap_lacks, i + 1);
		c->lacks[c->n_lacks++] =
			(struct capture_count){ arena_copy(&c->arena, what),
						0 };
	}
	if (__builtin_add_overflow(c->lacks[i].count, count,
				   &c->lacks[i].count))
		c->lacks[i].count = UINT64_MAX;
	return true;
}

static int
compare_starts(const void *pa, const void *pb)
{
	const struct capture_symbol *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

/* The symbols that may cover an address, the last recorded on top. */
struct heap {
	struct capture_symbol *at;
	size_t n;
};

static void
heap_push(struct heap *h, struct capture_symbol s)
{
	size_t i = h->n++;

	for (; i && h->at[(i - 1) / 2].line < s.line; i = (i - 1) / 2)
		h->at[i] = h->at[(i - 1) / 2];
	h->at[i] = s;
}

static void
heap_pop(struct heap *h)
{
	struct capture_symbol last = h->at[--h->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n &&
		    h->at[child + 1].line > h->at[child].line)
			child++;
		if (h->at[child].line < last.line)
			break;
		h->at[i] = h->at[child];
		i = child;
	}
	h->at[i] = last;
}

/* The last address a symbol covers; its size is not 0. */
static uint64_t
last_of(const struct capture_symbol *s)
{
	return s->size - 1 > UINT64_MAX - s->addr ? UINT64_MAX
						  : s->addr + (s->size - 1);
}

/*
 * A sweep from low to high addresses. OUT receives pieces that lie apart, each
 * of the last recorded symbol that covers it; returns how many, at most twice
 * as many as there are symbols.
 */
static size_t
flatten(const struct capture_symbol *in, size_t n, struct capture_symbol *out,
	struct heap *h)
{
	uint64_t at = 0, end;
	size_t i = 0, pieces = 0;

	while (i < n || h->n) {
		if (!h->n)
			at = in[i].addr;
		for (; i < n && in[i].addr <= at; i++)
			if (in[i].size)
				heap_push(h, in[i]);
		while (h->n && last_of(&h->at[0]) < at)
			heap_pop(h);
		if (!h->n)
			continue;
		end = last_of(&h->at[0]);
		if (i < n && in[i].addr <= end)
			end = in[i].addr - 1;
		out[pieces] = h->at[0];
		out[pieces].addr = at;
		out[pieces++].size = end - at + 1;
		if (end == UINT64_MAX)
			break;
		at = end + 1;
	}
	h->n = 0;
	return pieces;
}

static void
sort_symbols(struct capture_module *m)
{
	struct capture_symbol *flat = xcalloc(m->n_symbols, 2 * sizeof *flat);
	struct heap heap = { xcalloc(m->n_symbols, sizeof *flat), 0 };

	qsort(m->symbols, m->n_symbols, sizeof *m->symbols, compare_starts);
	m->n_symbols = flatten(m->symbols, m->n_symbols, flat, &heap);
	free(heap.at);
	free(m->symbols);
	m->symbols = flat;
	m->cap_symbols = m->n_symbols;
}

void
capture_sort_symbols(struct capture *c)
{
	size_t i;

	for (i = 0; i < c->n_modules; i++)
		if (c->modules[i].n_symbols)
			sort_symbols(&c->modules[i]);
}

const struct capture_symbol *
capture_find_symbol(const struct capture_module *m, uint64_t addr)
{
	size_t lo = 0, hi = m->n_symbols;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->symbols[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr - m->symbols[lo - 1].addr >= m->symbols[lo - 1].size)
		return NULL;
	return &m->symbols[lo - 1];
}

struct slice
capture_meta(const struct capture *c, const char *key)
{
	size_t i;

	for (i = 0; i < c->n_meta; i++)
		if (slice_is(c->meta[i].key, key))
			return c->meta[i].value;
	return (struct slice){ NULL, 0 };
}

void
capture_report_skipped(const struct capture *c)
{
	if (c->n_unknown)
		warning("%llu record%s of a type this version does not know "
			"skipped",
			(unsigned long long)c->n_unknown,
			c->n_unknown == 1 ? "" : "s");
}

void
capture_free(struct capture *c)
{
	size_t i;

	for (i = 0; i < c->n_modules; i++)
		free(c->modules[i].symbols);
	free(c->modules);
	free(c->module_of_id);
	nodes_free(&c->nodes);
	free(c->events);
	free(c->lacks);
	free(c->meta);
	intern_free(&c->names);
	intern_free(&c->module_ids);
	arena_free(&c->arena);
	*c = (struct capture){ 0 };
}
