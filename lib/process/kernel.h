/* SPDX-License-Identifier: MIT */
/* A kernel: where its text lies, and its symbols. */
#ifndef PK_PROCESS_KERNEL_H
#define PK_PROCESS_KERNEL_H

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
	char *path;	/* where it reads */
	bool text_only; /* symbols are to be picked */
	struct symbol_table symbols;
};

/* Keeps the parts in order: the first one added is the kernel itself. */
struct kernel_part *kernel_add_part(struct kernel *k, struct slice name,
				    uint64_t start, uint64_t end);
/* Where the text begins that a file like /proc/kallsyms tells of; 0: hidden,
 * or it cannot be read. */
uint64_t kernel_text_start(const char *path);
/* The build id of the running kernel, as text; "" unknown. */
void kernel_running_build(char id[129]);
/* Begins to read symbols in a thread from a file like /proc/kallsyms. */
void kernel_read_symbols(struct kernel *k, const char *path);
/* Learns where the parts of the running kernel lie, and begins to read its
 * symbols in a thread. */
void kernel_read_running(struct kernel *k);
/* The part that ADDR lies in; the kernel itself where none does. There must
 * be one. */
struct kernel_part *kernel_find(struct kernel *k, uint64_t addr);
/* Before anything is read: kernel_symbols gives no symbols but the text to pick
 * some from (symbol_table_pick_kallsyms). */
static inline void
kernel_pick_symbols(struct kernel *k)
{
	k->text_only = true;
}

/* Waits for the symbols; empty when hidden or nobody began to read them. */
struct symbol_table *kernel_symbols(struct kernel *k);
void kernel_free(struct kernel *k);

#endif
