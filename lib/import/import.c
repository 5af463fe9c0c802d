/* SPDX-License-Identifier: MIT */
#include "import/import.h"

#include "import/machine/perf.h"
#include "import/text/formats.h"

#define TEXT(n, what, d)             \
	{ .name = #n,                \
	  .description = d,          \
	  .knows = what,             \
	  .guess = import_guess_##n, \
	  .read = import_read_##n },
#define MACHINE(n, d)                       \
	{ .name = #n,                       \
	  .description = d,                 \
	  .guess = machine_guess_##n,       \
	  .read_capture = machine_read_##n, \
	  .header = machine_header_##n },

/* Captures come first: they are what our own programs write. */
const struct import_format import_formats[] = {
	/* clang-format off */
	IMPORT_MACHINE_FORMATS(MACHINE)
	IMPORT_TEXT_FORMATS(TEXT)
	{ .name = NULL }
	/* clang-format on */
};

void
import_name(const struct import_format *f, struct buf *b)
{
	const char *p;

	for (p = f->name; *p; p++)
		buf_char(b, *p == '_' ? '-' : *p);
}

struct input *
import_open(const char *path, const char *what)
{
	return input_open_or(path, what, perf_open_folder);
}

const struct import_format *
import_find(const char *name)
{
	const struct import_format *f;
	struct buf b = { 0 };
	bool is = false;

	for (f = import_formats; f->name; f++) {
		buf_clear(&b);
		import_name(f, &b);
		is = !strcmp(b.ptr, name) || !strcmp(f->name, name);
		if (is)
			break;
	}
	buf_free(&b);
	return is ? f : NULL;
}

void
import_list(struct output *out)
{
	const struct import_format *f;
	struct buf b = { 0 };
	size_t start;

	for (f = import_formats; f->name; f++) {
		start = b.len;
		import_name(f, &b);
		buf_printf(&b, "%*s%s\n", (int)(start + 18 - b.len), "",
			   f->description);
	}
	output_slice(out, buf_get(&b));
	buf_free(&b);
}

bool
import_lone_returns(struct slice head)
{
	const char *first;

	if (head.len > IMPORT_HEAD)
		head.len = IMPORT_HEAD;
	if (!head.len || memchr(head.ptr, '\n', head.len) ||
	    memchr(head.ptr, '\0', head.len))
		return false;
	first = memchr(head.ptr, '\r', head.len);
	return first && memrchr(head.ptr, '\r', head.len) != first;
}

const struct import_format *
import_guess(struct slice head)
{
	const struct import_format *f, *best = NULL;
	int rank, best_rank = IMPORT_NO;

	if (head.len > IMPORT_HEAD)
		head.len = IMPORT_HEAD;
	if (import_lone_returns(head))
		return NULL;
	for (f = import_formats; f->name; f++) {
		rank = f->guess(head);
		if (rank > best_rank) {
			best_rank = rank;
			best = f;
		}
	}
	return best;
}

const char *
import_refusal(struct slice head)
{
	static const struct {
		const char *magic, *why;
	} known[] = {
		{ "\xfd"
		  "7zXZ",
		  "is packed by xz: xz -dc FILE | pk-fold" },
		{ "\x28\xb5\x2f\xfd",
		  "is packed by zstd: zstd -dc FILE | pk-fold" },
		{ "BZh", "is packed by bzip2: bzip2 -dc FILE | pk-fold" },
		{ "\x7f"
		  "ELF",
		  "is a program, not a recording of one" },
	};
	size_t i;

	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (slice_starts(head, known[i].magic))
			return known[i].why;
	return "is in no format that pk-fold knows; `-i list` shows all, "
	       "-i NAME chooses one";
}
