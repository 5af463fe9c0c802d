/* SPDX-License-Identifier: MIT */
/* Files cut into parts for several threads, and files as one piece. */
#include "base/input_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"

/* Where the first line at or behind FROM begins; STOP when there is none. */
static off_t
next_line(int fd, off_t from, off_t stop)
{
	char text[4096];

	while (from < stop) {
		ssize_t n = pread(fd, text, sizeof text, from);
		const char *nl = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;

		if (n <= 0)
			break;
		if (nl)
			return from + (nl - text) + 1;
		from += n;
	}
	return stop;
}

/* Where a blank line that begins behind FROM ends; STOP when there is none
 * near. */
static off_t
next_paragraph(int fd, off_t from, off_t stop)
{
	off_t most = stop - from < PEEK ? stop : from + PEEK;
	bool at_start = false;
	char text[4096];

	while (from < most) {
		ssize_t n = pread(fd, text, sizeof text, from), i;

		if (n <= 0)
			break;
		for (i = 0; i < n; i++) {
			if (text[i] == '\n' && at_start)
				return from + i + 1;
			at_start = text[i] == '\n' ||
				   (at_start && text[i] == '\r');
		}
		from += n;
	}
	return stop;
}

static struct input *
new_part(const struct input *in, off_t at, off_t stop)
{
	struct input *part = xcalloc(1, sizeof *part);

	part->name = xstrdup(in->name);
	part->fd = in->fd;
	part->part = true;
	part->from = part->at = at;
	part->stop = stop;
	/* The whole may begin with bytes that look like gzip in a part. */
	part->started = part->decided = true;
	input_alloc(part, BLOCK);
	return part;
}

/* Where what is left of a plain file begins and ends; false if IN is none. */
static bool
bounds_left(const struct input *in, off_t *from, off_t *stop)
{
	struct stat st;

	*from = in->at;
	*stop = in->stop;
	if (in->fd < 0 || !in->started || in->gzip || in->units || in->broken)
		return false;
	if (!in->part) {
		if (fstat(in->fd, &st) || !S_ISREG(st.st_mode))
			return false;
		*from = lseek(in->fd, 0, SEEK_CUR);
		*stop = st.st_size;
	}
	*from -= (off_t)(in->end - in->begin);
	return *from >= 0 && *from < *stop;
}

/* All bytes in memory from the first that was not consumed on. */
static bool
map_memory(struct input *in, struct slice *all)
{
	size_t held = in->end - in->begin;

	if (in->gzip || in->broken)
		return false;
	all->ptr = in->memory.ptr - held;
	all->len = in->memory.len + held;
	in->memory = (struct slice){ all->ptr + all->len, 0 };
	return true;
}

/* ---- a map's file that is cut off meanwhile ---- */

static struct input *mapped;

/* The signal comes of a look at the map, where nothing is held that saying so
 * and cleaning up would need. */
static void
on_bus_error(int sig, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;
	const struct input *in;

	(void)context;
	for (in = mapped; in; in = in->next_mapped)
		if (at >= in->map && at < in->map + in->map_size)
			die("%s: was cut off while it was read", in->name);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
guard(struct input *in)
{
	struct sigaction act = { .sa_sigaction = on_bus_error,
				 .sa_flags = SA_SIGINFO | SA_NODEFER };
	static bool guarded;

	in->next_mapped = mapped;
	mapped = in;
	if (!guarded)
		sigaction(SIGBUS, &act, NULL);
	guarded = true;
}

void
input_unmap(struct input *in)
{
	struct input **at = &mapped;

	while (*at != in)
		at = &(*at)->next_mapped;
	*at = in->next_mapped;
	munmap(in->map, in->map_size);
	in->map = NULL;
}

static bool
map_file(struct input *in, struct slice *all)
{
	off_t from, stop;
	void *map;

	if (in->part || !bounds_left(in, &from, &stop) ||
	    (uintmax_t)stop > SIZE_MAX)
		return false;
	map = mmap(NULL, (size_t)stop, PROT_READ, MAP_PRIVATE, in->fd, 0);
	if (map == MAP_FAILED)
		return false;
	in->map = map;
	in->map_size = (size_t)stop;
	guard(in);
	*all = (struct slice){ in->map + from, (size_t)(stop - from) };
	return true;
}

bool
input_map(struct input *in, struct slice *all)
{
	if (!in->started)
		input_fill(in);
	if (!(in->fd < 0 ? map_memory(in, all) : map_file(in, all)))
		return false;
	in->begin = in->end;
	in->eof = true;
	return true;
}

size_t
input_map_copy(const struct input *in, const char *from, void *to, size_t n)
{
	ssize_t got;

	if (!in->map) {
		memcpy(to, from, n);
		return n;
	}
	do
		got = pread(in->fd, to, n, from - in->map);
	while (got < 0 && errno == EINTR);
	return got < 0 ? 0 : (size_t)got;
}

uint64_t
input_left(const struct input *in)
{
	off_t from, stop;

	return bounds_left(in, &from, &stop) ? (uint64_t)(stop - from) : 0;
}

static int
split(const struct input *in, int n, struct input *parts[],
      off_t (*next)(int fd, off_t from, off_t stop))
{
	off_t begin, end, from, stop;
	int i, made = 0;

	if (!bounds_left(in, &begin, &end) || in->part)
		return 0;
	if ((end - begin) / INPUT_LEAST_PART < n)
		n = (int)((end - begin) / INPUT_LEAST_PART);
	if (n < 2)
		return 0;
	for (i = 0, from = begin; i < n; i++) {
		stop = end;
		if (i + 1 < n)
			stop = next(in->fd, begin + (end - begin) / n * (i + 1),
				    end);
		if (stop <= from)
			continue;
		parts[made++] = new_part(in, from, stop);
		from = stop;
	}
	return made;
}

int
input_split(const struct input *in, int n, struct input *parts[])
{
	return split(in, n, parts, next_line);
}

int
input_split_paragraphs(const struct input *in, int n, struct input *parts[])
{
	return split(in, n, parts, next_paragraph);
}

struct input *
input_again(const struct input *part)
{
	return new_part(part, part->from, part->stop);
}

void
input_join(struct input *in, struct input *part)
{
	in->broken = in->broken || part->broken;
	in->eof = true;
	in->begin = in->end;
	input_drop(part);
}

void
input_drop(struct input *part)
{
	part->fd = -1; /* its owner's */
	input_close(part);
}
