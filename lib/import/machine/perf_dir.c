/* SPDX-License-Identifier: MIT */
/* perf record --threads writes a folder: `data` has the header, and each
 * processor's records are in a file data.N of their own, without one. */
#include "import/machine/perf_internal.h"

#include <dirent.h>
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"

/* The numbers N there are, in order. */
static int
is_part(const struct dirent *e)
{
	struct slice name = slice_str(e->d_name);
	uint64_t n;

	if (!slice_starts(name, "data."))
		return 0;
	name.ptr += 5;
	name.len -= 5;
	return parse_u64(name, &n);
}

static int
by_number(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static void
read_part(struct perf_file *f, const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct input *in = input_open(path, "a part of a recording");
	struct slice all;

	input_peek(in);
	if (input_map(in, &all)) {
		GROW(f->parts, f->cap_parts, f->n_parts + 1);
		f->parts[f->n_parts++] = in;
		perf_read_mapped(f, all);
	} else {
		/* empty: this processor had nothing to record */
		input_close(in);
	}
	free(path);
}

void
perf_read_directory(struct perf_file *f)
{
	const char *slash = strrchr(f->name, '/');
	char *folder = slash ? xmemdup0(f->name, (size_t)(slash - f->name))
			     : xstrdup(".");
	struct dirent **parts = NULL;
	int n = 0, i;

	/* nobody knows where standard input came from */
	if (strcmp(f->name, "standard input"))
		n = scandir(*folder ? folder : "/", &parts, is_part, by_number);
	if (n <= 0)
		trouble("%s: the files data.0, data.1... that belong to it "
			"are not beside it; name the folder they are in",
			f->name);
	for (i = 0; i < n; i++) {
		read_part(f, folder, parts[i]->d_name);
		free(parts[i]);
	}
	free(parts);
	free(folder);
}

void
perf_close_directory(struct perf_file *f)
{
	size_t i;

	for (i = 0; i < f->n_parts; i++)
		input_close(f->parts[i]);
	free(f->parts);
}
