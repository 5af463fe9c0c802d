/* SPDX-License-Identifier: MIT */
/*
 * Names for the nodes of a capture. Each distinct address is looked up once,
 * in ascending order within its module: in the module's file, then, where
 * that gives no name, among the symbols that came with the capture. The
 * kernel's and JIT compilers' modules have no file.
 */
#ifndef PK_SYMBOL_RESOLVE_H
#define PK_SYMBOL_RESOLVE_H

#include "capture/capture.h"
#include "symbol/symbol.h"

/* An address of a module, and what is there. */
struct location {
	uint64_t addr;
	uint32_t module;   /* index in capture.modules */
	uint32_t first, n; /* its frames in resolution.frames, innermost
			    * first; at least one */
};

struct resolution {
	struct symbolizer *symbolizer;
	/* By module index; NULL where the file was not needed. */
	struct symbol_module **modules;
	struct location *locations; /* by module, ascending by address */
	size_t n_locations;
	uint32_t *of_node; /* node's index to location's; [0] is unused */
	struct symbol_frame *frames;
	size_t n_frames, cap_frames;
};

/*
 * Resolves all nodes of C whose entry in WANTED (one byte a node) is not 0.
 * Calls capture_sort_symbols. Slices in the result live as long as both.
 */
void resolution_make(struct resolution *r, struct capture *c,
		     const uint8_t *wanted, const struct symbol_options *opt);
void resolution_free(struct resolution *r);

#endif
