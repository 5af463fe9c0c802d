/* SPDX-License-Identifier: MIT */
/*
 * Names, source lines and inlined calls for addresses of modules. The only
 * place that knows libelf, libdw and libiberty. Nothing here is called from a
 * recorder's hot path.
 */
#ifndef PK_SYMBOL_SYMBOL_H
#define PK_SYMBOL_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

enum symbol_names {
	SYMBOL_NAMES_SHORT, /* demangled, without parameters and return type */
	SYMBOL_NAMES_FULL,  /* demangled, with them */
	SYMBOL_NAMES_RAW,   /* as the symbol table has them */
};

struct symbol_options {
	enum symbol_names names;
	bool inlines; /* expand inlined calls */
	bool lines;   /* look source lines up */
	/* Directories laid out like /usr/lib/debug, which is searched last;
	 * NULL-ended, or NULL. Kept, not copied, as is sysroot. */
	const char *const *debug_dirs;
	const char *sysroot; /* where to look for modules first, or NULL */
	bool no_debuginfod;  /* ask no server, whatever DEBUGINFOD_URLS says */
};

/* How a module's addresses are counted; the letters of pk-capture(5). */
enum symbol_base {
	SYMBOL_BASE_VADDR = 'v',
	SYMBOL_BASE_OFFSET = 'o',
};

struct symbolizer;
struct symbolizer *symbolizer_new(const struct symbol_options *opt);
void symbolizer_free(struct symbolizer *s);

/*
 * A module by its path and build id: hexadecimal text, or SIZE:MTIME of the
 * file (decimal; seconds or nanoseconds) where it has none, or empty: unknown.
 * Never NULL, and the same one for the same arguments: a module that cannot be
 * found answers every address with no name, and symbol_module_problem says
 * why. A separate debug file with the right build id is used even when the
 * module itself is gone or has changed.
 */
struct symbol_module *symbolizer_module(struct symbolizer *s, struct slice path,
					struct slice build_id,
					enum symbol_base base);

enum symbol_problem {
	SYMBOL_OK,
	SYMBOL_NO_FILE,	 /* not there, or not readable */
	SYMBOL_MISMATCH, /* there, but with another build id */
	SYMBOL_NOT_ELF,
	SYMBOL_NO_SYMBOLS, /* stripped (at most .dynsym is left), and no debug
			      file found: some names may be known */
};
enum symbol_problem symbol_module_problem(const struct symbol_module *m);
/* Whether DWARF was found (lines and inlined calls can be answered). */
bool symbol_module_has_dwarf(const struct symbol_module *m);

/*
 * What of M's debug information the look-ups so far would have needed and could
 * not use, so that inlined calls and lines are missing: words that name the
 * cure, or NULL. Lives until the next call.
 */
const char *symbol_module_gap(struct symbol_module *m);

struct symbol_frame {
	struct slice name; /* empty: unknown */
	struct slice file; /* source file, empty: unknown */
	uint32_t line;	   /* 0: unknown */
	bool inlined;	   /* inlined into the next frame */
};

/*
 * The frames at ADDR, innermost first: the inlined calls, then the function
 * itself. At least one, at most MAX (the outer ones win); slices live as long
 * as the symbolizer. Cheapest when called in ascending order of address
 * within a module.
 */
size_t symbol_lookup(struct symbol_module *m, uint64_t addr,
		     struct symbol_frame *out, size_t max);

/* A name found elsewhere as the options want it; it must live as long as the
 * symbolizer, and so does the result. */
struct slice symbolizer_show(struct symbolizer *s, struct slice name);

/*
 * Demangles C++ (Itanium), Rust (legacy and v0) and D, adding to OUT. What is
 * no mangled name, or is too long for demangling, or would give more than CAP
 * bytes, is added as it is, and false returned. SHORT has no parameters and
 * no return types, also of enclosing functions; template arguments stay.
 * Rust's hash and a symbol version (@GLIBC_2.14) are dropped but for RAW, as
 * are clone suffixes (.part.0, .constprop.1, .cold, .llvm.N) for SHORT.
 */
struct buf;
bool symbol_demangle(struct slice name, enum symbol_names names,
		     struct buf *out, size_t cap);

#endif
