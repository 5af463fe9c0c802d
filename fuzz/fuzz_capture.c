/* SPDX-License-Identifier: MIT */
/* The capture's reader: any bytes make a model whose indices all hold, or are
 * refused. */
#include <stdlib.h>
#include "base/msg.h"
#include "capture/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_sample(void *ctx, const struct capture_sample *s)
{
	const struct capture *c = ctx;

	if (s->event >= c->n_events || (s->node && s->node >= c->nodes.n))
		abort();
	if (s->name_id != UINT32_MAX && s->name_id >= c->names.n)
		abort();
}

static void
check_model(struct capture *c)
{
	size_t i;

	capture_sort_symbols(c);
	for (i = 1; i < c->nodes.n; i++) {
		const struct node *n = &c->nodes.list[i];

		if (n->parent >= i || n->module >= c->n_modules)
			abort();
		capture_find_symbol(&c->modules[n->module], n->addr);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture c = { 0 };
	struct input *in = input_from_bytes(
		(struct slice){ (const char *)data, size }, "fuzz");

	msg_mute();
	if (capture_read(&c, in, check_sample, &c))
		check_model(&c);
	input_close(in);
	capture_free(&c);
	return 0;
}
