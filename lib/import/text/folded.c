/* SPDX-License-Identifier: MIT */
/* Folded stacks, pk-folded(5). The reader is lib/profile's: reading them is
 * what every program of the suite does. */
#include "base/number.h"
#include "import/text/formats.h"

/* Whether LINE ends in a number behind a blank. */
static bool
has_value(struct slice line)
{
	const char *blank;
	double value;

	while (line.len && strchr("\r \t", line.ptr[line.len - 1]))
		line.len--;
	blank = line.len ? memrchr(line.ptr, ' ', line.len) : NULL;
	if (!blank)
		return false;
	return parse_value(
		(struct slice){ blank + 1,
				(size_t)(line.ptr + line.len - blank - 1) },
		&value);
}

/* By the shape of its lines alone: everything that has a marker goes first.
 * Some lines may lack a value, most may not. A line may be longer than what
 * is seen of it. */
int
import_guess_folded(struct slice head)
{
	size_t good = 0, bad = 0;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	if (!memchr(head.ptr, '\n', head.len))
		return head.len == IMPORT_HEAD || has_value(head);
	while (head.ptr && head.len) {
		struct slice line = slice_cut(&head, '\n');

		if (!head.ptr && good + bad)
			break; /* may be incomplete */
		if (!line.len)
			continue;
		if (has_value(line))
			good++;
		else
			bad++;
	}
	if (!good)
		return IMPORT_NO;
	return bad < good ? 20 : 5;
}

void
import_read_folded(struct import *im)
{
	uint64_t lines = im->p->lines;

	profile_read(im->p, im->in);
	im->samples += im->p->lines - lines;
	im->refused = !im->samples;
}
