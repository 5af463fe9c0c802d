/* SPDX-License-Identifier: MIT */
/* Modules' files for those who read recordings and have to unwind: found as
 * lookups find them. No server is asked. */
#ifndef PK_SYMBOL_OPEN_H
#define PK_SYMBOL_OPEN_H

#include "symbol/symbol.h"

/*
 * A descriptor of the module's file, to be closed by the caller; or -1, and
 * *WHY says why not. PATH and BUILD_ID are as for symbolizer_module.
 */
int symbol_open_module(const struct symbol_options *opt, struct slice path,
		       struct slice build_id, enum symbol_problem *why);

/* That of its separate debug file, or -1. */
int symbol_open_debug(const struct symbol_options *opt, struct slice path,
		      struct slice build_id);

#endif
