/* SPDX-License-Identifier: MIT */
#include "symbol/forged.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/slice.h"
#include "base/xalloc.h"

bool
forged_compression(Elf *elf)
{
	enum { SMALL = 16 << 20, LIKELY = 100 };
	Elf_Scn *scn = NULL;
	GElf_Shdr s;
	GElf_Chdr c;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &s) && s.sh_flags & SHF_COMPRESSED &&
		    gelf_getchdr(scn, &c) && c.ch_size > SMALL &&
		    c.ch_size / LIKELY > s.sh_size)
			return true;
	return false;
}

bool
has_unknown_compression(Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr s;
	GElf_Chdr c;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &s) && s.sh_flags & SHF_COMPRESSED &&
		    (!gelf_getchdr(scn, &c) || c.ch_type != ELFCOMPRESS_ZLIB))
			return true;
	return false;
}

static const char *
string_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;

	return dwarf_formstring(dwarf_attr(die, name, &attr));
}

static bool
is_harmless(const struct slice dir, const char *comp_dir, const char *name)
{
	struct stat st;
	char *path = name[0] == '/'
			     ? xstrdup(name)
			     : xasprintf("%.*s%s%s%s", (int)dir.len, dir.ptr,
					 comp_dir, *comp_dir ? "/" : "", name);
	bool harmless = stat(path, &st) || S_ISREG(st.st_mode);

	free(path);
	return harmless;
}

const char *
split_unit_name(Dwarf_Die *unit)
{
	const char *name = string_attr(unit, DW_AT_dwo_name);

	return name ? name : string_attr(unit, DW_AT_GNU_dwo_name);
}

bool
forged_split_unit(Dwarf_Die *unit, const char *path)
{
	const char *name = split_unit_name(unit);
	const char *comp = string_attr(unit, DW_AT_comp_dir);
	struct slice base = slice_basename(slice_str(path));
	struct slice dir = { path, (size_t)(base.ptr - path) };

	if (!name)
		return false;
	if (comp && comp[0] == '/')
		return !is_harmless(dir, "", name) ||
		       !is_harmless((struct slice){ "", 0 }, comp, name);
	return !is_harmless(dir, "", name) ||
	       !is_harmless(dir, comp ? comp : "", name);
}
