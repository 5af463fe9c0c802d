/* SPDX-License-Identifier: MIT */
#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/msg.h"
#include "base/pages.h"

/* A block that stays in the second-level cache between read and scan; PAD
 * bytes behind the data may be read. */
enum { BLOCK = 256 * 1024, PEEK = 1024 * 1024, GZ_BLOCK = 64 * 1024, PAD = 64 };

struct input {
	char *name;
	int fd; /* -1: bytes in memory */
	struct slice memory;
	bool part; /* of a file: the bytes to stop, at next */
	off_t from, at, stop;
	char *data; /* [begin, end) is read and not yet consumed */
	size_t begin, end, cap;
	uint64_t line_number;
	bool eof, broken;
	bool whole; /* the last line ended in a newline */
	/* gzip: zlib's state, and whether it is inside a member */
	bool started, gzip, in_member;
	z_stream z;
	unsigned char *packed;
	/* UTF-16: what is read and not yet decoded */
	bool decided; /* the first bytes have told the encoding */
	enum { NARROW, LITTLE, BIG } units;
	unsigned char *wide;
	size_t wide_at, wide_end;
	char *map; /* the whole file, by input_map */
	size_t map_size;
};

static void
break_off(struct input *in, const char *why)
{
	trouble("%s: %s; what came before is used", in->name, why);
	in->broken = true;
	in->eof = true;
}

/* Up to N bytes as stored, 0 at the end. */
static size_t
read_raw(struct input *in, void *to, size_t n)
{
	ssize_t got;

	if (in->fd < 0) {
		if (n > in->memory.len)
			n = in->memory.len;
		if (n)
			memcpy(to, in->memory.ptr, n);
		in->memory.ptr += n;
		in->memory.len -= n;
		return n;
	}
	if (in->part && (off_t)n > in->stop - in->at)
		n = (size_t)(in->stop - in->at);
	do
		got = in->part ? pread(in->fd, to, n, in->at)
			       : read(in->fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		break_off(in, strerror(errno));
		return 0;
	}
	in->at += got;
	return (size_t)got;
}

static void
refill_packed(struct input *in)
{
	if (in->z.avail_in)
		return;
	in->z.next_in = in->packed;
	in->z.avail_in = (unsigned)read_raw(in, in->packed, GZ_BLOCK);
}

/* At the end of a member: another one, the end, or bytes that are neither
 * (gzip(1) ignores zeros there, and so do we). */
static void
next_member(struct input *in)
{
	in->in_member = false;
	for (;;) {
		refill_packed(in);
		if (!in->z.avail_in) {
			in->eof = true;
			return;
		}
		if (*in->z.next_in)
			break;
		in->z.next_in++;
		in->z.avail_in--;
	}
	if (*in->z.next_in != 0x1f) {
		break_off(in, "bytes behind the end of the gzip data");
		return;
	}
	inflateReset(&in->z);
	in->in_member = true;
}

static size_t
read_gzip(struct input *in, char *to, size_t n)
{
	in->z.next_out = (unsigned char *)to;
	in->z.avail_out = (unsigned)(n > 1u << 30 ? 1u << 30 : n);
	n = in->z.avail_out;
	while (!in->eof && in->z.avail_out == n) {
		int rc;

		refill_packed(in);
		if (in->eof)
			break;
		if (!in->z.avail_in) {
			break_off(in, "the gzip data is cut off");
			break;
		}
		rc = inflate(&in->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			next_member(in);
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			break_off(in, "the gzip data is damaged");
	}
	return n - in->z.avail_out;
}

static size_t
read_stored(struct input *in, char *to, size_t n)
{
	return in->gzip ? read_gzip(in, to, n) : read_raw(in, to, n);
}

/* ---- UTF-16 ---- */

static unsigned
unit_at(const struct input *in, size_t at)
{
	const unsigned char *p = in->wide + at;

	return in->units == BIG ? (unsigned)p[0] << 8 | p[1]
				: (unsigned)p[1] << 8 | p[0];
}

/* Takes a character off; false when there is only a part of one. Halves of
 * pairs become U+FFFD. */
static bool
take_character(struct input *in, bool last, unsigned *c)
{
	size_t left = in->wide_end - in->wide_at;
	unsigned low;

	if (left < 2)
		return false;
	*c = unit_at(in, in->wide_at);
	if (*c < 0xd800 || *c > 0xdfff || (left < 4 && last)) {
		in->wide_at += 2;
		if (*c >= 0xd800 && *c <= 0xdfff)
			*c = 0xfffd;
		return true;
	}
	if (left < 4)
		return false;
	low = unit_at(in, in->wide_at + 2);
	if (*c > 0xdbff || low < 0xdc00 || low > 0xdfff) {
		*c = 0xfffd;
		in->wide_at += 2;
		return true;
	}
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	in->wide_at += 4;
	return true;
}

static size_t
put_utf8(char *to, unsigned c)
{
	unsigned char *p = (unsigned char *)to;
	size_t n = 1 + (c >= 0x80) + (c >= 0x800) + (c >= 0x10000), i;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; i-- > 1; c >>= 6)
		p[i] = (unsigned char)(0x80 | (c & 0x3f));
	p[0] = (unsigned char)(lead[n] | c);
	return n;
}

/* Up to N bytes of UTF-8, 0 at the end. */
static size_t
read_wide(struct input *in, char *to, size_t n)
{
	size_t made = 0, got, left;
	bool last = false;
	unsigned c;

	while (!made && !last) {
		left = in->wide_end - in->wide_at;
		memmove(in->wide, in->wide + in->wide_at, left);
		in->wide_at = 0;
		got = left < 4 && !in->eof
			      ? read_stored(in, (char *)in->wide + left,
					    BLOCK - left)
			      : 0;
		last = left < 4 && !got;
		in->wide_end = left + got;
		while (made + 4 <= n && take_character(in, last, &c))
			made += put_utf8(to + made, c);
	}
	if (last && in->wide_at < in->wide_end) {
		break_off(in, "the UTF-16 text is cut off");
		in->wide_at = in->wide_end;
	}
	return made;
}

/* A byte order mark is no text, and tells what is. */
static void
decide_encoding(struct input *in)
{
	const unsigned char *p = (unsigned char *)in->data + in->begin;
	size_t n = in->end - in->begin;

	in->decided = true;
	if (n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		in->begin += 3;
	if (n < 2 || (p[0] ^ p[1]) != 1 || (p[0] & p[1]) != 0xfe)
		return;
	in->units = p[0] == 0xff ? LITTLE : BIG;
	in->wide = xmalloc(BLOCK > n ? BLOCK : n);
	memcpy(in->wide, p + 2, n - 2);
	in->wide_end = n - 2;
	in->begin = in->end = 0;
}

static void
alloc_data(struct input *in, size_t cap)
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
	alloc_data(in, BLOCK);
	while (got < 3 && (n = read_raw(in, in->data + got, BLOCK - got)) > 0)
		got += n;
	in->end = got;
	if (got < 2 || memcmp(in->data, "\x1f\x8b", 2))
		return;
	in->gzip = in->in_member = true;
	in->packed = xmalloc(BLOCK);
	memcpy(in->packed, in->data, got);
	in->z.next_in = in->packed;
	in->z.avail_in = (unsigned)got;
	in->end = 0;
	if (inflateInit2(&in->z, 15 + 16) != Z_OK)
		die("out of memory");
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
	n = in->units ? read_wide(in, in->data + in->end, n)
		      : read_stored(in, in->data + in->end, n);
	in->end += n;
	if (!n)
		in->eof = true;
	return n > 0;
}

/* Reads more; false when there is no more. */
static bool
fill(struct input *in)
{
	bool first = !in->decided;

	if (!in->started)
		start(in);
	if (!first)
		return read_more(in);
	while (in->end - in->begin < 3 && read_more(in))
		;
	decide_encoding(in);
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

/* perf record writes a folder when it is told --threads or --kcore: the file
 * `data` in it is the recording. */
static struct input *
open_recording(const char *folder)
{
	char *path = xasprintf("%s/data", folder), magic[8];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct input *in = NULL;

	if (fd >= 0 && pread(fd, magic, 8, 0) == 8 &&
	    (!memcmp(magic, "PERFILE2", 8) || !memcmp(magic, "2ELIFREP", 8)))
		in = input_new(path, fd);
	else if (fd >= 0)
		close(fd);
	free(path);
	return in;
}

struct input *
input_open(const char *path, const char *what)
{
	struct input *in;
	struct stat st;
	int fd;

	if (!strcmp(path, "-")) {
		if (isatty(STDIN_FILENO))
			die("standard input is a terminal; give %s in a file "
			    "or through a pipe",
			    what);
		outlive_interrupt();
		widen_pipe();
		return input_new("standard input", STDIN_FILENO);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno("%s", path);
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		in = open_recording(path);
		if (!in)
			die("%s: is a directory, not %s", path, what);
		return in;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return input_new(path, fd);
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
		fill(in);
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
		if (!fill(in))
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
		fill(in);
	for (;;) {
		size_t left = in->end - in->begin;
		const char *from = in->data + in->begin, *nl;

		nl = left > scanned
			     ? memrchr(from + scanned, '\n', left - scanned)
			     : NULL;
		if (nl)
			return take_block(in, (size_t)(nl - from) + 1, block);
		scanned = left;
		if (!fill(in))
			return !drop_rest(in) && take_block(in, left, block);
	}
}

size_t
input_read(struct input *in, void *to, size_t n)
{
	size_t have;

	if (in->begin == in->end && in->started && !in->eof && !in->gzip)
		return read_raw(in, to, n);
	if (in->begin == in->end && !fill(in))
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
	alloc_data(part, BLOCK);
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
	*all = (struct slice){ in->map + from, (size_t)(stop - from) };
	return true;
}

bool
input_map(struct input *in, struct slice *all)
{
	if (!in->started)
		fill(in);
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

/* Room for all that a peek wants, backed at once, where there is so much. */
static void
widen(struct input *in, size_t cap)
{
	char *narrow = in->data;
	struct stat st;

	if (in->cap >= cap || in->fd < 0 || fstat(in->fd, &st) ||
	    !S_ISREG(st.st_mode) || st.st_size < (off_t)cap)
		return;
	alloc_data(in, cap);
	memcpy(in->data, narrow + in->begin, in->end - in->begin);
	in->end -= in->begin;
	in->begin = 0;
	free(narrow);
}

struct slice
input_peek_some(struct input *in, size_t n)
{
	if (!in->started)
		fill(in);
	if (n > in->cap - BLOCK / 2)
		widen(in, n + BLOCK);
	while (in->end - in->begin < n && fill(in))
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
		if (!fill(in))
			break;
		s = (struct slice){ in->data + in->begin, in->end - in->begin };
	}
	return s;
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
		munmap(in->map, in->map_size);
	free(in->packed);
	free(in->wide);
	free(in->data);
	free(in->name);
	free(in);
}
