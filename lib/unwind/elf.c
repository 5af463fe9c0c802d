/* SPDX-License-Identifier: MIT */
/* What unwinding needs of an ELF file (System V ABI, chapters 4 and 5). */
#include <elf.h>
#include "unwind/cursor.h"

/* Bounds on what is read of one file; real ones stay far below. */
enum { MAX_PHDRS = 128, MAX_SECTIONS = 4096, MAX_NOTES = 64 };

struct file {
	unwind_read_fn *read;
	void *ctx;
	Elf64_Ehdr eh;
	struct unwind_elf *out;
};

static bool
read_at(const struct file *f, uint64_t offset, void *to, size_t n)
{
	return f->read(f->ctx, offset, to, n);
}

static bool
same(const void *a, const char *b, size_t n)
{
	const char *p = a;

	for (size_t i = 0; i < n; i++)
		if (p[i] != b[i])
			return false;
	return true;
}

static bool
is_x86_64(const Elf64_Ehdr *eh)
{
	return same(eh->e_ident, ELFMAG, SELFMAG) &&
	       eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh->e_ident[EI_DATA] == ELFDATA2LSB &&
	       eh->e_machine == EM_X86_64 &&
	       (eh->e_type == ET_EXEC || eh->e_type == ET_DYN);
}

/* ---- program headers ---- */

static void
add_load(struct unwind_elf *out, const Elf64_Phdr *ph)
{
	if (out->n_load == UNWIND_MAX_LOAD || !ph->p_memsz)
		return;
	out->load[out->n_load++] = (struct unwind_segment){
		.offset = ph->p_offset,
		.addr = ph->p_vaddr,
		.filesz = ph->p_filesz,
		.memsz = ph->p_memsz,
		.flags = ph->p_flags,
	};
}

static uint64_t
align4(uint64_t n)
{
	return (n + 3) & ~(uint64_t)3;
}

static void
read_build_id(const struct file *f, uint64_t offset, uint64_t size)
{
	uint64_t at = 0;
	Elf64_Nhdr note;
	char name[4];

	for (int i = 0;
	     i < MAX_NOTES && size >= sizeof note && at <= size - sizeof note;
	     i++) {
		uint64_t name_at = at + sizeof note, desc_at;

		if (!read_at(f, offset + at, &note, sizeof note))
			return;
		desc_at = name_at + align4(note.n_namesz);
		at = desc_at + align4(note.n_descsz);
		if (note.n_type != NT_GNU_BUILD_ID ||
		    note.n_namesz != sizeof name || !note.n_descsz ||
		    note.n_descsz > UNWIND_MAX_BUILD_ID || at > align4(size) ||
		    !read_at(f, offset + name_at, name, sizeof name) ||
		    !same(name, "GNU", sizeof name))
			continue;
		if (read_at(f, offset + desc_at, f->out->build_id,
			    note.n_descsz))
			f->out->build_id_size = note.n_descsz;
		return;
	}
}

static void
read_program_header(const struct file *f, const Elf64_Phdr *ph)
{
	if (ph->p_type == PT_LOAD)
		add_load(f->out, ph);
	else if (ph->p_type == PT_GNU_EH_FRAME)
		f->out->hdr = (struct unwind_range){ ph->p_offset, ph->p_filesz,
						     ph->p_vaddr };
	else if (ph->p_type == PT_NOTE && !f->out->build_id_size)
		read_build_id(f, ph->p_offset, ph->p_filesz);
}

static bool
read_program_headers(const struct file *f)
{
	Elf64_Phdr ph;

	if (f->eh.e_phnum > MAX_PHDRS || f->eh.e_phentsize != sizeof ph)
		return false;
	for (unsigned i = 0; i < f->eh.e_phnum; i++) {
		if (!read_at(f, f->eh.e_phoff + i * sizeof ph, &ph, sizeof ph))
			return false;
		read_program_header(f, &ph);
	}
	return true;
}

/* ---- sections ---- */

static bool
section_is(const struct file *f, const Elf64_Shdr *names, const Elf64_Shdr *sh,
	   const char *name, size_t n)
{
	char buf[16];

	return sh->sh_name < names->sh_size &&
	       names->sh_size - sh->sh_name >= n &&
	       read_at(f, names->sh_offset + sh->sh_name, buf, n) &&
	       same(buf, name, n);
}

static void
read_section(const struct file *f, const Elf64_Shdr *names,
	     const Elf64_Shdr *sh)
{
	static const char eh_frame[] = ".eh_frame";
	static const char debug_frame[] = ".debug_frame";
	static const char debug_link[] = ".gnu_debuglink";
	struct unwind_range range = { sh->sh_offset, sh->sh_size, sh->sh_addr };
	bool packed = sh->sh_flags & SHF_COMPRESSED;
	struct unwind_elf *out = f->out;

	if (sh->sh_type == SHT_NOBITS)
		return;
	/* eu-strip leaves the segments of what it cuts off as they were. */
	if (sh->sh_type == SHT_NOTE && !out->build_id_size)
		read_build_id(f, sh->sh_offset, sh->sh_size);
	if (sh->sh_flags & SHF_ALLOC) {
		if (!packed &&
		    section_is(f, names, sh, eh_frame, sizeof eh_frame))
			out->frame = range;
	} else if (section_is(f, names, sh, debug_frame, sizeof debug_frame)) {
		out->debug_frame = range;
		out->debug_frame_packed = packed;
	} else if (section_is(f, names, sh, debug_link, sizeof debug_link)) {
		out->debug_link = range;
	}
}

static void
read_sections(const struct file *f)
{
	const Elf64_Ehdr *eh = &f->eh;
	Elf64_Shdr names, sh;

	if (!eh->e_shoff || eh->e_shentsize != sizeof sh ||
	    eh->e_shnum > MAX_SECTIONS || eh->e_shstrndx >= eh->e_shnum ||
	    !read_at(f, eh->e_shoff + eh->e_shstrndx * sizeof sh, &names,
		     sizeof names))
		return;
	for (unsigned i = 1; i < eh->e_shnum; i++) {
		if (!read_at(f, eh->e_shoff + i * sizeof sh, &sh, sizeof sh))
			return;
		read_section(f, &names, &sh);
	}
}

/* Without sections, .eh_frame is where its header points, and may go on to the
 * end of its segment. */
static void
find_frame(const struct file *f)
{
	struct unwind_range *hdr = &f->out->hdr;
	unsigned char start[16];
	struct unwind_section section = { start, sizeof start, hdr->addr };
	struct cursor c = cursor_at(&section, 4, sizeof start);
	uint64_t addr, offset;

	if (hdr->size < sizeof start ||
	    !read_at(f, hdr->offset, start, sizeof start))
		return;
	addr = unwind_cursor_pointer(&c, start[1], hdr->addr);
	if (c.bad || !unwind_elf_addr_to_offset(f->out, addr, &offset))
		return;
	for (unsigned i = 0; i < f->out->n_load; i++) {
		const struct unwind_segment *s = &f->out->load[i];

		if (addr - s->addr < s->filesz)
			f->out->frame = (struct unwind_range){
				offset, s->filesz - (addr - s->addr), addr
			};
	}
}

bool
unwind_elf_read(unwind_read_fn *read, void *ctx, struct unwind_elf *out)
{
	struct file f = { .read = read, .ctx = ctx, .out = out };

	*out = (struct unwind_elf){ 0 };
	if (!read(ctx, 0, &f.eh, sizeof f.eh) || !is_x86_64(&f.eh) ||
	    !read_program_headers(&f))
		return false;
	read_sections(&f);
	if (!out->frame.size)
		find_frame(&f);
	return true;
}

bool
unwind_elf_offset_to_addr(const struct unwind_elf *elf, uint64_t offset,
			  uint64_t *addr)
{
	for (unsigned i = 0; i < elf->n_load; i++) {
		const struct unwind_segment *s = &elf->load[i];

		if (offset < s->offset || offset - s->offset >= s->filesz)
			continue;
		*addr = offset - s->offset + s->addr;
		return true;
	}
	return false;
}

bool
unwind_elf_addr_to_offset(const struct unwind_elf *elf, uint64_t addr,
			  uint64_t *offset)
{
	for (unsigned i = 0; i < elf->n_load; i++) {
		const struct unwind_segment *s = &elf->load[i];

		if (addr < s->addr || addr - s->addr >= s->filesz)
			continue;
		*offset = addr - s->addr + s->offset;
		return true;
	}
	return false;
}
