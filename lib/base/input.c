/* SPDX-License-Identifier: MIT */
#include "base/input_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/pages.h"

void
input_alloc(struct input *in, size_t cap)
{
	in->cap = cap;
	in->data = xmalloc(cap + PAD);
	if (cap > BLOCK || in->part)
		pages_populate(in->data, cap);
}

/* Looks at the first bytes: is it gzip? */
static void
start(struct input *in)
{
	size_t got = 0, n;

	in->started = true;
	input_alloc(in, BLOCK);
	while (got < 3 &&
	       (n = input_read_raw(in, in->data + got, BLOCK - got)) > 0)
		got += n;
	in->end = got;
	if (got < 2 || memcmp(in->data, "\x1f\x8b", 2))
		return;
	input_begin_gzip(in, got);
}

static void
make_room(struct input *in)
{
	if (in->begin) {
		memmove(in->data, in->data + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->begin = 0;
	}
	if (in->cap - in->end < BLOCK / 2) {
		if (in->cap > SIZE_MAX / 4)
			die("out of memory");
		in->cap *= 2;
		in->data = xreallocarray(in->data, in->cap + PAD, 1);
	}
}

static bool
read_more(struct input *in)
{
	size_t n;

	/* The stream's end comes before that of what is decoded. */
	if (in->eof && in->wide_at == in->wide_end)
		return false;
	make_room(in);
	/* No more than a block, even where a peek has left room for more. */
	n = in->cap - in->end < BLOCK ? in->cap - in->end : BLOCK;
	n = input_read_text(in, in->data + in->end, n);
	in->end += n;
	if (!n)
		in->eof = true;
	return n > 0;
}

/* Reads more; false when there is no more. */
bool
input_fill(struct input *in)
{
	bool first = !in->decided;

	if (!in->started)
		start(in);
	if (!first)
		return read_more(in);
	while (in->end - in->begin < 3 && read_more(in))
		;
	input_decide_encoding(in);
	return in->end > in->begin || read_more(in);
}

static struct input *
input_new(const char *name, int fd)
{
	struct input *in = xcalloc(1, sizeof *in);

	in->name = xstrdup(name);
	in->fd = fd;
	return in;
}

/* ---- an interrupt from the keyboard ---- */

static struct sigaction before_pipe;
static bool outlives;

static void
on_interrupt(int sig)
{
	static int passed;

	if (++passed == 2)
		sigaction(sig, &before_pipe, NULL);
}

/* It reaches every program of a pipeline. A recorder then ends its recording,
 * and what reads from it is to make something of that. The first may be
 * the recorded command's affair, and the second end the recording: so two
 * pass a program that reads from a pipe, the third ends it. */
static void
outlive_interrupt(void)
{
	struct sigaction act = { .sa_handler = on_interrupt,
				 .sa_flags = SA_RESTART };
	struct stat st;

	if (outlives || fstat(STDIN_FILENO, &st) || !S_ISFIFO(st.st_mode) ||
	    sigaction(SIGINT, NULL, &before_pipe) ||
	    before_pipe.sa_handler == SIG_IGN)
		return;
	outlives = !sigaction(SIGINT, &act, NULL);
}

/* Room for what writes into the pipe to go on while this program is busy. */
static void
widen_pipe(void)
{
	fcntl(STDIN_FILENO, F_SETPIPE_SZ, PEEK);
}

static void
end_outliving(void)
{
	if (outlives)
		sigaction(SIGINT, &before_pipe, NULL);
	outlives = false;
}

struct input *
input_open_regular(const char *path)
{
	/* Nonblocking: it may be a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return input_new(path, fd);
	close(fd);
	errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
	return NULL;
}

static struct input *
open_standard_input(const char *what)
{
	if (isatty(STDIN_FILENO))
		die("standard input is a terminal; give %s in a file "
		    "or through a pipe",
		    what);
	outlive_interrupt();
	widen_pipe();
	return input_new("standard input", STDIN_FILENO);
}

struct input *
input_open_or(const char *path, const char *what, input_folder_fn *folder)
{
	struct input *in;
	struct stat st;
	int fd;

	if (!strcmp(path, "-"))
		return open_standard_input(what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno("%s", path);
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		in = folder ? folder(path) : NULL;
		if (!in)
			die("%s: is a directory, not %s", path, what);
		return in;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return input_new(path, fd);
}

struct input *
input_open(const char *path, const char *what)
{
	return input_open_or(path, what, NULL);
}

struct input *
input_from_bytes(struct slice bytes, const char *name)
{
	struct input *in = input_new(name, -1);

	in->memory = bytes;
	return in;
}

/* Where a stream broke off in the middle of a line, what there is of that
 * line may look like a whole one and is not. */
static bool
drop_rest(struct input *in)
{
	if (in->broken)
		in->begin = in->end;
	return in->broken;
}

bool
input_line(struct input *in, struct slice *line)
{
	size_t scanned = 0;

	if (!in->started)
		input_fill(in);
	for (;;) {
		char *from = in->data + in->begin + scanned;
		size_t left = in->end - in->begin - scanned;
		char *nl = left ? memchr(from, '\n', left) : NULL;

		if (nl) {
			line->ptr = in->data + in->begin;
			line->len = (size_t)(nl - line->ptr);
			in->begin += line->len + 1;
			in->line_number++;
			in->whole = true;
			return true;
		}
		scanned += left;
		if (!input_fill(in))
			break;
	}
	in->whole = false;
	if (in->begin == in->end || drop_rest(in))
		return false;
	line->ptr = in->data + in->begin;
	line->len = in->end - in->begin;
	in->begin = in->end;
	in->line_number++;
	return true;
}

static bool
take_block(struct input *in, size_t n, struct slice *block)
{
	block->ptr = in->data + in->begin;
	block->len = n;
	in->begin += n;
	return n > 0;
}

bool
input_block(struct input *in, struct slice *block)
{
	size_t scanned = 0;

	if (!in->started)
		input_fill(in);
	for (;;) {
		size_t left = in->end - in->begin;
		const char *from = in->data + in->begin, *nl;

		nl = left > scanned
			     ? memrchr(from + scanned, '\n', left - scanned)
			     : NULL;
		if (nl)
			return take_block(in, (size_t)(nl - from) + 1, block);
		scanned = left;
		if (!input_fill(in))
			return !drop_rest(in) && take_block(in, left, block);
	}
}

size_t
input_read(struct input *in, void *to, size_t n)
{
	size_t have;

	if (in->begin == in->end && in->started && !in->eof && !in->gzip)
		return input_read_raw(in, to, n);
	if (in->begin == in->end && !input_fill(in))
		return 0;
	have = in->end - in->begin;
	if (n > have)
		n = have;
	memcpy(to, in->data + in->begin, n);
	in->begin += n;
	return n;
}

bool
input_take(struct input *in, struct slice *block, struct input_memory *memory)
{
	struct input_memory filled;
	size_t left;

	if (!input_block(in, block))
		return false;
	left = in->end - in->begin;
	if (memory->cap < left + BLOCK) {
		input_memory_free(memory);
		memory->cap = left + BLOCK;
		memory->data = xmalloc(memory->cap + PAD);
	}
	if (left)
		memcpy(memory->data, in->data + in->begin, left);
	filled = (struct input_memory){ in->data, in->cap };
	in->data = memory->data;
	in->cap = memory->cap;
	in->begin = 0;
	in->end = left;
	*memory = filled;
	return true;
}

void
input_memory_free(struct input_memory *memory)
{
	free(memory->data);
	*memory = (struct input_memory){ NULL, 0 };
}

/* Room for all that a peek wants, backed at once, where there is so much. */
static void
widen(struct input *in, size_t cap)
{
	char *narrow = in->data;
	struct stat st;

	if (in->cap >= cap || in->fd < 0 || fstat(in->fd, &st) ||
	    !S_ISREG(st.st_mode) || st.st_size < (off_t)cap)
		return;
	input_alloc(in, cap);
	memcpy(in->data, narrow + in->begin, in->end - in->begin);
	in->end -= in->begin;
	in->begin = 0;
	free(narrow);
}

struct slice
input_peek_some(struct input *in, size_t n)
{
	if (!in->started)
		input_fill(in);
	if (n > in->cap - BLOCK / 2)
		widen(in, n + BLOCK);
	while (in->end - in->begin < n && input_fill(in))
		;
	return (struct slice){ in->data + in->begin, in->end - in->begin };
}

struct slice
input_peek(struct input *in)
{
	return input_peek_some(in, PEEK);
}

struct slice
input_peek_line(struct input *in)
{
	struct slice s = input_peek(in);
	size_t seen = 0;

	while (!memchr(s.ptr + seen, '\n', s.len - seen)) {
		seen = s.len;
		if (!input_fill(in))
			break;
		s = (struct slice){ in->data + in->begin, in->end - in->begin };
	}
	return s;
}

void
input_keep_map(struct input *in)
{
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	in->fd = -1;
	free(in->data);
	in->data = NULL;
	in->begin = in->end = in->cap = 0;
}

const char *
input_name(const struct input *in)
{
	return in->name;
}

uint64_t
input_line_number(const struct input *in)
{
	return in->line_number;
}

bool
input_line_is_whole(const struct input *in)
{
	return in->whole;
}

bool
input_broken(const struct input *in)
{
	return in->broken;
}

void
input_close(struct input *in)
{
	if (in->gzip)
		inflateEnd(&in->z);
	if (in->fd == STDIN_FILENO)
		end_outliving();
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	if (in->map)
		input_unmap(in);
	free(in->packed);
	free(in->wide);
	free(in->data);
	free(in->name);
	free(in);
}
