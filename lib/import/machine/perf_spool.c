/* SPDX-License-Identifier: MIT */
/* Room for what has to be kept and may be larger than memory: up to a limit
 * it is memory, then a file without a name. */
#include "import/machine/perf_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/pages.h"
#include "base/xalloc.h"

enum { IN_MEMORY = 64 << 20, PIECE = 256 << 10 };

struct perf_spool {
	struct piece {
		struct piece *next;
		void *at;
		bool mapped;
	} * pieces;
	struct perf_chunk *unused;
	size_t in_memory;
	int fd; /* -1: not needed yet */
	off_t size;
	/* what perf_spool_input has read: in memory, or mapped */
	struct buf bytes;
	void *all;
};

static struct perf_spool *
spool(struct perf_file *f)
{
	if (!f->spool) {
		f->spool = xcalloc(1, sizeof *f->spool);
		f->spool->fd = -1;
	}
	return f->spool;
}

static const char *
folder(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

static bool
open_file(struct perf_spool *s)
{
	char *path;

	if (s->fd >= 0)
		return true;
	s->fd = open(folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return true;
	/* not every file system has files without a name */
	path = xasprintf("%s/pk-XXXXXX", folder());
	s->fd = mkostemp(path, O_CLOEXEC);
	if (s->fd >= 0)
		unlink(path);
	free(path);
	return s->fd >= 0;
}

static bool
no_room(const struct perf_file *f)
{
	trouble_errno("%s: it does not fit into %s, where it has to be kept "
		      "meanwhile (TMPDIR chooses another folder)",
		      f->name, folder());
	return false;
}

/* Its blocks are there before they are written to: a full disk is an error
 * here, and no signal later. */
static void *
map_chunk(struct perf_spool *s)
{
	void *at;

	if (!open_file(s))
		return NULL;
	errno = posix_fallocate(s->fd, s->size, PERF_CHUNK);
	if (errno)
		return NULL;
	at = mmap(NULL, PERF_CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
		  s->size);
	if (at == MAP_FAILED)
		return NULL;
	s->size += PERF_CHUNK;
	return at;
}

bool
perf_spool_is_full(const struct perf_file *f)
{
	return f->spool && !f->spool->unused &&
	       f->spool->in_memory >= IN_MEMORY;
}

struct perf_chunk *
perf_spool_take(struct perf_file *f)
{
	struct perf_spool *s = spool(f);
	struct perf_chunk *c = s->unused;
	struct piece *p;

	if (c) {
		s->unused = c->next;
		return c;
	}
	p = xcalloc(1, sizeof *p);
	p->mapped = s->in_memory >= IN_MEMORY;
	p->at = p->mapped ? map_chunk(s) : xmalloc(PERF_CHUNK);
	if (!p->at) {
		free(p);
		no_room(f);
		return NULL;
	}
	if (!p->mapped) {
		s->in_memory += PERF_CHUNK;
		pages_populate(p->at, PERF_CHUNK);
	}
	p->next = s->pieces;
	s->pieces = p;
	return p->at;
}

void
perf_spool_give(struct perf_file *f, struct perf_chunk *chunk)
{
	chunk->next = f->spool->unused;
	f->spool->unused = chunk;
}

static bool
write_all(struct perf_spool *s, const char *p, size_t n)
{
	while (n) {
		ssize_t put = write(s->fd, p, n);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			p += put;
			n -= (size_t)put;
			s->size += put;
		}
	}
	return true;
}

/* The rest of the input, and what has been read of it, in the file. */
static bool
write_input(struct perf_file *f, struct perf_spool *s)
{
	struct buf *b = &s->bytes;

	if (!open_file(s))
		return false;
	do {
		if (!write_all(s, b->ptr, b->len))
			return false;
		b->len = input_read(f->in, b->ptr, IN_MEMORY);
	} while (b->len);
	buf_free(b);
	s->all = mmap(NULL, (size_t)s->size, PROT_READ, MAP_SHARED, s->fd, 0);
	if (s->all != MAP_FAILED)
		return true;
	s->all = NULL;
	return false;
}

bool
perf_spool_input(struct perf_file *f, struct slice *all)
{
	struct perf_spool *s = spool(f);
	struct buf *b = &s->bytes;
	size_t n;

	do {
		buf_reserve(b, PIECE);
		n = input_read(f->in, b->ptr + b->len, PIECE);
		b->len += n;
	} while (n && b->len < IN_MEMORY);
	*all = buf_get(b);
	if (!n)
		return true;
	if (!write_input(f, s))
		return no_room(f);
	*all = (struct slice){ s->all, (size_t)s->size };
	return true;
}

void
perf_spool_free(struct perf_spool *s)
{
	struct piece *p, *next;

	if (!s)
		return;
	for (p = s->pieces; p; p = next) {
		next = p->next;
		if (p->mapped)
			munmap(p->at, PERF_CHUNK);
		else
			free(p->at);
		free(p);
	}
	if (s->all)
		munmap(s->all, (size_t)s->size);
	if (s->fd >= 0)
		close(s->fd);
	buf_free(&s->bytes);
	free(s);
}
