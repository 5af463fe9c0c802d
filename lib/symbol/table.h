/* SPDX-License-Identifier: MIT */
/* Symbol tables that are no ELF file on disk: what a recorder copies into the
 * capture. No libdw needed. */
#ifndef PK_SYMBOL_TABLE_H
#define PK_SYMBOL_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/slice.h"

struct table_symbol {
	uint64_t addr, size; /* size 0: up to the next symbol */
	struct slice name;
	uint32_t module; /* index in symbol_table.modules; 0 for the core kernel */
};

/* Ascending by addr. A zeroed struct is empty. */
struct symbol_table {
	struct arena arena;
	struct table_symbol *symbols;
	size_t n, cap;
	/* kallsyms only: names of the kernel's modules, [0] is "[kernel]",
	 * others "[ext4]"; and the lowest text address of each. */
	struct slice *modules;
	uint64_t *module_start;
	size_t n_modules, cap_modules;
};

/* /proc/kallsyms' text symbols (t T w W). Returns false with errno 0 and an
 * empty table when the addresses are hidden (all zero), false with errno set
 * when the file cannot be read. For the core kernel module_start is _stext
 * where there is one. */
bool symbol_table_read_kallsyms(struct symbol_table *t, const char *path);

/* A perf-PID.map: lines `hexaddr hexsize name`. The file is untrusted: only a
 * regular file owned by UID (or root) is read, opened without blocking and
 * without following a link. Later lines win over earlier ones they overlap.
 * False when it is not there or not acceptable (*WHY, a literal, or NULL when
 * it is just not there). */
bool symbol_table_read_perf_map(struct symbol_table *t, const char *path,
				uint32_t uid, const char **why);

/* The function symbols of an ELF image in memory (the vdso). */
bool symbol_table_read_image(struct symbol_table *t, const void *image,
			     size_t size);

/* Sorts, drops duplicates and fills sizes of 0; the readers above have done
 * it. For tables filled by hand with symbol_table_add. */
void symbol_table_add(struct symbol_table *t, uint64_t addr, uint64_t size,
		      struct slice name, uint32_t module);
void symbol_table_finish(struct symbol_table *t);

/* The symbol that covers ADDR, or NULL. */
const struct table_symbol *symbol_table_find(const struct symbol_table *t,
					     uint64_t addr);
void symbol_table_free(struct symbol_table *t);

#endif
