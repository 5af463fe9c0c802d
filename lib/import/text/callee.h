/* SPDX-License-Identifier: MIT */
/*
 * Calls as debuggers print them: the function's name, which may have a type
 * before it and parameters behind it, and the values of the arguments.
 *
 *	void ns::walk<int (*)(char)>(node*) (n=0x55f0)
 */
#ifndef PK_IMPORT_TEXT_CALLEE_H
#define PK_IMPORT_TEXT_CALLEE_H

#include "import/text/text.h"

/* The length of what stands before the values in CALL: they begin at the first
 * parenthesis behind a blank that no other bracket holds. All of it if there
 * are none. */
size_t callee_length(struct slice call);
/* CALL without the pair of parentheses that it ends in. */
struct slice callee_without_values(struct slice call);
/* The name as the view wants it. Short: without parameters, and, where there
 * are some, without the type that the linker's names of templates begin
 * with. */
struct slice callee_name(const struct view *v, struct slice name);

#endif
