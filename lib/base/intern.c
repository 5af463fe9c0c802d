/* SPDX-License-Identifier: MIT */
#include "base/intern.h"

#include "base/hash.h"
#include "base/msg.h"
#include "base/xalloc.h"

static uint64_t
slot_of(uint64_t hash, uint32_t id)
{
	return (hash & ~(uint64_t)UINT32_MAX) | ((uint64_t)id + 1);
}

/* The upper half of a hash marks the slot, so the position comes from the
 * lower half. */
static void
rehash(struct intern *t, size_t n_slots)
{
	uint64_t *old = t->slots;
	size_t i;

	t->slots = xcalloc(n_slots, sizeof *t->slots);
	t->mask = n_slots - 1;
	free(old);
	for (i = 0; i < t->n; i++) {
		uint64_t h = hash_bytes(t->names[i].ptr, t->names[i].len);
		size_t at = h & t->mask;

		while (t->slots[at])
			at = (at + 1) & t->mask;
		t->slots[at] = slot_of(h, (uint32_t)i);
	}
}

/* The slot that holds S, or the free one where it belongs. */
static uint64_t *
find_slot(const struct intern *t, struct slice s, uint64_t hash)
{
	size_t at = hash & t->mask;

	for (;; at = (at + 1) & t->mask) {
		uint64_t slot = t->slots[at];

		if (!slot || (slot >> 32 == hash >> 32 &&
			      slice_eq(t->names[(uint32_t)slot - 1], s)))
			return &t->slots[at];
	}
}

uint32_t
intern_add_hashed(struct intern *t, struct slice s, uint64_t hash)
{
	uint64_t *slot;

	if (!t->slots)
		rehash(t, 1024);
	slot = find_slot(t, s, hash);
	if (*slot)
		return (uint32_t)*slot - 1;
	if (t->n >= UINT32_MAX - 1)
		die("more than 4 billion distinct names");
	GROW(t->names, t->cap, t->n + 1);
	t->names[t->n] = arena_copy(&t->arena, s);
	*slot = slot_of(hash, (uint32_t)t->n);
	t->n++;
	if (t->n > t->mask / 2)
		rehash(t, (t->mask + 1) * 2);
	return (uint32_t)t->n - 1;
}

uint32_t
intern_add(struct intern *t, struct slice s)
{
	return intern_add_hashed(t, s, hash_bytes(s.ptr, s.len));
}

int64_t
intern_find(const struct intern *t, struct slice s)
{
	uint64_t slot;

	if (!t->slots)
		return -1;
	slot = *find_slot(t, s, hash_bytes(s.ptr, s.len));
	return slot ? (int64_t)((uint32_t)slot - 1) : -1;
}

void
intern_free(struct intern *t)
{
	arena_free(&t->arena);
	free(t->names);
	free(t->slots);
	*t = (struct intern){ 0 };
}
