/* SPDX-License-Identifier: MIT */
/* Source lines of addresses, from a unit's line table. */
#ifndef PK_SYMBOL_LINES_H
#define PK_SYMBOL_LINES_H

#include <elfutils/libdw.h>
#include "symbol/symbol.h"

/* Sets FRAME's file and line where UNIT's table has them. */
void line_find(Dwarf_Die *unit, uint64_t addr, struct symbol_frame *frame);

#endif
