/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdint.h>
#include "base/msg.h"
#include "base/xalloc.h"

struct arena_chunk {
	struct arena_chunk *older;
	/* Keeps the bytes that follow aligned for any scalar. */
	uint64_t pad;
};

enum { CHUNK = 64 * 1024 };

static void
add_chunk(struct arena *a, size_t need)
{
	size_t size = need > CHUNK / 4 ? need : CHUNK;
	struct arena_chunk *c;

	if (need > SIZE_MAX - sizeof *c - CHUNK)
		die("out of memory");
	c = xmalloc(sizeof *c + size);
	c->older = a->chunk;
	a->chunk = c;
	a->next = (char *)(c + 1);
	a->left = size;
}

static void *
take(struct arena *a, size_t size)
{
	void *p = a->next;

	a->next += size;
	a->left -= size;
	return p;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	size_t skew = (size_t)(-(uintptr_t)a->next & 7);

	if (a->left < skew || a->left - skew < size)
		add_chunk(a, size);
	else
		take(a, skew);
	return take(a, size);
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
	char *p;

	if (a->left <= s.len)
		add_chunk(a, s.len + 1);
	p = take(a, s.len + 1);
	if (s.len)
		memcpy(p, s.ptr, s.len);
	p[s.len] = '\0';
	return (struct slice){ p, s.len };
}

void
arena_free(struct arena *a)
{
	struct arena_chunk *c, *older;

	for (c = a->chunk; c; c = older) {
		older = c->older;
		free(c);
	}
	*a = (struct arena){ 0 };
}
