/* SPDX-License-Identifier: MIT */
/* What of the debug information is missing or cannot be read, and the cure. */
#ifndef PK_SYMBOL_GAP_H
#define PK_SYMBOL_GAP_H

#include <elfutils/libdw.h>
#include "base/buf.h"

/* A zeroed struct: nothing is missing. Names belong to the debug information.
 */
struct gap {
	const char *no_alt; /* the file that dwz(1) made */
	const char *no_dwo; /* the first of n_no_dwo */
	size_t n_no_dwo;
	const char *forged_alt, *forged_dwo; /* not opened: see forged.h */
	struct buf words;
};

/* UNIT is a skeleton whose .dwo file was not found; any other does not count.
 */
void gap_missing_dwo(struct gap *g, Dwarf_Die *unit);
/* As symbol_module_gap, for the debug information in the file PATH. */
const char *gap_words(struct gap *g, const char *path);
/* The same where it makes no sense. */
extern const char gap_damaged[];
/* The same for an ELF file whose debug information libdw does not open. */
const char *gap_unreadable(Elf *elf);

#endif
