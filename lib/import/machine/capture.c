/* SPDX-License-Identifier: MIT */
/* Captures, as the recorders write them. */
#include "import/machine/formats.h"

int
machine_guess_capture(struct slice head)
{
	return capture_guess(head) ? 100 : 0;
}

bool
machine_read_capture(struct capture *c, struct input *in,
		     const struct symbol_options *opt, capture_sample_fn *fn,
		     void *ctx)
{
	(void)opt;
	return capture_read(c, in, fn, ctx);
}
