/* SPDX-License-Identifier: MIT */
/*
 * Finding the separate file with a module's .debug_frame, without libdw.
 *
 * Where it is looked for is GDB's convention ("Debugging Information in
 * Separate Files"): by build id in /usr/lib/debug/.build-id/xx/yyyy.debug, by
 * debug link beside the module, in .debug/ there, and in /usr/lib/debug/
 * followed by the module's folder; first as the process sees the file system,
 * then as we do. It counts when it has the module's build id or, where one of
 * the two has none, the link's checksum. Nobody reads samples meanwhile:
 * checksums are made of files up to 64 MB, each once, and of 256 MB in all;
 * what is beyond counts as another's.
 */
#ifndef PK_RECORD_DEBUGFILE_H
#define PK_RECORD_DEBUGFILE_H

#include <sys/types.h>
#include "base/slice.h"
#include "unwind/unwind.h"

/* What debug_frame_read gives for the separate file of the module at PATH as
 * the process PID sees it, which begins with "/"; FD is the module's own
 * file. */
void *debug_frame_find(const struct unwind_elf *elf, int fd, pid_t pid,
		       struct slice path, struct unwind_section *out);

#endif
