/* SPDX-License-Identifier: MIT */
/* The running kernel: where its text lies, and its symbols. */
#ifndef PK_RECORD_KERNEL_H
#define PK_RECORD_KERNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "symbol/table.h"

/* The kernel itself, and its loadable modules. */
struct kernel_part {
	uint64_t start, end;
	char name[64];	     /* "[kernel]", "[ext4]" */
	char build_id[129];  /* text; "" unknown */
	uint32_t capture_id; /* 0: not written yet */
};

struct kernel {
	struct kernel_part *parts; /* [0] the kernel, then ascending */
	size_t n, cap;
	bool hidden; /* addresses are kept from this user */
	bool reading;
	pthread_t reader;
	struct symbol_table symbols;
};

/* Learns where things lie, at the first call, and begins to read the symbols
 * in a thread: that takes the kernel longer than many a program runs. */
struct kernel_part *kernel_find(struct kernel *k, uint64_t addr);
/* Waits for the symbols; empty when hidden or kernel_find was never called. */
const struct symbol_table *kernel_symbols(struct kernel *k);
void kernel_free(struct kernel *k);

#endif
