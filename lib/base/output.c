/* SPDX-License-Identifier: MIT */
#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/msg.h"
#include "base/xalloc.h"

enum { BLOCK = 256 * 1024 };

struct output {
	const char *name;
	char *final; /* rename to this; NULL: written in place */
	int fd;
	bool lenient, gzip;
	int failed; /* errno of the first failed write, lenient only */
	size_t n;
	char *data;
	z_stream z;
	unsigned char *packed;
};

/* The file to remove when the program ends before the output is whole. One
 * at a time is all a filter has. */
static char *unfinished;

static void
remove_unfinished(void)
{
	if (unfinished)
		unlink(unfinished);
}

static void
on_fatal_signal(int sig)
{
	remove_unfinished();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Recorders handle signals themselves, but for SIGQUIT. */
static void
guard_unfinished(char *path, bool signals)
{
	static const int fatal[] = { SIGQUIT, SIGINT, SIGTERM, SIGHUP,
				     SIGPIPE };
	struct sigaction old, act = { .sa_handler = on_fatal_signal };
	static bool guarded;
	size_t i;

	unfinished = path;
	if (guarded)
		return;
	guarded = true;
	atexit(remove_unfinished);
	for (i = 0; i < (signals ? sizeof fatal / sizeof *fatal : 1); i++)
		if (!sigaction(fatal[i], NULL, &old) &&
		    old.sa_handler == SIG_DFL)
			sigaction(fatal[i], &act, NULL);
}

static void
forget_unfinished(void)
{
	free(unfinished);
	unfinished = NULL;
}

/* Opens a new file beside PATH that takes its place in the end; a link stays
 * one. OLD is what is there now, or NULL. False with errno. */
static bool
open_beside(struct output *o, const char *path, const struct stat *old)
{
	mode_t mask;
	char *temp;
	int err;

	o->final = old ? realpath(path, NULL) : xstrdup(path);
	if (!o->final)
		return false;
	temp = xasprintf("%s.XXXXXX", o->final);
	o->fd = mkostemp(temp, O_CLOEXEC);
	if (o->fd < 0) {
		free(temp);
		return false;
	}
	guard_unfinished(temp, !o->lenient);
	umask(mask = umask(0));
	if (!fchmod(o->fd, old ? old->st_mode & 0777 : 0666 & ~mask))
		return true;
	err = errno;
	close(o->fd);
	remove_unfinished();
	forget_unfinished();
	errno = err;
	return false;
}

/* Devices and pipes are written in place. */
static void
open_path(struct output *o, const char *path)
{
	struct stat st;
	bool exists = !stat(path, &st);

	if (exists && !S_ISREG(st.st_mode)) {
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
		if (o->fd < 0)
			die_errno("%s", path);
	} else if (!open_beside(o, path, exists ? &st : NULL)) {
		die_errno("%s: cannot create a file there", path);
	}
}

static void
prepare(struct output *o, unsigned flags)
{
	o->data = xmalloc(BLOCK);
	if (!(flags & OUTPUT_GZIP))
		return;
	o->gzip = true;
	o->packed = xmalloc(BLOCK);
	if (deflateInit2(&o->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		die("out of memory");
}

static struct output *
open_any(const char *path, unsigned flags, const char *what, bool lenient)
{
	struct output *o = xcalloc(1, sizeof *o);

	o->lenient = lenient;
	o->name = path;
	if (!path || !strcmp(path, "-")) {
		o->name = "standard output";
		o->fd = STDOUT_FILENO;
		if (flags & OUTPUT_NO_TERMINAL && isatty(o->fd))
			die("%s is not for a terminal; name a file with -o "
			    "or use a pipe",
			    what);
	} else if (!*path) {
		die("the output's name is empty");
	} else {
		open_path(o, path);
	}
	prepare(o, flags);
	return o;
}

struct output *
output_open(const char *path, unsigned flags, const char *what)
{
	return open_any(path, flags, what, false);
}

struct output *
output_open_lenient(const char *path, unsigned flags, const char *what)
{
	return open_any(path, flags, what, true);
}

struct output *
output_try_open(const char *path, unsigned flags)
{
	struct output *o = xcalloc(1, sizeof *o);
	struct stat st;
	bool exists = !stat(path, &st);
	int err = EEXIST;

	o->lenient = true;
	o->name = path;
	if (!exists || S_ISREG(st.st_mode)) {
		if (open_beside(o, path, exists ? &st : NULL)) {
			prepare(o, flags);
			return o;
		}
		err = errno;
	}
	free(o->final);
	free(o);
	errno = err;
	return NULL;
}

static void
put_raw(struct output *o, const void *p, size_t n)
{
	const char *from = p;

	while (n && !o->failed) {
		ssize_t put = write(o->fd, from, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && !o->lenient)
			die_errno("%s: write failed", o->name);
		if (put < 0) {
			o->failed = errno;
			return;
		}
		from += put;
		n -= (size_t)put;
	}
}

static void
put_gzip(struct output *o, const void *p, size_t n, int flush)
{
	o->z.next_in = (unsigned char *)(uintptr_t)p;
	o->z.avail_in = (unsigned)n;
	do {
		o->z.next_out = o->packed;
		o->z.avail_out = BLOCK;
		deflate(&o->z, flush);
		put_raw(o, o->packed, BLOCK - o->z.avail_out);
	} while (!o->z.avail_out);
}

static void
put(struct output *o, const void *p, size_t n)
{
	size_t part;

	if (!o->gzip) {
		put_raw(o, p, n);
		return;
	}
	for (; n; n -= part, p = (const char *)p + part) {
		part = n > 1u << 30 ? 1u << 30 : n;
		put_gzip(o, p, part, Z_NO_FLUSH);
	}
}

static void
flush(struct output *o)
{
	put(o, o->data, o->n);
	o->n = 0;
}

void
output_write(struct output *o, const void *p, size_t n)
{
	if (n > BLOCK - o->n)
		flush(o);
	if (n > BLOCK) {
		put(o, p, n);
		return;
	}
	if (n)
		memcpy(o->data + o->n, p, n);
	o->n += n;
}

void
output_slice(struct output *o, struct slice s)
{
	output_write(o, s.ptr, s.len);
}

bool
output_try_write(struct output *o, const void *p, size_t n)
{
	put(o, p, n);
	errno = o->failed;
	return !o->failed;
}

static void
output_free(struct output *o)
{
	if (o->gzip)
		deflateEnd(&o->z);
	free(o->packed);
	free(o->data);
	free(o->final);
	free(o);
}

/* Renames the finished file; false with errno when that fails. */
static bool
finish(struct output *o)
{
	flush(o);
	if (o->gzip)
		put_gzip(o, NULL, 0, Z_FINISH);
	if (!o->failed && close(o->fd))
		o->failed = errno;
	if (!o->failed && o->final && rename(unfinished, o->final))
		o->failed = errno;
	if (!o->failed && o->final)
		forget_unfinished();
	errno = o->failed;
	return !o->failed;
}

void
output_close(struct output *o)
{
	if (!finish(o))
		die_errno("%s: write failed", o->name);
	output_free(o);
}

bool
output_try_close(struct output *o)
{
	bool ok = finish(o);
	int err = errno;

	output_free(o);
	errno = err;
	return ok;
}

void
output_abandon(struct output *o)
{
	if (o->final) {
		close(o->fd);
		remove_unfinished();
		forget_unfinished();
	}
	output_free(o);
}
