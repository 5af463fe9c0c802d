/* SPDX-License-Identifier: MIT */
/* Symbols out of ELF files. Names point into the Elf, which must outlive the
 * table; symbol_table_finish is the caller's. */
#ifndef PK_SYMBOL_TABLE_ELF_H
#define PK_SYMBOL_TABLE_ELF_H

#include <gelf.h>
#include "symbol/table.h"

/* The function symbols of .symtab (SHT_SYMTAB) or .dynsym (SHT_DYNSYM);
 * labels in code without a type count. Returns how many. */
size_t symbol_table_read_elf(struct symbol_table *t, Elf *elf, uint32_t type);

/* No program calls so many functions of others; a larger PLT is forged. */
enum { SYMBOL_PLT_MAX = 16 << 20 };
/* `NAME@plt` for the entries of the procedure linkage tables (x86-64), told
 * by the slot their jump goes through. T must have been finished: stubs of
 * indirect functions are named by what it has at their resolver. */
void symbol_table_read_plt(struct symbol_table *t, Elf *elf);

/* The bytes of a section as they are in the file; empty where it has none. */
struct slice elf_section_bytes(Elf_Scn *scn);
/* The NUL-terminated string at OFFSET of a string table, or empty. */
/* Longer ones are no names: no reader can use more, and hostile names end
 * here. */
enum { MAX_NAME = 64 * 1024 };
struct slice elf_string_at(struct slice table, uint64_t offset);
/* The section of that name, or NULL. */
Elf_Scn *elf_section_named(Elf *elf, const char *name);

#endif
