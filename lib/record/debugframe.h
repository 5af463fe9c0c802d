/* SPDX-License-Identifier: MIT */
/*
 * .debug_frame: call-frame information of code without .eh_frame, in the
 * module's own file or in the one into which its debug information was split
 * off. libdw is not needed for it.
 *
 * Where a separate file is looked for is GDB's convention ("Debugging
 * Information in Separate Files"): by build id in
 * /usr/lib/debug/.build-id/xx/yyyy.debug, by debug link beside the module, in
 * .debug/ there, and in /usr/lib/debug/ followed by the module's folder; first
 * as the process sees the file system, then as we do. It counts when it has
 * the module's build id or, where one of the two has none, the link's
 * checksum. Nobody reads samples meanwhile: checksums are made of files up to
 * 64 MB, each once, and of 256 MB in all; what is beyond counts as another's.
 */
#ifndef PK_RECORD_DEBUGFRAME_H
#define PK_RECORD_DEBUGFRAME_H

#include <sys/types.h>
#include "base/slice.h"
#include "unwind/unwind.h"

/* More bytes than any program's CFI; a file that claims more is damaged. */
enum { CFI_MAX = 128 << 20 };

/* Both return memory to free, which holds the section's bytes unpacked and
 * which OUT then refers to; or NULL, and OUT is as it was. */

/* The .debug_frame that ELF, read with READ and CTX, has itself. */
void *debug_frame_read(unwind_read_fn *read, void *ctx,
		       const struct unwind_elf *elf,
		       struct unwind_section *out);

/* That of the separate file for the module at PATH as the process PID sees
 * it, which begins with "/"; FD is the module's own file. */
void *debug_frame_find(const struct unwind_elf *elf, int fd, pid_t pid,
		       struct slice path, struct unwind_section *out);

#endif
