/* SPDX-License-Identifier: MIT */
/* A perf.data on its way into a capture; shared by perf_*.c of this task:
 * perf_data.c, perf_module.c, perf_kernel.c, perf_part.c, perf_name.c and
 * perf_stack.c. */
#ifndef PK_IMPORT_MACHINE_PERF_DATA_H
#define PK_IMPORT_MACHINE_PERF_DATA_H

#include "capture/capture.h"
#include "import/machine/perf.h"
#include "process/kernel.h"
#include "process/walk.h"
#include "symbol/symbol.h"

/* Modules of the capture that are no files. */
enum perf_special { TRUNCATED, UNREADABLE, NO_CFI, UNKNOWN, N_SPECIALS };

/* The callers of a stack that was met before, and the node they led to. */
struct perf_chain {
	uint64_t *words;
	uint64_t hash;
	uint32_t n, cap;
	uint32_t space, parent, node;
};

/* The recorded kernel itself, a module of it, or code made at run time. */
struct perf_part {
	uint64_t start, end;
	struct slice name;     /* "[kernel]", "[ext4]" */
	struct slice build_id; /* text; empty: unknown */
	struct slice symbol;   /* of code made at run time, else empty */
	uint32_t capture_id;
	uint32_t low, high; /* subtrees, by number; 0: none */
	uint64_t weight;
};

/* All there ever were; what is found is what was there last. */
struct perf_parts {
	struct perf_part *list; /* [0] the kernel itself, around the others */
	size_t n, cap;
	uint32_t root;
};

/* The recording's list of build ids, by path. */
struct perf_listed {
	struct intern paths;
	struct perf_listed_path {
		uint32_t first, last, n; /* their places in the list */
	} * of;				 /* by id in paths */
	uint32_t *next;			 /* of the same path, by place */
	size_t n, cap_of, cap_next;
};

struct perf_reader {
	struct capture *c;
	const struct symbol_options *opt;
	const char *name; /* of the input, for messages */
	capture_sample_fn *fn;
	void *ctx;
	struct perf_file *file;
	const struct perf_header *header;
	struct perf_listed listed; /* of header->build_ids */

	struct processes procs;
	struct process_walker walker;
	uint64_t start;	    /* of the recording; UINT64_MAX: no time seen yet */
	bool described;	    /* the metadata is there */
	uint32_t *event_of; /* the capture's, by the recording's event */
	size_t n_events, cap_events;
	/* 1 + the capture's index; 0: not there yet. So are the capture_id of
	 * modules and of parts of the kernel. */
	uint32_t specials[N_SPECIALS];
	struct perf_chain *chains;
	uint32_t *name_of; /* 1 + the capture's, by id in procs.names */
	size_t cap_name_of;
	uint64_t lost, lost_samples, throttled;

	struct perf_parts kernel; /* as recorded */
	uint32_t kernel_space;	  /* another one with each part; 0: none yet */
	/* Where its symbols come from; see perf_kernel.c. */
	enum perf_symbols {
		SYMBOLS_UNDECIDED,
		SYMBOLS_NONE,
		SYMBOLS_RUNNING, /* the kernel that runs here */
		SYMBOLS_COPY,	 /* perf's copy of kallsyms */
		SYMBOLS_FILE,	 /* a vmlinux */
	} symbols_from;
	struct kernel symbols; /* and where its parts lie there */
};

/* perf_module.c: modules.load; CTX is the reader. */
void perf_load_module(void *ctx, struct module *m,
		      const struct module_place *at);
/* The build id in the recording's list for PATH, the I-th of those; empty
 * when there are no more. Of one path 16 count. */
struct slice perf_listed_build_id(struct perf_reader *r, struct slice path,
				  size_t i);
void perf_free_listed(struct perf_reader *r);
/* BYTES as hexadecimal text. */
void perf_hex_id(struct slice bytes, char text[2 * UNWIND_MAX_BUILD_ID + 1]);

/* perf_kernel.c: where the kernel's parts lie, and which symbols are theirs. */
void perf_map_kernel(struct perf_reader *r, const struct perf_mmap *m);
void perf_add_kernel_code(struct perf_reader *r, const struct perf_ksymbol *k);
/* Whether the kernel that runs here is the one recorded. */
bool perf_is_running_kernel(struct perf_reader *r);
/* Called at each frame of the kernel: the first time finds its symbols, and
 * begins to read them. */
void perf_find_kernel_symbols(struct perf_reader *r);
/* The capture's module for a part of it. */
uint32_t perf_kernel_module(struct perf_reader *r, const struct perf_part *k);
/* Those of the kernel frames in the capture become symbols there. */
void perf_name_kernel(struct perf_reader *r);

/* perf_part.c. Adds one, nameless: what it overlaps is not found any more. The
 * first one is the kernel itself. The result is good until the next. */
struct perf_part *perf_add_part(struct perf_parts *t, uint64_t start,
				uint64_t end);
/* The part that ADDR lies in; the kernel itself where none does. There must
 * be one. */
struct perf_part *perf_find_part(const struct perf_parts *t, uint64_t addr);

/* perf_name.c: symbols of what has no file: the vdso, and code made at run
 * time. */
void perf_name_others(struct perf_reader *r);
/* Adds TABLE's symbols at the addresses that the capture has of MODULE; BIAS is
 * what an address in the table is more than one in the module. ONLY: the
 * table's module of which symbols count, UINT32_MAX: all. */
void perf_add_symbols(struct capture *c, uint32_t module,
		      const struct symbol_table *table, uint64_t bias,
		      uint32_t only);

/* perf_stack.c: the number of the sample's innermost node. */
uint32_t perf_add_stack(struct perf_reader *r, const struct process *p,
			const struct perf_sample *s);
void perf_free_chains(struct perf_reader *r);

#endif
