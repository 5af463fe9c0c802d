/* SPDX-License-Identifier: MIT */
/* Names of functions that have no linkage name in the debug information: C's,
 * and in C++ what is local to its file, and gcc's destructors. */
#ifndef PK_SYMBOL_SCOPES_H
#define PK_SYMBOL_SCOPES_H

#include <elfutils/libdw.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

/* A zeroed struct is empty. */
struct scoped_names {
	struct map by_entry;  /* the declaration's -> index in names */
	struct map by_parent; /* an entry's -> index in children */
	struct scope_children {
		Dwarf_Die *list; /* ascending by offset */
		size_t n, cap;
	} * children;
	size_t n_children, cap_children;
	struct slice *names;
	size_t n, cap;
	struct arena arena;
	struct buf scratch;
};

/*
 * The name of the function or inlined call DIE; in C++ with the namespaces,
 * types and functions around it, each with `::` behind it. Entries have no
 * way up, so this goes down from the unit; what lies within an entry is listed
 * once. Lives as long as the table.
 */
struct slice scoped_name(struct scoped_names *t, Dwarf_Die *die);
void scoped_names_free(struct scoped_names *t);

#endif
