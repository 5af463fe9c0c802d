/* SPDX-License-Identifier: MIT */
/* "Mini debug information": the .symtab of a stripped file, as an ELF file of
 * its own that is compressed by xz into .gnu_debugdata (Fedora's files have
 * it). */
#ifndef PK_SYMBOL_MINIDEBUG_H
#define PK_SYMBOL_MINIDEBUG_H

#include "symbol/files.h"

/* False when MAIN has none, or one that is damaged or unpacks to more than any
 * real one does, or to more than the bytes that are *LEFT; what was unpacked is
 * taken from there. MAIN may be closed before F. */
bool minidebug_open(struct elf_file *f, Elf *main, size_t *left);

#endif
