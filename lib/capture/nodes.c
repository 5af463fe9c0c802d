/* SPDX-License-Identifier: MIT */
#include "capture/nodes.h"

#include "base/hash.h"
#include "base/msg.h"
#include "base/xalloc.h"

static uint64_t
hash_node(const struct node *n)
{
	return hash_mix((uint64_t)n->parent << 32 | n->module, n->addr);
}

static uint64_t
slot_of(uint64_t hash, size_t number)
{
	return (hash & ~(uint64_t)UINT32_MAX) | number;
}

static void
rehash(struct nodes *t)
{
	size_t n = t->mask ? (t->mask + 1) * 2 : 4096, i;

	free(t->slots);
	t->slots = xcalloc(n, sizeof *t->slots);
	t->mask = n - 1;
	for (i = 1; i < t->n; i++) {
		uint64_t h = hash_node(&t->list[i]);
		size_t at = h & t->mask;

		while (t->slots[at])
			at = (at + 1) & t->mask;
		t->slots[at] = slot_of(h, i);
	}
}

static uint32_t
append(struct nodes *t, struct node node)
{
	if (t->n >= UINT32_MAX)
		die("more than 4 billion distinct stack frames");
	GROW(t->list, t->cap, t->n + 2);
	if (!t->n)
		t->list[t->n++] = (struct node){ 0 };
	t->list[t->n] = node;
	return (uint32_t)t->n++;
}

uint32_t
nodes_add(struct nodes *t, struct node node, bool *added)
{
	uint64_t h = hash_node(&node);
	uint32_t number;
	size_t at;

	if (t->n >= t->mask / 2)
		rehash(t);
	for (at = h & t->mask; t->slots[at]; at = (at + 1) & t->mask) {
		const struct node *have = &t->list[(uint32_t)t->slots[at]];

		if (t->slots[at] >> 32 == h >> 32 && have->addr == node.addr &&
		    have->parent == node.parent &&
		    have->module == node.module) {
			if (added)
				*added = false;
			return (uint32_t)t->slots[at];
		}
	}
	number = append(t, node);
	t->slots[at] = slot_of(h, number);
	if (added)
		*added = true;
	return number;
}

void
nodes_free(struct nodes *t)
{
	free(t->list);
	free(t->slots);
	*t = (struct nodes){ 0 };
}
