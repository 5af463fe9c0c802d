/* SPDX-License-Identifier: MIT */
#include "base/intern.h"

#include "base/msg.h"
#include "base/pages.h"

const unsigned char hash_keep[2 * HASH_STRIPE] = { [0 ... HASH_STRIPE - 1] =
							   0xff };

/* Text is handed out of blocks with a stripe to spare at their end. */
enum { TEXT_BLOCK = 128 * 1024 };

static void
add_text_block(struct intern *t, size_t need)
{
	t->left = need < TEXT_BLOCK / 4 ? TEXT_BLOCK : need;
	t->next = arena_alloc(&t->arena, t->left + HASH_STRIPE);
	if (t->n && t->left == TEXT_BLOCK)
		pages_populate(t->next, t->left);
	memset(t->next + t->left, 0, HASH_STRIPE);
}

/* A copy with its length in front and a NUL behind it. */
static struct slice
keep_text(struct intern *t, struct slice s)
{
	size_t size;
	char *p;

	if (s.len > SIZE_MAX / 2)
		die("out of memory");
	size = (sizeof s.len + s.len + 1 + 7) & ~(size_t)7;
	if (t->left < size)
		add_text_block(t, size);
	memcpy(t->next, &s.len, sizeof s.len);
	p = t->next + sizeof s.len;
	if (s.len)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	t->next += size;
	t->left -= size;
	return (struct slice){ p, s.len };
}

static size_t
text_length(const char *text)
{
	size_t len;

	memcpy(&len, text - sizeof len, sizeof len);
	return len;
}

/* The upper half of a hash marks the slot, so the position comes from the
 * lower half. */
static struct intern_slot *
free_slot(struct intern *t, uint64_t hash)
{
	size_t at = hash & t->mask;

	while (t->slots[at].id)
		at = (at + 1) & t->mask;
	return &t->slots[at];
}

static void
rehash(struct intern *t, size_t n_slots)
{
	uint32_t i;

	free(t->slots);
	t->slots = pages_calloc(n_slots, sizeof *t->slots);
	t->mask = n_slots - 1;
	for (i = 0; i < t->n; i++) {
		struct slice s = t->names[i];
		uint64_t h = hash_name_padded(s.ptr, s.len);

		*free_slot(t, h) = (struct intern_slot){ (uint32_t)(h >> 32),
							 i + 1, s.ptr };
	}
}

/* The slot that holds S, or the free one where it belongs. */
static struct intern_slot *
find_slot(const struct intern *t, struct slice s, uint64_t hash)
{
	size_t at = hash & t->mask;

	for (;; at = (at + 1) & t->mask) {
		struct intern_slot *slot = &t->slots[at];

		if (!slot->id || (slot->tag == hash >> 32 &&
				  slice_eq(t->names[slot->id - 1], s)))
			return slot;
	}
}

uint32_t
intern_add_hashed(struct intern *t, struct slice s, uint64_t hash)
{
	struct intern_slot *slot;

	if (!t->slots)
		rehash(t, 1024);
	slot = find_slot(t, s, hash);
	if (slot->id)
		return slot->id - 1;
	if (t->n >= UINT32_MAX - 1)
		die("more than 4 billion distinct names");
	GROW(t->names, t->cap, t->n + 1);
	t->names[t->n] = keep_text(t, s);
	*slot = (struct intern_slot){ (uint32_t)(hash >> 32),
				      (uint32_t)t->n + 1, t->names[t->n].ptr };
	t->n++;
	if (t->n > t->mask / 2)
		rehash(t, (t->mask + 1) * 2);
	return (uint32_t)t->n - 1;
}

uint32_t
intern_add(struct intern *t, struct slice s)
{
	return intern_add_hashed(t, s, hash_name(s.ptr, s.len));
}

/* Names in flight at once. */
enum { BATCH = 32 };

static bool
is_padded(const struct intern_slot *slot, struct slice s, uint64_t hash)
{
	return slot->tag == hash >> 32 && text_length(slot->text) == s.len &&
	       hash_same_padded(slot->text, s.ptr, s.len);
}

/* In steps, each over the whole batch, so that what memory is slow to answer
 * was asked for long before. */
static void
add_batch(struct intern *t, const struct slice *names, size_t n, uint32_t *ids)
{
	uint64_t hashes[BATCH];
	size_t i;

	for (i = 0; i < n; i++) {
		hashes[i] = hash_name_padded(names[i].ptr, names[i].len);
		__builtin_prefetch(&t->slots[hashes[i] & t->mask]);
	}
	for (i = 0; i < n; i++) {
		const char *text = t->slots[hashes[i] & t->mask].text;

		text = text ? text : names[i].ptr;
		__builtin_prefetch(text);
		__builtin_prefetch(text + HASH_STRIPE - 1);
	}
	for (i = 0; i < n; i++) {
		const struct intern_slot *slot;
		size_t at = hashes[i] & t->mask;

		while ((slot = &t->slots[at])->id &&
		       !is_padded(slot, names[i], hashes[i]))
			at = (at + 1) & t->mask;
		ids[i] = slot->id ? slot->id - 1
				  : intern_add_hashed(t, names[i], hashes[i]);
	}
}

void
intern_add_padded(struct intern *t, const struct slice *names, size_t n,
		  uint32_t *ids)
{
	size_t part;

	if (!t->slots)
		rehash(t, 1024);
	for (; n; n -= part, names += part, ids += part) {
		part = n < BATCH ? n : BATCH;
		add_batch(t, names, part, ids);
	}
}

void
intern_free(struct intern *t)
{
	arena_free(&t->arena);
	free(t->names);
	free(t->slots);
	*t = (struct intern){ 0 };
}
