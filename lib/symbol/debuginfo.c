/* SPDX-License-Identifier: MIT */
#include "symbol/debuginfo.h"

#include <stdlib.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include "base/xalloc.h"
#include "symbol/forged.h"
#include "symbol/gap.h"
#include "symbol/lines.h"
#include "symbol/ranges.h"
#include "symbol/scopes.h"
#include "symbol/table_elf.h"

enum {
	/* Bounds on forged input; real code stays far below. */
	MAX_DEPTH = 256,
	MAX_RANGES = 1 << 24,
};

/* A function (the first of its calls) or a call inlined into PARENT. */
struct call {
	Dwarf_Die die;
	uint32_t parent, file, line;
	bool named;
	struct slice name;
};

struct function {
	Dwarf_Die die;
	bool expanded;
	struct call *calls;
	size_t n, cap;
	struct ranges code; /* of the calls, outer ones first; not sorted */
};

struct unit {
	Dwarf_Die die;
	Dwarf_Die body; /* the same, or what a skeleton stands for */
	bool opened, deep, has_files;
	Dwarf_Files *files;
	size_t n_files;
	struct function *functions;
	size_t n, cap;
	struct ranges code; /* of the functions */
};

struct debug_info {
	const struct symbol_options *opt;
	const char *path; /* of the file, which lives longer */
	Dwarf *dwarf, *alt;
	struct elf_file alt_file;
	struct no_alt no_alt;
	struct gap gap;
	uint64_t text_begin, text_end;
	size_t n_ranges;
	struct unit *units;
	size_t n, cap;
	struct ranges code; /* of the units */
	struct scoped_names scoped;
};

/* DIE's code. What linkers leave of discarded functions lies outside the
 * text, mostly at 0. */
static void
add_code(struct debug_info *d, struct ranges *r, Dwarf_Die *die, size_t id)
{
	Dwarf_Addr base, begin, end;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &begin, &end)) > 0) {
		if (++d->n_ranges > MAX_RANGES)
			break;
		if (begin < end && begin >= d->text_begin &&
		    begin < d->text_end)
			ranges_add(r,
				   (struct range){ begin, end, (uint32_t)id });
	}
}

/* Walks over entries. */

/* Offsets only ever rise in a walk, so that one over a forged tree ends. */
struct walk {
	struct debug_info *d;
	struct unit *unit;
	Dwarf_Off last;
};

static bool
advance(struct walk *w, Dwarf_Die *die)
{
	Dwarf_Off offset = dwarf_dieoffset(die);

	if (offset <= w->last || offset == (Dwarf_Off)-1)
		return false;
	w->last = offset;
	return true;
}

static void
add_function(struct walk *w, Dwarf_Die *die)
{
	struct unit *u = w->unit;
	size_t before = u->code.n;

	add_code(w->d, &u->code, die, u->n);
	if (u->code.n == before)
		return;
	GROW(u->functions, u->cap, u->n + 1);
	u->functions[u->n++] = (struct function){ .die = *die };
}

/* Whether functions with code may hide below an entry. Compilers put them
 * into the unit itself or a namespace; within types and other functions is
 * looked only when an address was not found there. */
static bool
holds_functions(const struct unit *u, int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return u->deep;
	default:
		return false;
	}
}

static void
find_functions(struct walk *w, Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;
	int tag;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die))
		return;
	do {
		if (!advance(w, &die))
			return;
		tag = dwarf_tag(&die);
		if (tag == DW_TAG_subprogram)
			add_function(w, &die);
		if (holds_functions(w->unit, tag))
			find_functions(w, &die, depth + 1);
	} while (!dwarf_siblingof(&die, &die));
}

/* The .dwo file of a skeleton. */
static void
open_body(struct debug_info *d, struct unit *u)
{
	bool forged = forged_split_unit(&u->die, d->path);

	if (!forged)
		dwarf_cu_info(u->die.cu, NULL, NULL, NULL, &u->body, NULL, NULL,
			      NULL);
	if (u->body.addr)
		return;
	u->body = u->die;
	if (forged)
		d->gap.forged_dwo = split_unit_name(&u->die);
	else
		gap_missing_dwo(&d->gap, &u->die);
}

static void
open_unit(struct debug_info *d, struct unit *u, bool deep)
{
	struct walk w = { d, u, 0 };
	size_t i;

	if (!u->opened)
		open_body(d, u);
	for (i = 0; i < u->n; i++) {
		free(u->functions[i].calls);
		ranges_free(&u->functions[i].code);
	}
	u->n = u->code.n = 0;
	u->opened = true;
	u->deep = deep;
	find_functions(&w, &u->body, 0);
	ranges_sort(&u->code);
}

static uint32_t
unsigned_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value) ||
	    value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

static uint32_t
add_call(struct walk *w, struct function *f, Dwarf_Die *die, uint32_t parent)
{
	GROW(f->calls, f->cap, f->n + 1);
	f->calls[f->n] = (struct call){
		.die = *die,
		.parent = parent,
		.file = unsigned_attr(die, DW_AT_call_file),
		.line = unsigned_attr(die, DW_AT_call_line),
	};
	add_code(w->d, &f->code, die, f->n);
	return (uint32_t)f->n++;
}

static void
find_inlined(struct walk *w, struct function *f, Dwarf_Die *parent,
	     uint32_t call, int depth)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die))
		return;
	do {
		if (!advance(w, &die))
			return;
		switch (dwarf_tag(&die)) {
		case DW_TAG_inlined_subroutine:
			find_inlined(w, f, &die, add_call(w, f, &die, call),
				     depth + 1);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_with_stmt:
			find_inlined(w, f, &die, call, depth + 1);
			break;
		default:
			break;
		}
	} while (!dwarf_siblingof(&die, &die));
}

static void
expand(struct debug_info *d, struct unit *u, struct function *f)
{
	struct walk w = { d, u, 0 };

	f->expanded = true;
	f->calls = xcalloc(1, sizeof *f->calls);
	f->calls[0] = (struct call){ .die = f->die, .parent = UINT32_MAX };
	f->n = f->cap = 1;
	if (d->opt->inlines)
		find_inlined(&w, f, &f->die, 0, 0);
}

/* The innermost call at ADDR. Outer ones come first and siblings do not
 * overlap, so one pass from call to call within it finds the way. */
static uint32_t
innermost_call(const struct function *f, uint64_t addr)
{
	uint32_t call = 0;
	size_t i;

	for (i = 0; i < f->code.n; i++) {
		const struct range *r = &f->code.v[i];

		if (addr >= r->begin && addr < r->end &&
		    f->calls[r->id].parent == call)
			call = r->id;
	}
	return call;
}

/* Answers. */

static struct function *
function_at(struct unit *u, uint64_t addr)
{
	size_t at = ranges_start(&u->code, addr);
	const struct range *r = ranges_next(&u->code, addr, &at);

	return r ? &u->functions[r->id] : NULL;
}

static struct function *
find_function(struct debug_info *d, struct unit *u, uint64_t addr)
{
	struct function *f;

	if (!u->opened)
		open_unit(d, u, false);
	f = function_at(u, addr);
	if (!f && !u->deep) {
		open_unit(d, u, true);
		f = function_at(u, addr);
	}
	return f;
}

static struct slice
optional(const char *s)
{
	return s ? slice_str(s) : (struct slice){ NULL, 0 };
}

static const char *
linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) &&
	    !dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		return NULL;
	return dwarf_formstring(&attr);
}

static struct slice
call_name(struct debug_info *d, struct call *c)
{
	if (!c->named) {
		c->name = optional(linkage_name(&c->die));
		if (!c->name.len && d->opt->names == SYMBOL_NAMES_RAW)
			c->name = optional(dwarf_diename(&c->die));
		else if (!c->name.len)
			c->name = scoped_name(&d->scoped, &c->die);
		c->named = true;
	}
	return c->name;
}

static struct slice
call_file(struct unit *u, uint32_t file)
{
	if (!u->has_files &&
	    dwarf_getsrcfiles(&u->body, &u->files, &u->n_files))
		u->n_files = 0;
	u->has_files = true;
	if (file >= u->n_files)
		return (struct slice){ NULL, 0 };
	return optional(dwarf_filesrc(u->files, file, NULL, NULL));
}

static size_t
call_depth(const struct function *f, uint32_t call)
{
	size_t n = 1;

	for (; call; call = f->calls[call].parent)
		n++;
	return n;
}

/* The calls from CALL outwards; what is more than MAX is left out at the
 * inner end. */
static size_t
list_calls(struct debug_info *d, struct unit *u, struct function *f,
	   uint64_t addr, struct symbol_frame *out, size_t max)
{
	uint32_t call = innermost_call(f, addr), inner = UINT32_MAX;
	size_t depth = call_depth(f, call), n = 0;

	for (; depth; depth--, inner = call, call = f->calls[call].parent) {
		struct symbol_frame *frame = &out[n];

		if (depth > max)
			continue;
		*frame = (struct symbol_frame){
			.name = call_name(d, &f->calls[call]),
			.inlined = call != 0,
		};
		n++;
		if (!d->opt->lines)
			continue;
		if (inner == UINT32_MAX) {
			line_find(&u->die, addr, frame);
		} else {
			frame->file = call_file(u, f->calls[inner].file);
			frame->line = f->calls[inner].line;
		}
	}
	return n;
}

size_t
debug_info_lookup(struct debug_info *d, uint64_t addr, struct symbol_frame *out,
		  size_t max)
{
	size_t at = ranges_start(&d->code, addr);
	struct unit *first = NULL;
	const struct range *r;

	while ((r = ranges_next(&d->code, addr, &at))) {
		struct unit *u = &d->units[r->id];
		struct function *f = find_function(d, u, addr);

		if (f && !f->expanded)
			expand(d, u, f);
		if (f)
			return list_calls(d, u, f, addr, out, max);
		if (!first)
			first = u;
	}
	if (!first || !max)
		return 0;
	out[0] = (struct symbol_frame){ 0 };
	if (d->opt->lines)
		line_find(&first->die, addr, out);
	return 1;
}

/* Opening. */

bool
elf_has_dwarf(Elf *elf)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = elf_section_named(elf, ".debug_info");

	if (!scn)
		scn = elf_section_named(elf, ".zdebug_info");
	return scn && gelf_getshdr(scn, &shdr) && shdr.sh_type != SHT_NOBITS &&
	       shdr.sh_size;
}

static void
find_text(struct debug_info *d, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr s;

	d->text_begin = UINT64_MAX;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &s) || !(s.sh_flags & SHF_EXECINSTR) ||
		    s.sh_size > UINT64_MAX - s.sh_addr)
			continue;
		if (s.sh_addr < d->text_begin)
			d->text_begin = s.sh_addr;
		if (s.sh_addr + s.sh_size > d->text_end)
			d->text_end = s.sh_addr + s.sh_size;
	}
}

/* Units by old compilers do not say where their code is; their functions
 * do. */
static void
index_unit(struct debug_info *d, size_t i)
{
	struct unit *u = &d->units[i];
	size_t k;

	if (dwarf_hasattr(&u->die, DW_AT_ranges) ||
	    dwarf_hasattr(&u->die, DW_AT_high_pc)) {
		add_code(d, &d->code, &u->die, i);
		return;
	}
	if (!dwarf_hasattr(&u->die, DW_AT_stmt_list))
		return;
	open_unit(d, u, false);
	for (k = 0; k < u->code.n; k++) {
		struct range r = u->code.v[k];

		r.id = (uint32_t)i;
		ranges_add(&d->code, r);
	}
}

static void
index_units(struct debug_info *d)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;
	size_t i;

	while (!dwarf_get_units(d->dwarf, cu, &cu, NULL, &type, &die, NULL)) {
		if ((type != DW_UT_compile && type != DW_UT_skeleton) ||
		    d->n >= UINT32_MAX)
			continue;
		GROW(d->units, d->cap, d->n + 1);
		d->units[d->n++] = (struct unit){ .die = die };
	}
	for (i = 0; i < d->n; i++)
		index_unit(d, i);
	ranges_sort(&d->code);
}

/* What dwz(1) moved into a shared file; libdw itself looks for that only
 * where the system keeps it, and takes what it finds. */
static void
open_alt(struct debug_info *d, const struct elf_file *file, struct fetcher *net)
{
	const char *name;
	const void *id;
	ssize_t len = dwelf_dwarf_gnu_debugaltlink(d->dwarf, &name, &id);

	if (len <= 0)
		return;
	if (!find_shared_file(&d->alt_file, d->opt, net, file, name, id,
			      (size_t)len))
		d->gap.no_alt = name;
	else if (forged_compression(d->alt_file.elf))
		d->gap.forged_alt = d->alt_file.path;
	else
		d->alt = dwarf_begin_elf(d->alt_file.elf, DWARF_C_READ, NULL);
	if (!d->alt)
		no_alt_begin(&d->no_alt);
	dwarf_setalt(d->dwarf, d->alt ? d->alt : d->no_alt.dwarf);
}

const char *
debug_info_gap(struct debug_info *d)
{
	if (!d->n)
		return gap_damaged;
	return gap_words(&d->gap, d->path);
}

struct debug_info *
debug_info_open(const struct elf_file *file, const struct symbol_options *opt,
		struct fetcher *net, const char **why)
{
	struct debug_info *d = xcalloc(1, sizeof *d);

	d->opt = opt;
	d->path = file->path;
	d->alt_file.fd = -1;
	if (!forged_compression(file->elf))
		d->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (!d->dwarf) {
		*why = gap_unreadable(file->elf);
		free(d);
		return NULL;
	}
	open_alt(d, file, net);
	find_text(d, file->elf);
	index_units(d);
	return d;
}

static void
unit_free(struct unit *u)
{
	size_t i;

	for (i = 0; i < u->n; i++) {
		free(u->functions[i].calls);
		ranges_free(&u->functions[i].code);
	}
	free(u->functions);
	ranges_free(&u->code);
}

void
debug_info_close(struct debug_info *d)
{
	size_t i;

	if (!d)
		return;
	for (i = 0; i < d->n; i++)
		unit_free(&d->units[i]);
	free(d->units);
	ranges_free(&d->code);
	scoped_names_free(&d->scoped);
	dwarf_end(d->dwarf);
	dwarf_end(d->alt);
	no_alt_end(&d->no_alt);
	elf_file_close(&d->alt_file);
	buf_free(&d->gap.words);
	free(d);
}
