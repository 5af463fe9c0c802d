/* SPDX-License-Identifier: MIT */
/* Captures, as the recorders write them. */
#include "import/machine/formats.h"

#include "base/buf.h"
#include "base/text.h"

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

static void
put_line(struct buf *b, struct slice key, struct slice value)
{
	text_show(b, key);
	buf_str(b, ": ");
	text_show(b, value);
	buf_char(b, '\n');
}

static void
put_header(struct buf *b, const struct capture *c)
{
	size_t i;

	for (i = 0; i < c->n_meta; i++)
		put_line(b, c->meta[i].key, c->meta[i].value);
	for (i = 0; i < c->n_events; i++) {
		put_line(b, SLICE_LIT("event"), c->events[i].name);
		b->len--;
		buf_printf(b, ", unit %.*s, period %llu\n",
			   (int)c->events[i].unit.len, c->events[i].unit.ptr,
			   (unsigned long long)c->events[i].period);
	}
	buf_printf(b, "samples: %llu\n", (unsigned long long)c->n_samples);
}

bool
machine_header_capture(struct input *in, struct output *out)
{
	struct capture c = { 0 };
	struct buf b = { 0 };
	bool good = capture_read(&c, in, NULL, NULL);

	if (good)
		put_header(&b, &c);
	output_slice(out, buf_get(&b));
	buf_free(&b);
	capture_free(&c);
	return good;
}
