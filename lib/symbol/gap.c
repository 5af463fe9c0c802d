/* SPDX-License-Identifier: MIT */
#include "symbol/gap.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "symbol/forged.h"

const char gap_damaged[] =
	"its debug information is damaged: build or install it anew";

void
gap_missing_dwo(struct gap *g, Dwarf_Die *unit)
{
	const char *name = split_unit_name(unit);

	if (name && !g->n_no_dwo++)
		g->no_dwo = name;
}

const char *
gap_unreadable(Elf *elf)
{
	if (forged_compression(elf))
		return "its debug information claims to unpack to far more "
		       "than any does, and is left alone: build it anew";
	if (has_unknown_compression(elf))
		return "its debug information is compressed in a way that "
		       "this version of libelf cannot unpack (0.189 and later "
		       "know zstd): objcopy "
		       "--decompress-debug-sections makes it readable";
	return gap_damaged;
}

/* The .dwp file that lies where there should be .dwo files. */
static bool
has_package(const char *file)
{
	char *path = xasprintf("%s.dwp", file ? file : "");
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

const char *
gap_words(struct gap *g, const char *path)
{
	buf_clear(&g->words);
	if (g->no_alt)
		buf_printf(&g->words,
			   "the file that dwz moved a part of its debug "
			   "information to is not here (%s): install it, or "
			   "name its directory with --debug-dir",
			   g->no_alt);
	else if (g->forged_alt)
		buf_printf(&g->words,
			   "the file that dwz moved a part of its debug "
			   "information to (%s) claims to unpack to far more "
			   "than any does, and is left alone: install it anew",
			   g->forged_alt);
	else if (g->forged_dwo)
		buf_printf(
			&g->words,
			"%s or its .dwp file is no file, or claims to unpack "
			"to far more than any does, and is left alone: build "
			"it anew",
			g->forged_dwo);
	else if (g->no_dwo && has_package(path))
		buf_printf(&g->words,
			   "this version of libdw cannot read its .dwp file "
			   "(0.191 and later can): put the .dwo files back, "
			   "such as %s",
			   g->no_dwo);
	else if (g->no_dwo)
		buf_printf(
			&g->words,
			"%zu of its .dwo files are not here, such as %s: put "
			"them back where they were built, or beside it",
			g->n_no_dwo, g->no_dwo);
	return g->words.len ? g->words.ptr : NULL;
}
