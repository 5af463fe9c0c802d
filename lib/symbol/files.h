/* SPDX-License-Identifier: MIT */
/* Finding a module's ELF file and its separate debug files on this machine.
 * Files only: the network is never asked. */
#ifndef PK_SYMBOL_FILES_H
#define PK_SYMBOL_FILES_H

#include <libelf.h>
#include "symbol/symbol.h"

struct elf_file {
	Elf *elf; /* NULL: none */
	int fd;
	char *path;
};

/* Any ELF file; SYMBOL_NO_FILE or SYMBOL_NOT_ELF where there is none. */
enum symbol_problem elf_file_open(struct elf_file *f, const char *path);
void elf_file_close(struct elf_file *f);

/* The file at PATH, if it is the one that BUILD_ID (as symbolizer_module
 * takes it) means. */
enum symbol_problem find_module_file(struct elf_file *f,
				     const struct symbol_options *opt,
				     struct slice path, struct slice build_id);

/* The debug file of a module, by build id, or by the debug link of MAIN,
 * which may be closed. */
bool find_debug_file(struct elf_file *f, const struct symbol_options *opt,
		     struct slice path, struct slice build_id,
		     const struct elf_file *main);

/* A debug file by its build id in bytes; false when there is none. */
bool find_by_build_id(struct elf_file *f, const struct symbol_options *opt,
		      const unsigned char *id, size_t len);

#endif
