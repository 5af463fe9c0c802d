/* SPDX-License-Identifier: MIT */
#include "base/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/limit.h"
#include "base/xalloc.h"

/* Blocks that may wait, and the one in use. */
enum { SLOTS = 4 };

struct ahead {
	struct input *in;
	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	/* Slots [used, read) hold blocks; the last one that was handed out is
	 * at `used` until the next is asked for. */
	struct slot {
		struct slice block;
		struct input_memory memory;
	} slots[SLOTS];
	size_t used, read;
	bool in_use, end;
};

static void *
read_ahead(void *arg)
{
	struct ahead *a = arg;
	bool more = true;

	while (more) {
		struct slot *slot = &a->slots[a->read % SLOTS];

		more = input_take(a->in, &slot->block, &slot->memory);
		pthread_mutex_lock(&a->lock);
		a->read += more;
		a->end = !more;
		pthread_cond_signal(&a->filled);
		while (more && a->read - a->used == SLOTS)
			pthread_cond_wait(&a->emptied, &a->lock);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

struct ahead *
ahead_begin(struct input *in)
{
	struct ahead *a = xcalloc(1, sizeof *a);

	a->in = in;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->filled, NULL);
	pthread_cond_init(&a->emptied, NULL);
	a->threaded = usable_processors(2) > 1 &&
		      !pthread_create(&a->thread, NULL, read_ahead, a);
	return a;
}

bool
ahead_block(struct ahead *a, struct slice *block)
{
	bool more;

	if (!a->threaded)
		return input_block(a->in, block);
	pthread_mutex_lock(&a->lock);
	if (a->in_use) {
		a->used++;
		pthread_cond_signal(&a->emptied);
	}
	while (a->used == a->read && !a->end)
		pthread_cond_wait(&a->filled, &a->lock);
	more = a->used != a->read;
	pthread_mutex_unlock(&a->lock);
	a->in_use = more;
	if (more)
		*block = a->slots[a->used % SLOTS].block;
	return more;
}

void
ahead_end(struct ahead *a)
{
	size_t i;

	if (a->threaded)
		pthread_join(a->thread, NULL);
	for (i = 0; i < SLOTS; i++)
		input_memory_free(&a->slots[i].memory);
	pthread_cond_destroy(&a->emptied);
	pthread_cond_destroy(&a->filled);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
