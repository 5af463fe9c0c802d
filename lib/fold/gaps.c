/* SPDX-License-Identifier: MIT */
/* Modules whose debug information is incomplete, so that inlined calls and
 * lines are missing although the functions have names. */
#include "fold/internal.h"

#include <stdlib.h>
#include "base/msg.h"
#include "base/xalloc.h"

enum { LINES_MAX = 5 };

/* Samples with MODULE in their stack. A node comes after its parent. */
static uint64_t
count_samples(const struct folder *f, uint32_t module)
{
	const struct nodes *nodes = &f->capture.nodes;
	uint8_t *has = xcalloc(nodes->n, 1);
	uint64_t n = 0;
	size_t i;

	for (i = 1; i < nodes->n; i++)
		has[i] = has[nodes->list[i].parent] ||
			 nodes->list[i].module == module;
	for (i = 0; i < f->n_counts; i++)
		if (has[f->counts[i].node])
			n += f->counts[i].samples;
	free(has);
	return n;
}

void
report_gaps(const struct folder *f)
{
	unsigned lines = 0;
	uint32_t i;

	for (i = 0; i < f->capture.n_modules; i++) {
		struct symbol_module *m = f->names.modules[i];
		const char *gap = m ? symbol_module_gap(m) : NULL;
		struct slice path = f->capture.modules[i].path;

		if (!gap)
			continue;
		if (++lines > LINES_MAX) {
			note("other modules lack parts of their debug "
			     "information, too");
			return;
		}
		note("%llu samples pass through %.*s, where inlined calls and "
		     "lines are missing: %s",
		     (unsigned long long)count_samples(f, i), (int)path.len,
		     path.ptr, gap);
	}
}
