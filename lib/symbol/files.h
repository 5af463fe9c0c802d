/* SPDX-License-Identifier: MIT */
/* Finding a module's ELF file and its separate debug files: on this machine,
 * then on debuginfod servers. */
#ifndef PK_SYMBOL_FILES_H
#define PK_SYMBOL_FILES_H

#include <libelf.h>
#include "symbol/fetch.h"
#include "symbol/symbol.h"

struct elf_file {
	Elf *elf; /* NULL: none */
	int fd;
	char *path;
	char *memory; /* instead of a file, or NULL */
};

/* Any ELF file; SYMBOL_NO_FILE or SYMBOL_NOT_ELF where there is none. */
enum symbol_problem elf_file_open(struct elf_file *f, const char *path);
void elf_file_close(struct elf_file *f);

/* The file at PATH, if it is the one that BUILD_ID (as symbolizer_module
 * takes it) means. With a sysroot, it lies there, or by its name alone, or,
 * where the build id is one, at PATH on this machine; last in perf's cache. */
enum symbol_problem find_module_file(struct elf_file *f,
				     const struct symbol_options *opt,
				     struct slice path, struct slice build_id);

/* Where perf keeps a copy of what had BUILD_ID when it was recorded, under
 * NAME ("elf", "kallsyms", "vdso"): to be freed; NULL when nowhere. */
char *perf_cache_path(struct slice build_id, const char *name);

/* The debug file of a module, by build id, or by the debug link of MAIN,
 * which may be closed. */
bool find_debug_file(struct elf_file *f, const struct symbol_options *opt,
		     struct fetcher *net, struct slice path,
		     struct slice build_id, const struct elf_file *main);

/* The file that dwz(1) moved what several debug files share into, by the NAME
 * and build id in FROM's .gnu_debugaltlink. */
bool find_shared_file(struct elf_file *f, const struct symbol_options *opt,
		      struct fetcher *net, const struct elf_file *from,
		      const char *name, const unsigned char *id, size_t len);

#endif
