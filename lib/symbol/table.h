/* SPDX-License-Identifier: MIT */
/*
 * Symbol tables: what a recorder copies into the capture (kernel, JIT, vdso),
 * and what the symbolizer looks addresses up in. No libdw needed.
 */
#ifndef PK_SYMBOL_TABLE_H
#define PK_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/slice.h"

enum {
	/* Which of several symbols at one address names it: the lowest. */
	SYMBOL_GLOBAL = 0,
	SYMBOL_WEAK = 1,
	SYMBOL_LOCAL = 2,
	SYMBOL_RANK = 3,
	/* Without a size of its own: ends where the next one begins. */
	SYMBOL_UNSIZED = 4,
};

struct table_symbol {
	uint64_t addr, size; /* after symbol_table_finish never 0 */
	struct slice name;
	uint32_t module; /* index in symbol_table.modules; 0 for the core kernel
			  */
	uint32_t outer;	 /* 1 + index of the symbol this one lies in, or 0 */
	uint32_t flags;
};

/* Ascending by addr, one for each address. A zeroed struct is empty. */
struct symbol_table {
	struct arena arena;
	char *text; /* the file that names point into, or NULL */
	size_t text_size;
	struct table_symbol *symbols;
	size_t n, cap;
	/* kallsyms only: names of the kernel's modules, [0] is "[kernel]",
	 * others "[ext4]"; and the lowest text address of each. */
	struct slice *modules;
	uint64_t *module_start;
	size_t n_modules, cap_modules;
};

/*
 * /proc/kallsyms' text symbols (t T w W). Returns false with errno 0 and an
 * empty table when the addresses are hidden (all zero), false with errno set
 * when the file cannot be read. For the core kernel module_start is _stext
 * where there is one.
 */
bool symbol_table_read_kallsyms(struct symbol_table *t, const char *path);

/*
 * The same in two steps for who wants few of so many symbols. The first, which
 * may take the kernel long, reads the text; after the second, symbol_table_find
 * answers for the N addresses of ADDRS, ascending, as it would for the whole
 * table, which is never made. False when the text cannot be read.
 */
bool symbol_table_read_kallsyms_text(struct symbol_table *t, const char *path);
void symbol_table_pick_kallsyms(struct symbol_table *t, const uint64_t *addrs,
				size_t n);

/*
 * A perf-PID.map: lines `hexaddr hexsize name`. The file is untrusted: only a
 * regular file owned by UID (or root) is read, opened without blocking and
 * without following a link. Later lines win over earlier ones they overlap;
 * what is left of those stays. False when it is not there or not acceptable
 * (*WHY, a literal, or NULL when it is just not there). True with *WHY when
 * it is too large: what is read are the first 64 MB, and of them the first
 * 1,048,576 lines.
 */
bool symbol_table_read_perf_map(struct symbol_table *t, const char *path,
				uint32_t uid, const char **why);
/* Its two halves, for a map that may be deleted before it is complete: a
 * descriptor, or -1, and what can be read from there. */
int symbol_table_open_perf_map(const char *path, uint32_t uid,
			       const char **why);
bool symbol_table_read_open_perf_map(struct symbol_table *t, int fd,
				     const char **why);

/* The function symbols of an ELF image in memory (the vdso), at its own
 * virtual addresses. Names are copied. False when it is no ELF file. */
bool symbol_table_read_image(struct symbol_table *t, const void *image,
			     size_t size);

/*
 * The function symbols of a 64-bit ELF file and of its separate debug file
 * (either may be -1) as lookups find them: DEBUG_FD's .symtab or else FD's,
 * and FD's .dynsym and PLT. What is needed of them is copied with pread first,
 * so that whoever truncates or overwrites them meanwhile cannot hurt us. False
 * when neither is an ELF file.
 */
bool symbol_table_read_files(struct symbol_table *t, int fd, int debug_fd);

/*
 * For tables filled by hand: finish sorts, keeps one symbol for each address
 * and gives sizes to those without; the readers above have done it. add_symbol
 * keeps the name's pointer; the size of a SYMBOL_UNSIZED one is how far it may
 * reach.
 */
void symbol_table_add_symbol(struct symbol_table *t, struct table_symbol s);
void symbol_table_finish(struct symbol_table *t);

/* The innermost symbol that covers ADDR, or NULL. */
const struct table_symbol *symbol_table_find(const struct symbol_table *t,
					     uint64_t addr);
void symbol_table_free(struct symbol_table *t);

#endif
