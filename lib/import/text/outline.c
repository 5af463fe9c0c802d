/* SPDX-License-Identifier: MIT */
#include "import/text/outline.h"

#include "base/xalloc.h"

/* Adds the stack of the last node, and takes it off. */
static void
end_node(struct outline *o, struct import *im)
{
	double value = o->nodes[o->n - 1].left;
	size_t i;

	if (value > 0) {
		GROW(im->ids, im->cap_ids, o->n);
		for (i = 0; i < o->n; i++)
			im->ids[i] = o->nodes[i].name;
		im->n_ids = o->n;
		import_add(im, value);
	}
	o->n--;
}

/* NAME as a frame's symbol. */
static uint32_t
intern_name(struct import *im, struct slice name)
{
	import_drop(im);
	import_frame(im, name);
	im->n_ids = 0;
	return im->ids[0];
}

void
outline_add(struct outline *o, struct import *im, size_t column,
	    struct slice name, double total)
{
	while (o->n && o->nodes[o->n - 1].column >= column)
		end_node(o, im);
	if (o->n)
		o->nodes[o->n - 1].left -= total;
	GROW(o->nodes, o->cap, o->n + 1);
	o->nodes[o->n++] =
		(struct outline_node){ column, intern_name(im, name), total };
}

void
outline_end(struct outline *o, struct import *im)
{
	while (o->n)
		end_node(o, im);
}

void
outline_free(struct outline *o)
{
	free(o->nodes);
	*o = (struct outline){ 0 };
}
