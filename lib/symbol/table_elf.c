/* SPDX-License-Identifier: MIT */
#include "symbol/table_elf.h"

#include <stdlib.h>
#include "base/xalloc.h"

struct slice
elf_section_bytes(Elf_Scn *scn)
{
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;

	if (!data || !data->d_buf)
		return (struct slice){ NULL, 0 };
	return (struct slice){ data->d_buf, data->d_size };
}

struct slice
elf_string_at(struct slice table, uint64_t offset)
{
	const char *end;

	if (offset >= table.len)
		return (struct slice){ NULL, 0 };
	table.ptr += offset;
	table.len -= offset;
	end = memchr(table.ptr, '\0',
		     table.len < MAX_NAME ? table.len : MAX_NAME);
	if (!end)
		return (struct slice){ NULL, 0 };
	return (struct slice){ table.ptr, (size_t)(end - table.ptr) };
}

Elf_Scn *
elf_section_named(Elf *elf, const char *name)
{
	struct slice names;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t i;

	if (elf_getshdrstrndx(elf, &i))
		return NULL;
	names = elf_section_bytes(elf_getscn(elf, i));
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &shdr) &&
		    slice_is(elf_string_at(names, shdr.sh_name), name))
			return scn;
	return NULL;
}

/* A section's code; begin == end for one without. */
struct extent {
	uint64_t begin, end;
};

static struct extent *
code_extents(Elf *elf, size_t *n)
{
	struct extent *code;
	Elf_Scn *scn = NULL;
	GElf_Shdr s;

	if (elf_getshdrnum(elf, n))
		*n = 0;
	code = xcalloc(*n + 1, sizeof *code);
	while ((scn = elf_nextscn(elf, scn))) {
		size_t i = elf_ndxscn(scn);

		if (i < *n && gelf_getshdr(scn, &s) &&
		    (s.sh_flags & SHF_EXECINSTR) &&
		    s.sh_size <= UINT64_MAX - s.sh_addr)
			code[i] = (struct extent){ s.sh_addr,
						   s.sh_addr + s.sh_size };
	}
	return code;
}

/* Labels that assemblers and compilers leave behind name no function. */
static bool
is_function_label(struct slice name)
{
	return name.len && name.ptr[0] != '.' && name.ptr[0] != '$';
}

static uint32_t
rank(const GElf_Sym *sym)
{
	switch (GELF_ST_BIND(sym->st_info)) {
	case STB_LOCAL:
		return SYMBOL_LOCAL;
	case STB_WEAK:
		return SYMBOL_WEAK;
	default:
		return SYMBOL_GLOBAL;
	}
}

static bool
add_elf_symbol(struct symbol_table *t, const GElf_Sym *sym, struct slice name,
	       struct extent code)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	struct table_symbol s = {
		.addr = sym->st_value,
		.size = sym->st_size,
		.name = name,
		.flags = rank(sym),
	};

	if (type != STT_FUNC && type != STT_GNU_IFUNC &&
	    (type != STT_NOTYPE || !is_function_label(name)))
		return false;
	if (s.addr < code.begin || s.addr >= code.end)
		return false;
	if (!s.size) {
		s.size = code.end - s.addr;
		s.flags |= SYMBOL_UNSIZED;
	}
	symbol_table_add_symbol(t, s);
	return true;
}

static size_t
read_symbols(struct symbol_table *t, Elf *elf, Elf_Scn *scn, GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	struct slice names = elf_section_bytes(elf_getscn(elf, shdr->sh_link));
	size_t n_code, i, n, found = 0;
	struct extent *code;
	GElf_Sym sym;

	if (!data || !data->d_buf || !shdr->sh_entsize)
		return 0;
	code = code_extents(elf, &n_code);
	n = data->d_size / shdr->sh_entsize;
	for (i = 1; i < n && gelf_getsym(data, (int)i, &sym); i++)
		if (sym.st_shndx != SHN_UNDEF && sym.st_shndx < n_code)
			found += add_elf_symbol(
				t, &sym, elf_string_at(names, sym.st_name),
				code[sym.st_shndx]);
	free(code);
	return found;
}

size_t
symbol_table_read_elf(struct symbol_table *t, Elf *elf, uint32_t type)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	/* The ABI allows one of a type; only forged files have more. */
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == type)
			return read_symbols(t, elf, scn, &shdr);
	return 0;
}

bool
symbol_table_read_image(struct symbol_table *t, const void *image, size_t size)
{
	Elf *elf;
	size_t i;

	elf_version(EV_CURRENT);
	/* libelf reads only, whatever the type says. */
	elf = elf_memory((char *)(uintptr_t)image, size);
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return false;
	}
	if (!symbol_table_read_elf(t, elf, SHT_SYMTAB))
		symbol_table_read_elf(t, elf, SHT_DYNSYM);
	for (i = 0; i < t->n; i++)
		t->symbols[i].name = arena_copy(&t->arena, t->symbols[i].name);
	elf_end(elf);
	symbol_table_finish(t);
	return true;
}
