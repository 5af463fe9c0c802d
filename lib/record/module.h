/* SPDX-License-Identifier: MIT */
/*
 * Modules of the sampled programs: what is mapped executable. A module's file
 * is opened when the first sample hits it, and only what unwinding needs is
 * read into memory, so that nobody who truncates the file can hurt us. It
 * stays open as long as somebody has it mapped and there are descriptors to
 * spare.
 */
#ifndef PK_RECORD_MODULE_H
#define PK_RECORD_MODULE_H

#include <sys/types.h>
#include "base/arena.h"
#include "base/intern.h"
#include "unwind/unwind.h"

enum module_kind {
	MODULE_FILE,
	MODULE_VDSO,
	MODULE_JIT, /* anonymous memory: code made at run time */
};

/* What names a mapped file, as the kernel tells it. */
struct module_key {
	uint32_t major, minor;
	uint64_t inode, generation;
	struct slice path;
};

struct module {
	enum module_kind kind;
	struct module_key key;
	/* JIT: whose code, under which pid in its own namespace, and whether
	 * its symbols are written. */
	pid_t pid, namespace_pid;
	uid_t uid;
	bool named;
	uint64_t map_looked_for; /* JIT: when last, CLOCK_MONOTONIC, ns */
	/* The file, or the JIT's perf-PID.map: kept open, since it may be
	 * deleted or replaced before its symbols are read. -1: it is not. */
	int fd;
	/* See release.c: nobody has it mapped; its file is about to be closed;
	 * it was, and no sample has hit it since. */
	bool idle, leaving, released;
	struct modules *in;
	bool loaded;
	bool readable; /* the file was found: addresses are its own */
	struct unwind_elf elf;
	struct unwind_cfi cfi, debug_frame;
	bool has_cfi;
	char build_id[2 * UNWIND_MAX_BUILD_ID + 48]; /* text; "" unknown */
	uint32_t capture_id;			     /* 0: not written yet */
	void *memory[5]; /* what the CFI lies in: three sections, two indexes */
	unsigned n_memory;
};

struct modules {
	struct arena arena;
	struct intern keys;
	struct module **list;
	size_t cap;
	unsigned n_kept; /* open descriptors */
};

/* The module's index; it is made when new. */
uint32_t module_find_file(struct modules *t, const struct module_key *key);
/* Of one image of a process: an exec makes another. */
uint32_t module_find_jit(struct modules *t, pid_t pid, uint32_t image);
uint32_t module_find_vdso(struct modules *t);

/* A process that has it mapped, and where. */
struct module_place {
	pid_t pid;
	uint64_t start, end;
};

/* Finds and reads the file, once; opens it again when it was released. */
void module_load(struct module *m, const struct module_place *at);

/* The file, when it still is the one that was loaded; to be closed by the
 * caller; or -1. */
int module_open_file(const struct module *m);
/* Whether M's path no longer leads, for us, to the file that was loaded. */
bool module_is_replaced(const struct module *m);
/* The separate debug file with M's build id; to be closed by the caller; or
 * -1. */
int module_open_debug(const struct module *m);

/* A JIT's perf-PID.map, in the root directory of its process or in ours; to be
 * closed by the caller; or -1 and *WHY, NULL when it is just not there. */
int module_open_map(const struct module *m, bool in_its_root, const char **why);
void module_close(struct module *m);
/* Until the next hit. */
void module_release(struct module *m);

/* The image of the vdso, which is the same in all 64-bit processes. */
struct slice module_vdso_image(void);

void modules_free(struct modules *t);

#endif
