/* SPDX-License-Identifier: MIT */
/*
 * unwind_elf FILE: prints what unwind_elf_read says of a file: the ranges as
 * `NAME OFFSET SIZE ADDRESS`, segments as `load OFFSET ADDRESS FILESIZE
 * MEMSIZE FLAGS`, each followed by its ends converted there and back, and the
 * build id. Status 1 when it is refused.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unwind/unwind.h"

static bool
read_file(void *ctx, uint64_t offset, void *to, size_t n)
{
	return pread(*(int *)ctx, to, n, (off_t)offset) == (ssize_t)n;
}

static void
print_range(const char *name, const struct unwind_range *r)
{
	if (r->size)
		printf("%s %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", name,
		       r->offset, r->size, r->addr);
}

static void
check_conversion(const struct unwind_elf *elf, uint64_t offset, uint64_t addr)
{
	uint64_t a = 0, o = 0;

	if (!unwind_elf_offset_to_addr(elf, offset, &a) || a != addr ||
	    !unwind_elf_addr_to_offset(elf, addr, &o) || o != offset)
		printf("%" PRIx64 " became %" PRIx64 ", %" PRIx64
		       " became %" PRIx64 "\n",
		       offset, a, addr, o);
}

static void
print_segment(const struct unwind_elf *elf, const struct unwind_segment *s)
{
	printf("load %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %x\n",
	       s->offset, s->addr, s->filesz, s->memsz, s->flags);
	check_conversion(elf, s->offset, s->addr);
	check_conversion(elf, s->offset + s->filesz - 1,
			 s->addr + s->filesz - 1);
}

int
main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	struct unwind_elf elf;
	uint64_t v;

	if (fd < 0)
		return 2;
	if (!unwind_elf_read(read_file, &fd, &elf))
		return 1;
	print_range("hdr", &elf.hdr);
	print_range("frame", &elf.frame);
	print_range(elf.debug_frame_packed ? "packed" : "debug_frame",
		    &elf.debug_frame);
	print_range("debug_link", &elf.debug_link);
	for (unsigned i = 0; i < elf.n_load; i++)
		print_segment(&elf, &elf.load[i]);
	if (unwind_elf_addr_to_offset(&elf, UINT64_MAX - 1, &v) ||
	    unwind_elf_offset_to_addr(&elf, UINT64_MAX - 1, &v))
		puts("the last address was found");
	printf("build-id ");
	for (unsigned i = 0; i < elf.build_id_size; i++)
		printf("%02x", elf.build_id[i]);
	putchar('\n');
	close(fd);
	return 0;
}
