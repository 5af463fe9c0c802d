/* SPDX-License-Identifier: MIT */
#include "symbol/symbol.h"

#include <stdlib.h>
#include "base/buf.h"
#include "base/intern.h"
#include "base/xalloc.h"
#include "symbol/debuginfo.h"
#include "symbol/fetch.h"
#include "symbol/files.h"
#include "symbol/minidebug.h"
#include "symbol/table_elf.h"

/* What mini debug information may unpack to in all modules together: a real
 * one has a few megabytes at most. */
enum { MINIDEBUG_MAX = 256 << 20 };

struct symbol_module {
	struct symbolizer *owner;
	enum symbol_base base;
	enum symbol_problem problem;
	struct elf_file main, debug, mini;
	struct symbol_table table;
	bool has_dwarf, dwarf_tried;
	struct debug_info *dwarf;
	const char *no_dwarf; /* why there is none although has_dwarf */
};

struct symbolizer {
	struct symbol_options opt;
	struct fetcher *net;
	size_t minidebug_left;
	struct intern keys; /* of modules, numbered as they are */
	struct symbol_module **modules;
	size_t n, cap;
	struct intern raw;   /* names as found, numbered as ... */
	struct slice *names; /* ... what they are shown as */
	size_t names_cap;
	struct arena arena;
	struct buf scratch;
};

struct symbolizer *
symbolizer_new(const struct symbol_options *opt)
{
	struct symbolizer *s = xcalloc(1, sizeof *s);

	elf_version(EV_CURRENT);
	s->opt = *opt;
	s->net = fetcher_new(!opt->no_debuginfod);
	s->minidebug_left = MINIDEBUG_MAX;
	return s;
}

static void
module_free(struct symbol_module *m)
{
	debug_info_close(m->dwarf);
	symbol_table_free(&m->table);
	elf_file_close(&m->main);
	elf_file_close(&m->debug);
	elf_file_close(&m->mini);
	free(m);
}

void
symbolizer_free(struct symbolizer *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->n; i++)
		module_free(s->modules[i]);
	free(s->modules);
	fetcher_free(s->net);
	intern_free(&s->keys);
	intern_free(&s->raw);
	free(s->names);
	arena_free(&s->arena);
	buf_free(&s->scratch);
	free(s);
}

static void
read_tables(struct symbol_module *m)
{
	size_t n = 0;

	if (m->debug.elf)
		n = symbol_table_read_elf(&m->table, m->debug.elf, SHT_SYMTAB);
	if (!n && m->main.elf)
		n = symbol_table_read_elf(&m->table, m->main.elf, SHT_SYMTAB);
	if (!n && m->main.elf &&
	    minidebug_open(&m->mini, m->main.elf, &m->owner->minidebug_left))
		n = symbol_table_read_elf(&m->table, m->mini.elf, SHT_SYMTAB);
	if (m->main.elf)
		symbol_table_read_elf(&m->table, m->main.elf, SHT_DYNSYM);
	symbol_table_finish(&m->table);
	if (m->main.elf) {
		symbol_table_read_plt(&m->table, m->main.elf);
		symbol_table_finish(&m->table);
	}
	if (!n && !m->has_dwarf)
		m->problem = SYMBOL_NO_SYMBOLS;
}

static struct symbol_module *
open_module(struct symbolizer *s, struct slice path, struct slice build_id,
	    enum symbol_base base)
{
	struct symbol_module *m = xcalloc(1, sizeof *m);

	m->owner = s;
	m->base = base;
	m->debug.fd = m->mini.fd = -1;
	m->problem = find_module_file(&m->main, &s->opt, path, build_id);
	if (!m->main.elf || !elf_has_dwarf(m->main.elf))
		find_debug_file(&m->debug, &s->opt, s->net, path, build_id,
				&m->main);
	if (!m->main.elf && !m->debug.elf)
		return m;
	m->problem = SYMBOL_OK;
	m->has_dwarf = (m->main.elf && elf_has_dwarf(m->main.elf)) ||
		       (m->debug.elf && elf_has_dwarf(m->debug.elf));
	read_tables(m);
	return m;
}

struct symbol_module *
symbolizer_module(struct symbolizer *s, struct slice path,
		  struct slice build_id, enum symbol_base base)
{
	uint32_t id;

	buf_clear(&s->scratch);
	buf_char(&s->scratch, (char)base);
	buf_slice(&s->scratch, build_id);
	buf_char(&s->scratch, ' ');
	buf_slice(&s->scratch, path);
	id = intern_add(&s->keys, buf_get(&s->scratch));
	if (id == s->n) {
		GROW(s->modules, s->cap, s->n + 1);
		s->modules[s->n++] = open_module(s, path, build_id, base);
	}
	return s->modules[id];
}

enum symbol_problem
symbol_module_problem(const struct symbol_module *m)
{
	return m->problem;
}

bool
symbol_module_has_dwarf(const struct symbol_module *m)
{
	return m->has_dwarf;
}

static struct debug_info *
module_dwarf(struct symbol_module *m)
{
	const struct elf_file *f = &m->main;

	if (m->dwarf_tried || !m->has_dwarf)
		return m->dwarf;
	m->dwarf_tried = true;
	if (!f->elf || !elf_has_dwarf(f->elf))
		f = &m->debug;
	m->dwarf =
		debug_info_open(f, &m->owner->opt, m->owner->net, &m->no_dwarf);
	return m->dwarf;
}

const char *
symbol_module_gap(struct symbol_module *m)
{
	return m->dwarf ? debug_info_gap(m->dwarf) : m->no_dwarf;
}

struct slice
symbolizer_show(struct symbolizer *s, struct slice name)
{
	size_t known = s->raw.n;
	uint32_t id;

	if (!name.len || s->opt.names == SYMBOL_NAMES_RAW)
		return name;
	id = intern_add(&s->raw, name);
	if (id == known) {
		GROW(s->names, s->names_cap, known + 1);
		buf_clear(&s->scratch);
		symbol_demangle(name, s->opt.names, &s->scratch, MAX_NAME);
		if (s->scratch.len > MAX_NAME)
			s->scratch.len = MAX_NAME;
		s->names[id] = arena_copy(&s->arena, buf_get(&s->scratch));
	}
	return s->names[id];
}

/* A file offset as the virtual address it is loaded at. */
static bool
offset_to_vaddr(const struct symbol_module *m, uint64_t *addr)
{
	size_t n, i;
	GElf_Phdr p;

	if (!m->main.elf || elf_getphdrnum(m->main.elf, &n))
		return false;
	for (i = 0; i < n && gelf_getphdr(m->main.elf, (int)i, &p); i++)
		if (p.p_type == PT_LOAD && (p.p_flags & PF_X) &&
		    *addr >= p.p_offset && *addr - p.p_offset < p.p_filesz) {
			*addr += p.p_vaddr - p.p_offset;
			return true;
		}
	return false;
}

size_t
symbol_lookup(struct symbol_module *m, uint64_t addr, struct symbol_frame *out,
	      size_t max)
{
	const struct symbol_options *opt = &m->owner->opt;
	const struct table_symbol *symbol = NULL;
	size_t n = 0, i;

	if (!max)
		return 0;
	if (m->base != SYMBOL_BASE_OFFSET || offset_to_vaddr(m, &addr)) {
		symbol = symbol_table_find(&m->table, addr);
		if ((opt->inlines || opt->lines || !symbol) && module_dwarf(m))
			n = debug_info_lookup(m->dwarf, addr, out, max);
	}
	if (!n) {
		out[0] = (struct symbol_frame){ 0 };
		n = 1;
	}
	/* The symbol table tells the pieces of a function apart (.cold). Where
	 * it only guesses how far a symbol reaches, DWARF knows better. */
	if (symbol &&
	    (!out[n - 1].name.len || !(symbol->flags & SYMBOL_UNSIZED)))
		out[n - 1].name = symbol->name;
	for (i = 0; i < n; i++)
		out[i].name = symbolizer_show(m->owner, out[i].name);
	return n;
}
