/* SPDX-License-Identifier: MIT */
#include "record/sink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/output.h"
#include "base/xalloc.h"

/* Waiting bytes above which samples are dropped: a minute of a busy machine. */
enum { FULL = 32 << 20, WRITE_AT = 32 << 10, FLUSH_MS = 500 };

/* Where in the waiting bytes a file ends and the next begins. */
struct cut {
	size_t at;
	char *path; /* of the next */
};

struct sink {
	struct output *out;
	unsigned flags;
	const char *pattern; /* NULL: one file */
	unsigned keep;
	char *path; /* the last that was named, with a pattern */
	/* The writing thread's, finished ones first: */
	char **files;
	size_t n_files, cap_files;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock: */
	struct buf waiting;
	struct cut *cuts;
	size_t n_cuts, cap_cuts;
	bool closing;
	int failed; /* errno */
};

static struct sink *
open_first(const char *path, unsigned flags)
{
	struct sink *s = xcalloc(1, sizeof *s);

	s->flags = flags;
	s->out = output_open_lenient(path, flags, "a capture");
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	return s;
}

struct sink *
sink_open(const char *path, bool gzip)
{
	return open_first(path, OUTPUT_NO_TERMINAL | (gzip ? OUTPUT_GZIP : 0));
}

/* That the pattern is the user's is the purpose. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
char *
sink_name_file(const char *pattern, time_t when)
{
	char path[4096];
	struct tm tm;

	gmtime_r(&when, &tm);
	if (!strftime(path, sizeof path, pattern, &tm))
		die("-o: '%s' gives no file name", pattern);
	return xstrdup(path);
}
#pragma GCC diagnostic pop

static void
add_file(struct sink *s, char *path)
{
	GROW(s->files, s->cap_files, s->n_files + 1);
	s->files[s->n_files++] = path;
}

struct sink *
sink_open_pattern(const char *pattern, bool gzip, unsigned keep)
{
	char *path = sink_name_file(pattern, time(NULL));
	struct sink *s = sink_open(path, gzip);

	s->pattern = pattern;
	s->keep = keep;
	s->path = xstrdup(path);
	add_file(s, path);
	return s;
}

/* CLOCK_REALTIME, MS from now. */
static struct timespec
time_in(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

/* Waits until there is enough to write, or something for long enough: a reader
 * that has gone is to be noticed, and a live one served. */
static void
wait_for_bytes(struct sink *s)
{
	struct timespec until = time_in(FLUSH_MS);

	while (!s->closing && !s->n_cuts && s->waiting.len < WRITE_AT)
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) ==
		    ETIMEDOUT) {
			if (s->waiting.len)
				return;
			until = time_in(FLUSH_MS);
		}
}

static void
fail(struct sink *s, int err)
{
	pthread_mutex_lock(&s->lock);
	s->failed = err;
	pthread_mutex_unlock(&s->lock);
}

static void
write_bytes(struct sink *s, const char *p, size_t n)
{
	if (n && s->out && !output_try_write(s->out, p, n))
		fail(s, errno);
}

static void
remove_oldest(struct sink *s)
{
	unlink(s->files[0]);
	free(s->files[0]);
	memmove(s->files, s->files + 1, --s->n_files * sizeof *s->files);
}

/* The current file becomes whole, and PATH the current one. */
static void
change_file(struct sink *s, char *path)
{
	if (s->out && !output_try_close(s->out)) {
		s->out = NULL;
		fail(s, errno);
	}
	while (s->keep && s->n_files > s->keep)
		remove_oldest(s);
	add_file(s, path);
	if (s->out)
		s->out = output_open_lenient(path, s->flags, "a capture");
}

/* What was waiting, with the files' ends in it. */
static void
write_parts(struct sink *s, struct buf *bytes, struct cut *cuts, size_t n)
{
	size_t at = 0, i;

	for (i = 0; i < n; i++) {
		write_bytes(s, bytes->ptr + at, cuts[i].at - at);
		at = cuts[i].at;
		change_file(s, cuts[i].path);
	}
	if (bytes->len > at)
		write_bytes(s, bytes->ptr + at, bytes->len - at);
}

static void *
write_waiting(void *ctx)
{
	struct sink *s = ctx;
	struct buf taken = { 0 }, swap;
	bool closing;

	do {
		struct cut *cuts;
		size_t n_cuts;

		pthread_mutex_lock(&s->lock);
		wait_for_bytes(s);
		swap = s->waiting;
		s->waiting = taken;
		taken = swap;
		cuts = s->cuts;
		n_cuts = s->n_cuts;
		s->cuts = NULL;
		s->n_cuts = s->cap_cuts = 0;
		closing = s->closing;
		pthread_mutex_unlock(&s->lock);
		write_parts(s, &taken, cuts, n_cuts);
		free(cuts);
		buf_clear(&taken);
	} while (!closing);
	buf_free(&taken);
	return NULL;
}

/* Signals are the main thread's; SIGPIPE is an error of write(2). */
void
sink_start(struct sink *s)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&s->thread, NULL, write_waiting, s))
		die("cannot start a thread");
	s->started = true;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void
sink_put(struct sink *s, struct slice bytes)
{
	pthread_mutex_lock(&s->lock);
	if (!s->failed)
		buf_slice(&s->waiting, bytes);
	if (s->waiting.len >= WRITE_AT)
		pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

/* A clock that was set back must not lead to a file that is there. */
static char *
name_next(const struct sink *s)
{
	char *path = sink_name_file(s->pattern, time(NULL)), *other;

	if (strcmp(path, s->path))
		return path;
	other = xasprintf("%s.1", path);
	free(path);
	return other;
}

void
sink_next(struct sink *s)
{
	char *path = name_next(s);

	free(s->path);
	s->path = xstrdup(path);
	pthread_mutex_lock(&s->lock);
	GROW(s->cuts, s->cap_cuts, s->n_cuts + 1);
	s->cuts[s->n_cuts++] = (struct cut){ s->waiting.len, path };
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

bool
sink_is_full(struct sink *s)
{
	bool full;

	pthread_mutex_lock(&s->lock);
	full = s->waiting.len > FULL;
	pthread_mutex_unlock(&s->lock);
	return full;
}

bool
sink_is_alive(struct sink *s)
{
	bool alive;

	pthread_mutex_lock(&s->lock);
	alive = !s->failed;
	pthread_mutex_unlock(&s->lock);
	return alive;
}

static void
say_closing(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

bool
sink_finish(struct sink *s, unsigned ms)
{
	struct timespec until = time_in(ms);

	if (!s->started)
		return true;
	say_closing(s);
	if (pthread_timedjoin_np(s->thread, NULL, &until))
		return false;
	s->started = false;
	return true;
}

static void
stop_thread(struct sink *s)
{
	if (!s->started)
		return;
	say_closing(s);
	pthread_join(s->thread, NULL);
	s->started = false;
}

static void
sink_free(struct sink *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	buf_free(&s->waiting);
	while (s->n_files)
		free(s->files[--s->n_files]);
	free(s->files);
	free(s->cuts);
	free(s->path);
	free(s);
}

int
sink_close(struct sink *s)
{
	int failed;

	stop_thread(s);
	failed = s->failed;
	if (s->out && failed)
		output_abandon(s->out);
	else if (s->out && !output_try_close(s->out))
		failed = errno;
	if (s->keep && !failed && s->n_files > s->keep)
		remove_oldest(s);
	sink_free(s);
	return failed;
}

void
sink_abandon(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	buf_clear(&s->waiting);
	pthread_mutex_unlock(&s->lock);
	stop_thread(s);
	if (s->out)
		output_abandon(s->out);
	sink_free(s);
}
