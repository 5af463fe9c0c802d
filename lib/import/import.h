/* SPDX-License-Identifier: MIT */
/*
 * The table of formats: what pk-fold reads, recognised by content. A format
 * either holds stacks of names (import/text) or addresses, and then becomes a
 * capture in memory (import/machine).
 */
#ifndef PK_IMPORT_IMPORT_H
#define PK_IMPORT_IMPORT_H

#include "import/machine/formats.h"
#include "import/text/text.h"

struct import_format {
	const char *name, *description;
	unsigned knows; /* IMPORT_COMM...; of text formats */
	int (*guess)(struct slice head);
	void (*read)(struct import *im); /* NULL: read_capture */
	machine_read_fn *read_capture;	 /* NULL: read */
	machine_header_fn *header;	 /* NULL: it has none */
};

/* All formats; ended by one without a name. */
extern const struct import_format import_formats[];

/* input_open, but PATH may be a folder that a recorder wrote. */
struct input *import_open(const char *path, const char *what);
/* The format called NAME, in which - and _ are the same, or NULL. */
const struct import_format *import_find(const char *name);
/* Writes all names and descriptions, a format a line. */
void import_list(struct output *out);
/* F's name as people write it: with - for _. */
void import_name(const struct import_format *f, struct buf *b);
/* Whether the lines of an input that begins with HEAD end in carriage returns
 * alone, as on old Macs: no format is read then. */
bool import_lone_returns(struct slice head);
/* The format that the start of an input speaks of, or NULL. */
const struct import_format *import_guess(struct slice head);
/* Why an input that no guess knows is refused, and what would help. */
const char *import_refusal(struct slice head);

#endif
