/* SPDX-License-Identifier: MIT */
#include "capture/capture.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/msg.h"
#include "base/xalloc.h"

bool
capture_guess(struct slice bytes)
{
	return slice_starts(bytes, "pk-capture ");
}

/* Modules without a build id are only equal within one capture: the same
 * path on another host may be another file. */
uint32_t
capture_add_module(struct capture *c, struct slice build_id, char base,
		   struct slice path)
{
	struct buf key = { 0 };
	uint32_t id;

	buf_char(&key, base);
	buf_u64(&key, build_id.len ? 0 : c->n_captures);
	buf_char(&key, ' ');
	buf_slice(&key, build_id);
	buf_char(&key, ' ');
	buf_slice(&key, path);
	id = intern_add(&c->module_ids, buf_get(&key));
	buf_free(&key);
	if (id < c->n_modules)
		return id;
	GROW(c->modules, c->cap_modules, c->n_modules + 1);
	c->modules[c->n_modules++] = (struct capture_module){
		.path = arena_copy(&c->arena, path),
		.build_id = arena_copy(&c->arena, build_id),
		.base = base,
	};
	return id;
}

static uint64_t
node_hash(const struct capture_node *n)
{
	return hash_mix((uint64_t)n->parent << 32 | n->module, n->addr);
}

/* Slots hold the hash's upper half and the node's index. */
static void
rehash_nodes(struct capture *c)
{
	size_t n = c->node_mask ? (c->node_mask + 1) * 2 : 4096, i;

	free(c->node_slots);
	c->node_slots = xcalloc(n, sizeof *c->node_slots);
	c->node_mask = n - 1;
	for (i = 1; i < c->n_nodes; i++) {
		uint64_t h = node_hash(&c->nodes[i]);
		size_t at = h & c->node_mask;

		while (c->node_slots[at])
			at = (at + 1) & c->node_mask;
		c->node_slots[at] = (h & ~(uint64_t)UINT32_MAX) | i;
	}
}

static void
add_root_node(struct capture *c)
{
	GROW(c->nodes, c->cap_nodes, 1);
	c->nodes[0] = (struct capture_node){ 0 };
	c->n_nodes = 1;
}

uint32_t
capture_add_node(struct capture *c, uint32_t parent, uint32_t module,
		 uint64_t addr)
{
	struct capture_node node = { parent, module, addr };
	uint64_t h = node_hash(&node);
	size_t at;

	if (!c->n_nodes)
		add_root_node(c);
	if (c->n_nodes >= c->node_mask / 2)
		rehash_nodes(c);
	for (at = h & c->node_mask; c->node_slots[at];
	     at = (at + 1) & c->node_mask) {
		uint32_t have = (uint32_t)c->node_slots[at];
		const struct capture_node *n = &c->nodes[have];

		if (c->node_slots[at] >> 32 == h >> 32 && n->addr == addr &&
		    n->parent == parent && n->module == module)
			return have;
	}
	if (c->n_nodes >= UINT32_MAX)
		die("more than 4 billion distinct stack frames");
	GROW(c->nodes, c->cap_nodes, c->n_nodes + 1);
	c->nodes[c->n_nodes] = node;
	c->node_slots[at] = (h & ~(uint64_t)UINT32_MAX) | c->n_nodes;
	return (uint32_t)c->n_nodes++;
}

/* A merge sort by address: equal ones keep the order of the file. */
static void
merge_sort(struct capture_symbol *s, struct capture_symbol *tmp, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	merge_sort(s, tmp, half);
	merge_sort(s + half, tmp, n - half);
	while (i < half && j < n)
		tmp[k++] = s[j].addr < s[i].addr ? s[j++] : s[i++];
	while (i < half)
		tmp[k++] = s[i++];
	memcpy(s, tmp, k * sizeof *s);
}

void
capture_sort_symbols(struct capture *c)
{
	size_t i;

	for (i = 0; i < c->n_modules; i++) {
		struct capture_module *m = &c->modules[i];
		struct capture_symbol *tmp = xcalloc(m->n_symbols, sizeof *tmp);

		merge_sort(m->symbols, tmp, m->n_symbols);
		free(tmp);
	}
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
	free(c->nodes);
	free(c->node_slots);
	free(c->events);
	free(c->lacks);
	free(c->meta);
	intern_free(&c->names);
	intern_free(&c->module_ids);
	arena_free(&c->arena);
	*c = (struct capture){ 0 };
}
