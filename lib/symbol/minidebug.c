/* SPDX-License-Identifier: MIT */
#include "symbol/minidebug.h"

#include <lzma.h>
#include <stdlib.h>
#include "base/buf.h"
#include "symbol/table_elf.h"

enum {
	/* Symbol tables shrink to a quarter, zeros to a 7,000th. */
	LIKELY = 100,
	SMALL = 1 << 20,
	CHUNK = 64 << 10,
	/* xz -9, the largest preset, needs 65 MB. */
	MEMORY_MAX = 100 << 20,
};

static size_t
largest_size(size_t packed, size_t left)
{
	size_t likely = packed < SMALL / LIKELY ? SMALL : SIZE_MAX;

	if (likely == SIZE_MAX && packed < SIZE_MAX / LIKELY)
		likely = packed * LIKELY;
	return likely < left ? likely : left;
}

static bool
unpack(struct slice packed, struct buf *out, size_t max)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	lzma_ret ret = lzma_stream_decoder(&xz, MEMORY_MAX, 0);

	xz.next_in = (const uint8_t *)packed.ptr;
	xz.avail_in = packed.len;
	while (ret == LZMA_OK && out->len < max) {
		buf_reserve(out, CHUNK + out->len / 2);
		xz.next_out = (uint8_t *)out->ptr + out->len;
		xz.avail_out = out->cap - out->len - 1;
		ret = lzma_code(&xz, LZMA_FINISH);
		out->len = (size_t)((char *)xz.next_out - out->ptr);
	}
	lzma_end(&xz);
	return ret == LZMA_STREAM_END && out->len <= max;
}

bool
minidebug_open(struct elf_file *f, Elf *main, size_t *left)
{
	Elf_Scn *scn = elf_section_named(main, ".gnu_debugdata");
	struct slice packed = elf_section_bytes(scn);
	struct buf image = { 0 };

	*f = (struct elf_file){ .fd = -1 };
	if (!scn)
		return false;
	if (unpack(packed, &image, largest_size(packed.len, *left)))
		f->elf = elf_memory(image.ptr, image.len);
	*left -= image.len < *left ? image.len : *left;
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF) {
		elf_end(f->elf);
		f->elf = NULL;
		buf_free(&image);
		return false;
	}
	f->memory = image.ptr;
	return true;
}
