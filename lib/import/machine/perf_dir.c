/* SPDX-License-Identifier: MIT */
/* perf record --threads writes a folder: `data` has the header, and each
 * processor's records are in a file data.N of their own, without one. */
#include "import/machine/perf_internal.h"

#include <dirent.h>
#include <errno.h>
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"

struct input *
perf_open_folder(const char *path)
{
	char *data = xasprintf("%s/data", path);
	struct input *in = input_open_regular(data);

	if (in && !perf_is_recording(input_peek_some(in, 8))) {
		input_close(in);
		in = NULL;
	}
	free(data);
	return in;
}

/* N of the name data.N, as perf writes numbers. */
static bool
part_number(const char *name, uint64_t *n)
{
	struct slice s = slice_str(name);

	if (!slice_starts(s, "data."))
		return false;
	s.ptr += 5;
	s.len -= 5;
	return parse_u64(s, n) && (s.len == 1 || s.ptr[0] != '0');
}

static int
is_part(const struct dirent *e)
{
	uint64_t n;

	return part_number(e->d_name, &n);
}

static int
by_number(const struct dirent **a, const struct dirent **b)
{
	uint64_t n = 0, m = 0;

	part_number((*a)->d_name, &n);
	part_number((*b)->d_name, &m);
	return n < m ? -1 : n > m;
}

static void
say_gap(const struct perf_file *f, const char *name, uint64_t gap)
{
	if (gap)
		trouble("%s: %ju of the recording's files before %s %s missing",
			f->name, (uintmax_t)gap, name, gap == 1 ? "is" : "are");
}

/* Empty: this processor had nothing to record. */
static void
read_opened(struct perf_file *f, struct input *in)
{
	bool empty = !input_peek_some(in, 1).len;
	struct slice all;

	if (!input_map(in, &all)) {
		if (!empty)
			trouble("%s: cannot be read in a folder as it is: "
				"unpack it first; its records are left out",
				input_name(in));
		input_close(in);
		return;
	}
	input_keep_map(in);
	GROW(f->parts, f->cap_parts, f->n_parts + 1);
	f->parts[f->n_parts++] = in;
	perf_read_mapped(f, all);
}

static void
read_part(struct perf_file *f, const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct input *in = input_open_regular(path);

	if (in)
		read_opened(f, in);
	else if (errno == EISDIR || errno == ENOTSUP)
		trouble("%s: is no regular file; what belongs there is left "
			"out",
			path);
	else
		trouble_errno("%s: its records are left out", path);
	free(path);
}

/* In the order of their numbers, which begin with 0. */
static void
read_parts(struct perf_file *f, const char *folder, struct dirent **parts,
	   size_t n)
{
	uint64_t number = 0, next = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		part_number(parts[i]->d_name, &number);
		say_gap(f, parts[i]->d_name, number - next);
		next = number + 1;
		if (f->stopped) {
			trouble("%s: the recording's files from %s on are left "
				"out",
				f->name, parts[i]->d_name);
			break;
		}
		read_part(f, folder, parts[i]->d_name);
	}
}

void
perf_read_directory(struct perf_file *f)
{
	const char *slash = strrchr(f->name, '/');
	char *folder = slash ? xmemdup0(f->name, (size_t)(slash - f->name))
			     : xstrdup(".");
	struct dirent **parts = NULL;
	int n = 0;

	/* nobody knows where standard input came from */
	if (strcmp(f->name, "standard input"))
		n = scandir(*folder ? folder : "/", &parts, is_part, by_number);
	if (n <= 0)
		trouble("%s: the files data.0, data.1... that belong to it "
			"are not beside it; name the folder they are in",
			f->name);
	else
		read_parts(f, folder, parts, (size_t)n);
	while (n > 0)
		free(parts[--n]);
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
