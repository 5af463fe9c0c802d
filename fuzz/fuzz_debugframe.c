/* SPDX-License-Identifier: MIT */
/*
 * A hostile module or debug file: an input is an ELF file, whose .debug_frame
 * is read, unpacked and indexed, and whose debug link is followed to where
 * there is nothing.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process/debugframe.h"
#include "process/file.h"
#include "record/debugfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file with the input in it. */
static int
put(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 ||
	    pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return fd;
}

/* Reads every byte of the section, and finds its way about in it. */
static void
use(const struct unwind_section *frame)
{
	struct unwind_cfi cfi = { .frame = *frame, .debug_frame = true };
	struct unwind_index *index;
	struct unwind_rule rule;
	unsigned sum = 0;

	for (size_t i = 0; i < frame->size; i++)
		sum += frame->bytes[i];
	cfi.n_index = unwind_build_index(&cfi, NULL, 0);
	index = calloc(cfi.n_index + 1, sizeof *index);
	if (!index ||
	    unwind_build_index(&cfi, index, cfi.n_index) != cfi.n_index)
		abort();
	cfi.index = index;
	unwind_find_rule(&cfi, cfi.n_index ? index[sum % cfi.n_index].start : 0,
			 &rule);
	free(index);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct slice path = { "/no-such-folder/module", 22 };
	struct unwind_section frame = { 0 };
	struct unwind_elf elf;
	int fd = put(data, size);
	void *bytes;

	if (!unwind_elf_read(file_read, &fd, &elf))
		return 0;
	bytes = debug_frame_read(file_read, &fd, &elf, &frame);
	if (!bytes != !frame.size)
		abort();
	use(&frame);
	free(bytes);
	/* Nobody has its build id; what it links to is not there. */
	elf.build_id_size = 0;
	if (debug_frame_find(&elf, fd, getpid(), path, &frame))
		abort();
	return 0;
}
