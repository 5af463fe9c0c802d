/* SPDX-License-Identifier: MIT */
/*
 * The text formats. An input is a format's name, a newline, and a file of that
 * format; without such a name all of it is guessed. Bit 0 of the last byte
 * asks for annotated frames and one event's samples.
 */
#include <stdlib.h>
#include "base/msg.h"
#include "import/text/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct format {
	const char *name;
	unsigned knows;
	int (*guess)(struct slice head);
	void (*read)(struct import *im);
} formats[] = {
#define FORMAT(name, knows, description) \
	{ #name, knows, import_guess_##name, import_read_##name },
	IMPORT_TEXT_FORMATS(FORMAT)
#undef FORMAT
};

enum { N_FORMATS = sizeof formats / sizeof *formats };

/* Every guess is made, so that none may read too far. */
static const struct format *
guess(struct slice text)
{
	const struct format *best = NULL;
	int rank, best_rank = IMPORT_NO;
	size_t i;

	if (text.len > IMPORT_HEAD)
		text.len = IMPORT_HEAD;
	for (i = 0; i < N_FORMATS; i++) {
		rank = formats[i].guess(text);
		if (rank < IMPORT_NO || rank > IMPORT_YES)
			abort();
		if (rank > best_rank) {
			best_rank = rank;
			best = &formats[i];
		}
	}
	return best;
}

static const struct format *
choose(struct slice *text)
{
	struct slice rest = *text, name = slice_cut(&rest, '\n');
	const struct format *best;
	size_t i;

	for (i = 0; rest.ptr && i < N_FORMATS; i++)
		if (slice_is(name, formats[i].name)) {
			*text = rest;
			guess(rest);
			return &formats[i];
		}
	best = guess(*text);
	return best ? best : &formats[0];
}

static void
check_profile(const struct profile *p)
{
	size_t i, k;

	for (i = 0; i < p->n_stacks; i++)
		for (k = 0; k < p->stacks[i].depth; k++)
			if (p->frames[p->stacks[i].first + k] >= p->symbols.n)
				abort();
	for (i = 0; i < p->symbols.n; i++) {
		struct slice name = intern_get(&p->symbols, (uint32_t)i);

		if (memchr(name.ptr, '\n', name.len))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct view view = VIEW_DEFAULT;
	const struct format *format = choose(&text);
	struct profile p = { 0 };
	struct input *in;

	msg_mute();
	if (size && data[size - 1] & 1) {
		view.suffixes = VIEW_KERNEL | VIEW_JIT | VIEW_INLINED;
		view.addrs = view.modules = view.lines = true;
		view.root = VIEW_TID;
	}
	in = input_from_bytes(text, "fuzz");
	input_peek(in);
	import_run(format->read, format->name, format->knows, in, &p, &view);
	input_close(in);
	check_profile(&p);
	profile_free(&p);
	return 0;
}
