/* SPDX-License-Identifier: MIT */
/* Reading files of the sampled programs, which may be anything by now. */
#ifndef PK_PROCESS_FILE_H
#define PK_PROCESS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* A descriptor of the regular file at PATH, opened without blocking, and what
 * it is; -1 for anything else. */
int file_open_regular(const char *path, struct stat *st);

/* An unwind_read_fn over the descriptor that CTX points to. */
bool file_read(void *ctx, uint64_t offset, void *to, size_t n);

#endif
