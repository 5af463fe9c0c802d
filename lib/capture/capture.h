/* SPDX-License-Identifier: MIT */
/*
 * A capture in memory, and its reader. The stream's grammar is pk-capture(5).
 *
 * Several captures, concatenated in one file or from several files, merge
 * into one model: equal modules (by build id, or by path within one capture)
 * are one module, equal stacks one node. Samples are not kept: they pass by
 * the handler, so that memory follows the number of distinct stacks.
 */
#ifndef PK_CAPTURE_CAPTURE_H
#define PK_CAPTURE_CAPTURE_H

#include <stdint.h>
#include "base/arena.h"
#include "base/input.h"
#include "base/intern.h"
#include "base/map.h"
#include "capture/nodes.h"

/* How a module's addresses are counted. */
enum capture_base {
	CAPTURE_VADDR = 'v',	/* ELF virtual addresses */
	CAPTURE_OFFSET = 'o',	/* file offsets */
	CAPTURE_KERNEL = 'k',	/* from the start of the kernel's or a kernel
				 * module's text */
	CAPTURE_ABSOLUTE = 'a', /* addresses of the process: JIT code */
};

struct capture_module {
	struct slice path;
	struct slice build_id; /* hex, or size:mtime; empty: unknown */
	char base;	       /* enum capture_base */
	/* Symbols that came with the capture, in file order. */
	struct capture_symbol *symbols;
	size_t n_symbols, cap_symbols;
};

struct capture_symbol {
	uint64_t addr, size;
	uint64_t line; /* in the order of the file */
	struct slice name;
};

/* Modules by which a stack says that it is cut: its outermost node lies in
 * one of them, at address 0. */
#define CAPTURE_TRUNCATED "[truncated]"
#define CAPTURE_UNREADABLE "[unreadable]"
#define CAPTURE_NO_CFI "[no-cfi]"

struct capture_event {
	struct slice name, unit;
	uint64_t period; /* 0: it varied */
	/* What a sample stands for was measured, as the period of a perf event
	 * is: weights are what people want to see, not samples. */
	bool weighed;
};

struct capture_count {
	struct slice what;
	uint64_t count;
};

struct capture_sample {
	uint64_t time, pid, tid, cpu, weight;
	uint32_t event;	   /* index in capture.events */
	uint32_t node;	   /* number in capture.nodes, 0: no stack */
	struct slice name; /* of the thread; empty: unknown */
	uint32_t name_id;  /* that name in capture.names */
};

struct capture {
	struct arena arena;
	struct intern names;	  /* of threads and processes */
	struct intern module_ids; /* what makes modules equal */
	uint32_t *module_of_id;
	size_t cap_module_of_id;
	struct capture_module *modules;
	size_t n_modules, cap_modules;
	struct nodes nodes;	      /* their modules are indices in modules */
	struct capture_event *events; /* equal name and unit: one */
	size_t n_events, cap_events;
	struct capture_count *lacks; /* what is missing, summed up by kind */
	size_t n_lacks, cap_lacks;
	struct capture_meta {
		struct slice key, value;
	} * meta; /* the "@" records of all captures */
	size_t n_meta, cap_meta;
	uint64_t n_captures, n_samples, n_symbols;
	uint64_t n_unknown;   /* records of unknown types, skipped */
	uint64_t n_cut_short; /* captures without `end` */
};

typedef void capture_sample_fn(void *ctx, const struct capture_sample *s);

/* Whether BYTES, the start of some input, begin a capture. */
bool capture_guess(struct slice bytes);

/*
 * Reads all captures in IN and hands each sample to FN in file order. A line
 * that breaks the grammar is trouble(), said with file:line, and the end:
 * false is returned, and C is good for nothing but capture_free. A capture
 * without its `end` is trouble(), too, but what is there is used.
 */
bool capture_read(struct capture *c, struct input *in, capture_sample_fn *fn,
		  void *ctx);

/* Says once how many records of unknown types were skipped. */
void capture_report_skipped(const struct capture *c);

/* The symbol recorded for ADDR of a module, or NULL; where several cover it,
 * the last recorded one. Call capture_sort_symbols once before. */
void capture_sort_symbols(struct capture *c);
const struct capture_symbol *capture_find_symbol(const struct capture_module *m,
						 uint64_t addr);

/* The second never merges: addresses of processes are nobody else's. */
uint32_t capture_new_module(struct capture *c, struct slice build_id, char base,
			    struct slice path);
uint32_t capture_add_module(struct capture *c, struct slice build_id, char base,
			    struct slice path);

/* Equal name and unit: one event, whose index is returned; UINT32_MAX for more
 * kinds than any recording has. */
uint32_t capture_add_event(struct capture *c, struct slice unit,
			   uint64_t period, struct slice name);
void capture_add_meta(struct capture *c, struct slice key, struct slice value);
void capture_add_symbol(struct capture *c, uint32_t module, uint64_t addr,
			uint64_t size, struct slice name);
/* Adds to what is missing of one kind; false for more kinds than there are. */
bool capture_add_lack(struct capture *c, struct slice what, uint64_t count);

/* The value of metadata KEY of the first capture that has it; else empty. */
struct slice capture_meta(const struct capture *c, const char *key);

void capture_free(struct capture *c);

#endif
