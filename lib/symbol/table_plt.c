/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include "base/map.h"
#include "symbol/table_elf.h"

/* What the procedure linkage table's slots are bound to. */
struct slots {
	Elf *elf;
	struct map by_addr; /* the slot's address -> 1 + index in .rela.plt */
	Elf_Data *rela;	    /* .rela.plt, or .rela.dyn for .plt.got */
	Elf_Data *symbols;
	struct slice names;
	struct symbol_table *known; /* and owner of the names we make */
	struct symbol_table *found; /* apart, since KNOWN must stay sorted */
};

static bool
open_slots(struct slots *slots, Elf *elf, const char *rela_name)
{
	Elf_Scn *scn = elf_section_named(elf, rela_name), *symbols;
	GElf_Shdr shdr, symbols_shdr;

	*slots = (struct slots){ .elf = elf };
	if (!scn || !gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA)
		return false;
	slots->rela = elf_getdata(scn, NULL);
	symbols = elf_getscn(elf, shdr.sh_link);
	if (symbols && gelf_getshdr(symbols, &symbols_shdr) &&
	    symbols_shdr.sh_type == SHT_DYNSYM) {
		slots->symbols = elf_getdata(symbols, NULL);
		slots->names = elf_section_bytes(
			elf_getscn(elf, symbols_shdr.sh_link));
	}
	return slots->rela && slots->rela->d_buf;
}

static void
index_slots(struct slots *slots)
{
	GElf_Rela rela;
	int i;

	for (i = 0; gelf_getrela(slots->rela, i, &rela); i++)
		if (GELF_R_TYPE(rela.r_info) == R_X86_64_JUMP_SLOT ||
		    GELF_R_TYPE(rela.r_info) == R_X86_64_GLOB_DAT ||
		    GELF_R_TYPE(rela.r_info) == R_X86_64_IRELATIVE)
			*map_put(&slots->by_addr, rela.r_offset, NULL) =
				(uint32_t)i + 1;
}

static struct slice
slot_name(const struct slots *slots, uint32_t i)
{
	const struct table_symbol *s;
	GElf_Rela rela;
	GElf_Sym sym;

	if (!gelf_getrela(slots->rela, (int)i, &rela))
		return (struct slice){ NULL, 0 };
	if (GELF_R_TYPE(rela.r_info) == R_X86_64_IRELATIVE) {
		s = symbol_table_find(slots->known, (uint64_t)rela.r_addend);
		return s ? s->name : (struct slice){ NULL, 0 };
	}
	if (!slots->symbols || GELF_R_SYM(rela.r_info) > INT32_MAX ||
	    !gelf_getsym(slots->symbols, (int)GELF_R_SYM(rela.r_info), &sym))
		return (struct slice){ NULL, 0 };
	return elf_string_at(slots->names, sym.st_name);
}

static uint32_t
little32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/*
 * 1 + index of the relocation that the LEN bytes of code at ADDR jump
 * through, or 0. The forms of the psABI and of ld, lld and mold: perhaps
 * endbr64, perhaps a move to r11, then `jmp *disp(%rip)`, or the index
 * pushed for the lazy binder.
 */
static uint32_t
decode_entry(const struct slots *slots, const unsigned char *code, size_t len,
	     uint64_t addr)
{
	size_t at = 0;
	uint32_t *found;

	if (len >= 4 && !memcmp(code, "\xf3\x0f\x1e\xfa", 4))
		at = 4;
	if (len - at >= 6 && !memcmp(code + at, "\x41\xbb", 2))
		at += 6;
	if (len - at >= 1 && code[at] == 0xf2)
		at++;
	if (len - at >= 5 && code[at] == 0x68)
		return little32(code + at + 1) + 1;
	if (len - at < 6 || memcmp(code + at, "\xff\x25", 2))
		return 0;
	addr += at + 6;
	addr += (uint64_t)(int64_t)(int32_t)little32(code + at + 2);
	found = map_find(&slots->by_addr, addr);
	return found ? *found : 0;
}

static void
add_entry(const struct slots *slots, struct slice name, uint64_t addr,
	  uint64_t size)
{
	static const char suffix[] = "@plt";
	char *p;

	if (!name.len)
		return;
	p = arena_alloc(&slots->known->arena, name.len + sizeof suffix);
	memcpy(p, name.ptr, name.len);
	memcpy(p + name.len, suffix, sizeof suffix);
	name = (struct slice){ p, name.len + sizeof suffix - 1 };
	symbol_table_add_symbol(slots->found,
				(struct table_symbol){ .addr = addr,
						       .size = size,
						       .name = name,
						       .flags = SYMBOL_LOCAL });
}

static void
read_section(const struct slots *slots, const char *section)
{
	Elf_Scn *scn = elf_section_named(slots->elf, section);
	struct slice code = elf_section_bytes(scn);
	GElf_Shdr shdr;
	size_t at, step;
	uint32_t i;

	if (!code.len || code.len > SYMBOL_PLT_MAX || !gelf_getshdr(scn, &shdr))
		return;
	step = shdr.sh_entsize == 8 ? 8 : 16;
	for (at = 0; at + step <= code.len; at += step) {
		i = decode_entry(slots, (const unsigned char *)code.ptr + at,
				 step, shdr.sh_addr + at);
		if (i)
			add_entry(slots, slot_name(slots, i - 1),
				  shdr.sh_addr + at, step);
	}
}

static void
read_sections(struct symbol_table *t, struct symbol_table *found, Elf *elf,
	      const char *rela, const char *const *sections)
{
	struct slots slots;

	if (open_slots(&slots, elf, rela)) {
		slots.known = t;
		slots.found = found;
		index_slots(&slots);
		for (; *sections; sections++)
			read_section(&slots, *sections);
	}
	map_free(&slots.by_addr);
}

void
symbol_table_read_plt(struct symbol_table *t, Elf *elf)
{
	static const char *const lazy[] = { ".plt", ".plt.sec", ".plt.bnd",
					    ".iplt", NULL };
	static const char *const bound[] = { ".plt.got", NULL };
	struct symbol_table found = { 0 };
	GElf_Ehdr ehdr;
	size_t i;

	if (!gelf_getehdr(elf, &ehdr) || ehdr.e_machine != EM_X86_64)
		return;
	read_sections(t, &found, elf, ".rela.plt", lazy);
	read_sections(t, &found, elf, ".rela.dyn", bound);
	for (i = 0; i < found.n; i++)
		symbol_table_add_symbol(t, found.symbols[i]);
	symbol_table_free(&found);
}
