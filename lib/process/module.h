/* SPDX-License-Identifier: MIT */
/*
 * Modules of the sampled programs: what is mapped executable. How a module's
 * file is found is the affair of who keeps the processes: a recorder looks
 * through the process, a reader of recordings by path and build id. Only what
 * unwinding needs is read, into memory, so that nobody who truncates the file
 * can hurt us.
 */
#ifndef PK_PROCESS_MODULE_H
#define PK_PROCESS_MODULE_H

#include <sys/stat.h>
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
	struct slice build_id; /* hexadecimal; empty: not told */
	struct slice path;
};

struct module {
	enum module_kind kind;
	struct module_key key;
	struct modules *in;
	pid_t pid;    /* JIT: whose code */
	bool deleted; /* the path led nowhere any more, or to another file */
	bool loaded;
	bool readable; /* the file was found: addresses are its own */
	struct unwind_elf elf;
	struct unwind_cfi cfi, debug_frame;
	bool has_cfi;
	char build_id[2 * UNWIND_MAX_BUILD_ID + 48]; /* text; "" unknown */
	uint32_t capture_id;			     /* 0: not written yet */
	void *memory[5]; /* what the CFI lies in: three sections, two indexes */
	unsigned n_memory;

	/* The recorder's, see record/modfile.h. The file, or the JIT's
	 * perf-PID.map: kept open, since it may be deleted or replaced before
	 * its symbols are read. -1: it is not. */
	int fd;
	bool idle, leaving, released;
	/* JIT: the pid in its own namespace, whether its symbols are written,
	 * and when its map was last looked for: CLOCK_MONOTONIC, ns. */
	pid_t namespace_pid;
	uid_t uid;
	bool named;
	uint64_t map_looked_for;
};

/* A process that has it mapped, and where. */
struct module_place {
	pid_t pid;
	uint64_t start, end, offset;
};

struct modules {
	struct arena arena;
	struct intern keys;
	struct module **list;
	size_t cap;
	unsigned n_kept; /* open descriptors */
	bool no_cfi;	 /* nobody unwinds: rules are not read */
	/* Called at each hit in a module that the unwinder's cache does not
	 * know: finds the file and reads it, the first time. */
	void (*load)(void *ctx, struct module *m,
		     const struct module_place *at);
	void *load_ctx;
};

/* The module's index; it is made when new. */
uint32_t module_find_file(struct modules *t, const struct module_key *key);
/* Of one image of a process: an exec makes another. */
uint32_t module_find_jit(struct modules *t, pid_t pid, uint32_t image);
uint32_t module_find_vdso(struct modules *t);

/* Reads segments, build id and CFI of the ELF file that READ gives. ST: what
 * names a file without a build id, or NULL. False: it is none. */
bool module_read(struct module *m, unwind_read_fn *read, void *ctx,
		 const struct stat *st);
/* The same from memory. */
bool module_read_image(struct module *m, struct slice image);
/* Whether the ELF image has this build id, which is text. */
bool module_image_is(struct slice image, const char *build_id);
/* Whether a separate debug file should be asked for the rules of an eighth of
 * the code. */
bool module_lacks_rules(const struct module *m);
/* BYTES: what debug_frame_read gave for m->debug_frame.frame, or NULL. */
void module_add_debug_frame(struct module *m, void *bytes);
/* Fills build_id from what elf holds, else from ST unless NULL. */
void module_name_build(struct module *m, const struct stat *st);

/* The image of the vdso, which is the same in all 64-bit processes. */
struct slice module_vdso_image(void);

void modules_free(struct modules *t);

#endif
