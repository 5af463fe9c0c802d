/* SPDX-License-Identifier: MIT */
#include "symbol/forged.h"

#include <dwarf.h>
#include <endian.h>
#include <gelf.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/slice.h"
#include "base/xalloc.h"
#include "symbol/files.h"
#include "symbol/table_elf.h"

enum { SMALL = 16 << 20, LIKELY = 100 };

/* What the section says that it unpacks to, or 0: as the standard has it, or
 * as GNU had it before, with "ZLIB" and the size in front. */
static uint64_t
unpacked_size(Elf_Scn *scn, const GElf_Shdr *shdr)
{
	struct slice bytes;
	uint64_t size;
	GElf_Chdr c;

	if (shdr->sh_flags & SHF_COMPRESSED)
		return gelf_getchdr(scn, &c) ? c.ch_size : 0;
	if (shdr->sh_type == SHT_NOBITS || shdr->sh_flags & SHF_ALLOC)
		return 0;
	bytes = elf_section_bytes(scn);
	if (bytes.len < 4 + sizeof size || memcmp(bytes.ptr, "ZLIB", 4))
		return 0;
	memcpy(&size, bytes.ptr + 4, sizeof size);
	return be64toh(size);
}

static bool
is_forged_size(uint64_t unpacked, uint64_t packed)
{
	return unpacked > SMALL && unpacked / LIKELY > packed;
}

/* Sections may share their bytes, so the sum counts, too. */
bool
forged_compression(Elf *elf)
{
	Elf_Scn *scn = NULL;
	uint64_t size, sum = 0;
	size_t file_size = 0;
	GElf_Shdr s;

	elf_rawfile(elf, &file_size);
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &s))
			continue;
		size = unpacked_size(scn, &s);
		if (is_forged_size(size, s.sh_size) || size > UINT64_MAX - sum)
			return true;
		sum += size;
	}
	return is_forged_size(sum, file_size);
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
is_harmless_file(const char *path)
{
	struct elf_file f;
	struct stat st;
	bool harmless;

	if (stat(path, &st))
		return true;
	if (!S_ISREG(st.st_mode))
		return false;
	if (elf_file_open(&f, path))
		return true;
	harmless = !forged_compression(f.elf);
	elf_file_close(&f);
	return harmless;
}

static bool
is_harmless(const struct slice dir, const char *comp_dir, const char *name)
{
	char *path = name[0] == '/'
			     ? xstrdup(name)
			     : xasprintf("%.*s%s%s%s", (int)dir.len, dir.ptr,
					 comp_dir, *comp_dir ? "/" : "", name);
	bool harmless = is_harmless_file(path);

	free(path);
	return harmless;
}

static bool
has_harmless_package(const char *path)
{
	char *package = xasprintf("%s.dwp", path);
	bool harmless = is_harmless_file(package);

	free(package);
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
	if (!has_harmless_package(path))
		return true;
	if (comp && comp[0] == '/')
		return !is_harmless(dir, "", name) ||
		       !is_harmless((struct slice){ "", 0 }, comp, name);
	return !is_harmless(dir, "", name) ||
	       !is_harmless(dir, comp ? comp : "", name);
}

/* The least that libdw accepts. */
struct empty_file {
	Elf64_Ehdr head;
	Elf64_Shdr sections[3];
	char names[24], frame[8];
};
static struct empty_file empty = {
	.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
			       EV_CURRENT },
		  .e_type = ET_REL,
		  .e_machine = EM_X86_64,
		  .e_version = EV_CURRENT,
		  .e_shoff = offsetof(struct empty_file, sections),
		  .e_ehsize = sizeof(Elf64_Ehdr),
		  .e_shentsize = sizeof(Elf64_Shdr),
		  .e_shnum = 3,
		  .e_shstrndx = 1 },
	.sections = { [1] = { .sh_name = 14,
			      .sh_type = SHT_STRTAB,
			      .sh_offset = offsetof(struct empty_file, names),
			      .sh_size = sizeof empty.names },
		      [2] = { .sh_name = 1,
			      .sh_type = SHT_PROGBITS,
			      .sh_offset = offsetof(struct empty_file, frame),
			      .sh_size = sizeof empty.frame } },
	.names = "\0.debug_frame\0.names",
};

void
no_alt_begin(struct no_alt *n)
{
	n->elf = elf_memory((char *)&empty, sizeof empty);
	n->dwarf = dwarf_begin_elf(n->elf, DWARF_C_READ, NULL);
}

void
no_alt_end(struct no_alt *n)
{
	dwarf_end(n->dwarf);
	elf_end(n->elf);
}
