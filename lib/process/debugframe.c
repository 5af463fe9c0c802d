/* SPDX-License-Identifier: MIT */
#include "process/debugframe.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/xalloc.h"

/* zlib makes at most 1,032 bytes of one. */
enum { RATIO_MAX = 1040 };

/* Returns the bytes of a compressed section, which BYTES of SIZE hold. */
static void *
unpack(const unsigned char *bytes, size_t size, size_t *unpacked)
{
	Elf64_Chdr h;
	uLongf n;
	void *out;

	if (size < sizeof h)
		return NULL;
	memcpy(&h, bytes, sizeof h);
	if (h.ch_type != ELFCOMPRESS_ZLIB || !h.ch_size ||
	    h.ch_size > CFI_MAX || h.ch_size / RATIO_MAX > size)
		return NULL;
	out = xmalloc(h.ch_size);
	n = h.ch_size;
	if (uncompress(out, &n, bytes + sizeof h, size - sizeof h) != Z_OK ||
	    n != h.ch_size) {
		free(out);
		return NULL;
	}
	*unpacked = n;
	return out;
}

void *
debug_frame_read(unwind_read_fn *read, void *ctx, const struct unwind_elf *elf,
		 struct unwind_section *out)
{
	const struct unwind_range *range = &elf->debug_frame;
	size_t size = range->size;
	void *bytes;

	if (!size || size > CFI_MAX)
		return NULL;
	bytes = xmalloc(size);
	if (!read(ctx, range->offset, bytes, size)) {
		free(bytes);
		return NULL;
	}
	if (elf->debug_frame_packed) {
		void *packed = bytes;

		bytes = unpack(packed, size, &size);
		free(packed);
	}
	if (bytes)
		*out = (struct unwind_section){ bytes, size, range->addr };
	return bytes;
}
