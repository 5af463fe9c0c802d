/* SPDX-License-Identifier: MIT */
#include "symbol/scopes.h"

#include <stdlib.h>
#include <dwarf.h>
#include "base/xalloc.h"

enum { MAX_CHAIN = 16, MAX_NESTING = 64 };

/* Where a function or an inlined call is declared. */
static Dwarf_Die
declaration_of(Dwarf_Die die)
{
	Dwarf_Attribute attr;
	Dwarf_Die next;
	int i;

	for (i = 0; i < MAX_CHAIN; i++) {
		if (!dwarf_attr(&die, DW_AT_abstract_origin, &attr) &&
		    !dwarf_attr(&die, DW_AT_specification, &attr))
			break;
		if (!dwarf_formref_die(&attr, &next))
			break;
		die = next;
	}
	return die;
}

/* Offsets must rise, or the tree is forged. */
static void
list_children(struct scope_children *c, Dwarf_Die *parent)
{
	Dwarf_Off at = 0;
	Dwarf_Die next;

	if (dwarf_child(parent, &next))
		return;
	do {
		Dwarf_Off offset = dwarf_dieoffset(&next);

		if (offset <= at)
			break;
		at = offset;
		GROW(c->list, c->cap, c->n + 1);
		c->list[c->n++] = next;
	} while (!dwarf_siblingof(&c->list[c->n - 1], &next));
}

static const struct scope_children *
children_of(struct scoped_names *t, Dwarf_Die *parent)
{
	bool added;
	uint32_t *index =
		map_put(&t->by_parent, (uintptr_t)parent->addr, &added);

	if (added) {
		GROW(t->children, t->cap_children, t->n_children + 1);
		t->children[t->n_children] = (struct scope_children){ 0 };
		list_children(&t->children[t->n_children], parent);
		*index = (uint32_t)t->n_children++;
	}
	return &t->children[*index];
}

/* The child of PARENT that is at offset TARGET or has it below. */
static bool
child_towards(struct scoped_names *t, Dwarf_Die *parent, Dwarf_Off target,
	      Dwarf_Die *child)
{
	const struct scope_children *c = children_of(t, parent);
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (dwarf_dieoffset(&c->list[mid]) <= target)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo)
		*child = c->list[lo - 1];
	return lo > 0;
}

static void
add_scope(struct buf *out, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	switch (dwarf_tag(die)) {
	case DW_TAG_namespace:
		buf_str(out, name ? name : "(anonymous namespace)");
		break;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		buf_str(out, name ? name : "{unnamed type}");
		break;
	case DW_TAG_subprogram:
		if (!name)
			return;
		buf_str(out, name);
		break;
	default:
		return;
	}
	buf_str(out, "::");
}

static bool
is_cxx(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
		return true;
	default:
		return false;
	}
}

static void
add_scopes(struct scoped_names *t, Dwarf_Die *die)
{
	Dwarf_Off target = dwarf_dieoffset(die);
	Dwarf_Die scope, child;
	int depth;

	if (!dwarf_diecu(die, &scope, NULL, NULL) || !is_cxx(&scope))
		return;
	for (depth = 0; depth < MAX_NESTING; depth++) {
		if (!child_towards(t, &scope, target, &child) ||
		    dwarf_dieoffset(&child) == target)
			return;
		add_scope(&t->scratch, &child);
		scope = child;
	}
}

struct slice
scoped_name(struct scoped_names *t, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	Dwarf_Die declaration = declaration_of(*die);
	uint32_t *index;
	bool added;

	if (!name)
		return (struct slice){ NULL, 0 };
	index = map_put(&t->by_entry, (uintptr_t)declaration.addr, &added);
	if (added) {
		*index = (uint32_t)t->n;
		GROW(t->names, t->cap, t->n + 1);
		buf_clear(&t->scratch);
		add_scopes(t, &declaration);
		buf_str(&t->scratch, name);
		t->names[t->n++] = arena_copy(&t->arena, buf_get(&t->scratch));
	}
	return t->names[*index];
}

void
scoped_names_free(struct scoped_names *t)
{
	while (t->n_children)
		free(t->children[--t->n_children].list);
	free(t->children);
	map_free(&t->by_parent);
	map_free(&t->by_entry);
	free(t->names);
	arena_free(&t->arena);
	buf_free(&t->scratch);
}
