/* SPDX-License-Identifier: MIT */
/*
 * .debug_frame: call-frame information of code without .eh_frame, in the
 * module's own file or in the one into which its debug information was split
 * off. libdw is not needed for it.
 */
#ifndef PK_PROCESS_DEBUGFRAME_H
#define PK_PROCESS_DEBUGFRAME_H

#include "unwind/unwind.h"

/* More bytes than any program's CFI; a file that claims more is damaged. */
enum { CFI_MAX = 128 << 20 };

/* The .debug_frame that ELF, read with READ and CTX, has itself: memory to
 * free, which holds the section's bytes unpacked and which OUT then refers
 * to; or NULL, and OUT is as it was. */
void *debug_frame_read(unwind_read_fn *read, void *ctx,
		       const struct unwind_elf *elf,
		       struct unwind_section *out);

#endif
