/* SPDX-License-Identifier: MIT */
/* Symbols of a file that somebody else may be writing to: what is needed of
 * it is copied into memory first. */
#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "symbol/table_elf.h"

enum {
	/* Far more than linkers make; a forged file ends here. */
	SECTIONS_MAX = 1 << 16,
	BYTES_MAX = 256 << 20,
};

/* As large as the file, zero but where parts of it were copied to, so that it
 * takes memory for those only. */
struct image {
	int fd;
	unsigned char *bytes;
	uint64_t size, left; /* which may still be copied */
};

static bool
read_part(struct image *image, uint64_t offset, uint64_t size)
{
	if (offset > image->size || size > image->size - offset ||
	    size > image->left)
		return false;
	image->left -= size;
	while (size) {
		ssize_t got = pread(image->fd, image->bytes + offset, size,
				    (off_t)offset);

		if (got <= 0)
			return false;
		offset += (uint64_t)got;
		size -= (uint64_t)got;
	}
	return true;
}

static bool
is_table(const Elf64_Shdr *s)
{
	return s->sh_type == SHT_SYMTAB || s->sh_type == SHT_DYNSYM ||
	       s->sh_type == SHT_STRTAB || s->sh_type == SHT_RELA;
}

/* Of other sections only the headers are looked at. */
static bool
may_be_plt(const Elf64_Shdr *s)
{
	return s->sh_type == SHT_PROGBITS && s->sh_flags & SHF_EXECINSTR &&
	       s->sh_size <= SYMBOL_PLT_MAX;
}

/* A table that cannot be had, whatever its header claims, is empty for the
 * readers. The headers are put back in the end: forged sections may lie over
 * them. */
static void
read_sections(struct image *image, uint64_t at, size_t n)
{
	Elf64_Shdr *headers = xcalloc(n, sizeof *headers);
	size_t i;

	memcpy(headers, image->bytes + at, n * sizeof *headers);
	for (i = 0; i < n; i++) {
		Elf64_Shdr *s = &headers[i];

		if (may_be_plt(s))
			read_part(image, s->sh_offset, s->sh_size);
		else if (is_table(s) &&
			 !read_part(image, s->sh_offset, s->sh_size))
			s->sh_size = 0;
	}
	memcpy(image->bytes + at, headers, n * sizeof *headers);
	free(headers);
}

/* The head and the section headers; libelf allocates for as many of them as a
 * file claims, so that has to be looked at first. */
static bool
read_headers(struct image *image)
{
	Elf64_Ehdr head;
	Elf64_Shdr first;
	uint64_t n;

	if (!read_part(image, 0, sizeof head))
		return false;
	memcpy(&head, image->bytes, sizeof head);
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_ident[EI_DATA] != ELFDATA2LSB ||
	    head.e_shentsize != sizeof first ||
	    !read_part(image, head.e_shoff, sizeof first))
		return false;
	memcpy(&first, image->bytes + head.e_shoff, sizeof first);
	n = head.e_shnum ? head.e_shnum : first.sh_size;
	if (!n || n > SECTIONS_MAX ||
	    !read_part(image, head.e_shoff, n * sizeof first))
		return false;
	read_sections(image, head.e_shoff, n);
	return true;
}

/* NULL when it is no ELF file. */
static Elf *
open_image(struct image *image, int fd)
{
	struct stat st;
	void *bytes;

	*image = (struct image){ .fd = fd, .left = BYTES_MAX };
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return NULL;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED)
		return NULL;
	image->bytes = bytes;
	image->size = (uint64_t)st.st_size;
	elf_version(EV_CURRENT);
	return read_headers(image) ? elf_memory(bytes, image->size) : NULL;
}

static void
close_image(struct image *image, Elf *elf)
{
	elf_end(elf);
	if (image->bytes)
		munmap(image->bytes, image->size);
}

bool
symbol_table_read_files(struct symbol_table *t, int fd, int debug_fd)
{
	struct image image, debug_image;
	Elf *elf = open_image(&image, fd);
	Elf *debug = open_image(&debug_image, debug_fd);
	bool ok = elf || debug;
	size_t i;

	if (!debug || !symbol_table_read_elf(t, debug, SHT_SYMTAB))
		symbol_table_read_elf(t, elf, SHT_SYMTAB);
	symbol_table_read_elf(t, elf, SHT_DYNSYM);
	symbol_table_finish(t);
	if (elf) {
		symbol_table_read_plt(t, elf);
		symbol_table_finish(t);
	}
	for (i = 0; i < t->n; i++)
		t->symbols[i].name = arena_copy(&t->arena, t->symbols[i].name);
	close_image(&image, elf);
	close_image(&debug_image, debug);
	return ok;
}
