/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include "base/hash.h"
#include "base/xalloc.h"

static size_t
home_of(const struct map *m, uint64_t key)
{
	return hash_mix(key, key >> 32) & m->mask;
}

/* The key's entry, or the free one where it belongs. */
static struct map_entry *
find_entry(const struct map *m, uint64_t key)
{
	size_t at = home_of(m, key);

	while (m->entries[at].used && m->entries[at].key != key)
		at = (at + 1) & m->mask;
	return &m->entries[at];
}

static void
grow(struct map *m)
{
	struct map bigger = { .n = m->n,
			      .mask = m->mask ? m->mask * 2 + 1 : 63 };
	size_t i;

	bigger.entries = xcalloc(bigger.mask + 1, sizeof *bigger.entries);
	for (i = 0; m->entries && i <= m->mask; i++)
		if (m->entries[i].used)
			*find_entry(&bigger, m->entries[i].key) = m->entries[i];
	free(m->entries);
	*m = bigger;
}

uint32_t *
map_put(struct map *m, uint64_t key, bool *added)
{
	struct map_entry *e;

	if (m->n >= m->mask / 4 * 3)
		grow(m);
	e = find_entry(m, key);
	if (added)
		*added = !e->used;
	if (!e->used) {
		*e = (struct map_entry){ key, 0, 1 };
		m->n++;
	}
	return &e->value;
}

uint32_t *
map_find(const struct map *m, uint64_t key)
{
	struct map_entry *e = m->entries ? find_entry(m, key) : NULL;

	return e && e->used ? &e->value : NULL;
}

/* Moves back what a longer search would no longer find across the hole
 * (Knuth, TAOCP 6.4, algorithm R). */
void
map_remove(struct map *m, uint64_t key)
{
	struct map_entry *hole = m->entries ? find_entry(m, key) : NULL;
	size_t at, home;

	if (!hole || !hole->used)
		return;
	m->n--;
	for (at = (size_t)(hole - m->entries);;) {
		at = (at + 1) & m->mask;
		if (!m->entries[at].used)
			break;
		home = home_of(m, m->entries[at].key);
		if (((at - home) & m->mask) <
		    ((at - (size_t)(hole - m->entries)) & m->mask))
			continue;
		*hole = m->entries[at];
		hole = &m->entries[at];
	}
	hole->used = 0;
}

void
map_free(struct map *m)
{
	free(m->entries);
	*m = (struct map){ 0 };
}
