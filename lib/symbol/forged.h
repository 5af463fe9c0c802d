/* SPDX-License-Identifier: MIT */
/* What debug information made by an enemy could do to libdw, looked at before
 * libdw does it. */
#ifndef PK_SYMBOL_FORGED_H
#define PK_SYMBOL_FORGED_H

#include <elfutils/libdw.h>
#include <stdbool.h>

/* Compressed sections that claim to be far more than compression gives, to
 * fill the memory: real debug information shrinks to a third, or a tenth at
 * the best. */
bool forged_compression(Elf *elf);

/* Compressed sections that libelf does not know how to unpack. */
bool has_unknown_compression(Elf *elf);

/* The .dwo file that the skeleton UNIT stands for, or NULL. */
const char *split_unit_name(Dwarf_Die *unit);

/* libdw opens what the skeleton UNIT in the file PATH names, and would wait
 * for a writer if it were a fifo: true when in one of the places where it
 * looks lies something other than a file, or a file with forged_compression. */
bool forged_split_unit(Dwarf_Die *unit, const char *path);

/*
 * Debug information without any unit, to be freed by no_alt_end. As the
 * dwarf_setalt of a file whose own is not there or not harmless: libdw would
 * otherwise open what the file names by itself, whatever that is.
 */
struct no_alt {
	Elf *elf;
	Dwarf *dwarf;
};
void no_alt_begin(struct no_alt *n);
void no_alt_end(struct no_alt *n);

#endif
