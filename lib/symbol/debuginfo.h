/* SPDX-License-Identifier: MIT */
/*
 * DWARF: lines and inlined calls, by libdw. Opening looks at no more than the
 * units' first entries (their address ranges; clang writes no .debug_aranges);
 * a unit's functions, a function's inlined calls and a unit's lines are read
 * when an address first needs them.
 */
#ifndef PK_SYMBOL_DEBUGINFO_H
#define PK_SYMBOL_DEBUGINFO_H

#include "symbol/files.h"

struct debug_info;

bool elf_has_dwarf(Elf *elf);
/* NULL when nothing can be made of it: *WHY in the words of symbol_module_gap.
 * FILE must stay open, and NET, too. */
struct debug_info *debug_info_open(const struct elf_file *file,
				   const struct symbol_options *opt,
				   struct fetcher *net, const char **why);
void debug_info_close(struct debug_info *d);

/* As symbol_module_gap. */
const char *debug_info_gap(struct debug_info *d);

/* As symbol_lookup; names are as the debug information has them, 0 frames
 * mean that it does not know the address. */
size_t debug_info_lookup(struct debug_info *d, uint64_t addr,
			 struct symbol_frame *out, size_t max);

#endif
