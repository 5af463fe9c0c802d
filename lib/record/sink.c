/* SPDX-License-Identifier: MIT */
#include "record/sink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
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
	time_t begins; /* the next */
};

struct file {
	char *path;
	time_t begins;
};

struct sink {
	struct output *out;
	unsigned flags;
	const char *name;	       /* of the first file, for messages */
	struct sink_rotation rotation; /* no pattern: one file */
	/* The writing thread's: */
	struct file *files; /* of this recording, in their order */
	size_t n_files, cap_files;
	bool told; /* that a file was in the way */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock: */
	struct buf waiting;
	struct cut *cuts;
	size_t n_cuts, cap_cuts;
	bool closing;
	int failed; /* errno of the first failure */
	char *failed_name;
};

static struct sink *
open_first(const char *path, unsigned flags)
{
	struct sink *s = xcalloc(1, sizeof *s);

	s->flags = flags;
	s->name = path && strcmp(path, "-") ? path : "standard output";
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
/* NULL when that is nothing or far too much. */
static char *
fill_in(const char *pattern, time_t when)
{
	char path[4096];
	struct tm tm;

	return gmtime_r(&when, &tm) && strftime(path, sizeof path, pattern, &tm)
		       ? xstrdup(path)
		       : NULL;
}
#pragma GCC diagnostic pop

bool
sink_pattern_differs(const char *pattern, double period)
{
	enum { STEPS = 4000 };
	time_t now = time(NULL);
	char *last = NULL, *next;
	bool differs = true;
	int i;

	for (i = 0; i < STEPS && differs; i++, last = next) {
		next = fill_in(pattern, now + (time_t)(i * period));
		if (!next)
			die("-o: '%s' gives no file name", pattern);
		differs = !last || strcmp(last, next);
		free(last);
	}
	free(last);
	return differs;
}

/* ---- the files of a recording ---- */

static void
add_file(struct sink *s, char *path, time_t begins)
{
	GROW(s->files, s->cap_files, s->n_files + 1);
	s->files[s->n_files++] = (struct file){ path, begins };
}

static void
forget_file(struct sink *s, size_t i)
{
	free(s->files[i].path);
	memmove(s->files + i, s->files + i + 1,
		(--s->n_files - i) * sizeof *s->files);
}

static void
remove_oldest(struct sink *s)
{
	unlink(s->files[0].path);
	forget_file(s, 0);
}

/* PATH's place in files; n_files when it is not there. */
static size_t
find_file(const struct sink *s, const char *path)
{
	size_t i = 0;

	while (i < s->n_files && strcmp(s->files[i].path, path))
		i++;
	return i;
}

/* Whether the file that begins now may have PATH: it is new, or its turn has
 * come again. What it replaces is forgotten. */
static bool
take_name(struct sink *s, const char *path, time_t begins)
{
	size_t i = find_file(s, path);
	struct stat st;

	if (i == s->n_files)
		return lstat(path, &st) != 0;
	if (difftime(begins, s->files[i].begins) <= 1.5 * s->rotation.period)
		return false;
	forget_file(s, i);
	return true;
}

enum { TRIES = 10000 };

/* NULL with errno when there is none. */
static char *
choose_name(struct sink *s, time_t begins)
{
	char *first = fill_in(s->rotation.pattern, begins), *path;
	unsigned i;

	errno = ENAMETOOLONG;
	if (!first || take_name(s, first, begins))
		return first;
	errno = EEXIST;
	path = NULL;
	for (i = 1; i <= TRIES && !path; i++) {
		path = xasprintf("%s.%u", first, i);
		if (take_name(s, path, begins))
			break;
		free(path);
		path = NULL;
	}
	if (path && !s->told)
		note("%s is there already and stays: this goes to %s", first,
		     path);
	s->told = true;
	free(first);
	return path;
}

struct sink *
sink_open_rotated(const struct sink_rotation *rotation, bool gzip,
		  time_t begins)
{
	struct sink named = { .rotation = *rotation }, *s;
	char *path = choose_name(&named, begins);

	if (!path)
		die_errno("-o: '%s' gives no file name", rotation->pattern);
	s = sink_open(path, gzip);
	s->rotation = *rotation;
	s->told = named.told;
	add_file(s, path, begins);
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

/* Writing NAME has; the first failure counts. */
static void
fail_at(struct sink *s, int err, const char *name)
{
	pthread_mutex_lock(&s->lock);
	if (!s->failed) {
		s->failed = err;
		s->failed_name = xstrdup(name);
	}
	pthread_mutex_unlock(&s->lock);
}

static void
fail(struct sink *s, int err)
{
	fail_at(s, err, s->n_files ? s->files[s->n_files - 1].path : s->name);
}

static void
write_bytes(struct sink *s, const char *p, size_t n)
{
	if (n && s->out && !output_try_write(s->out, p, n))
		fail(s, errno);
}

/* The next file becomes the current one. */
static void
open_next(struct sink *s, time_t begins)
{
	char *path = choose_name(s, begins);

	if (path)
		s->out = output_try_open(path, s->flags);
	if (s->out) {
		add_file(s, path, begins);
		return;
	}
	fail_at(s, errno, path ? path : s->rotation.pattern);
	free(path);
}

/* The current file becomes whole. */
static void
change_file(struct sink *s, time_t begins)
{
	bool whole;

	if (!s->out)
		return;
	whole = output_try_close(s->out);
	s->out = NULL;
	if (!whole) {
		fail(s, errno);
		return;
	}
	while (s->rotation.keep && s->n_files > s->rotation.keep)
		remove_oldest(s);
	open_next(s, begins);
}

/* What was waiting, with the files' ends in it. */
static void
write_parts(struct sink *s, struct buf *bytes, struct cut *cuts, size_t n)
{
	size_t at = 0, i;

	for (i = 0; i < n; i++) {
		write_bytes(s, bytes->ptr + at, cuts[i].at - at);
		at = cuts[i].at;
		change_file(s, cuts[i].begins);
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

void
sink_next(struct sink *s, time_t begins)
{
	pthread_mutex_lock(&s->lock);
	GROW(s->cuts, s->cap_cuts, s->n_cuts + 1);
	s->cuts[s->n_cuts++] = (struct cut){ s->waiting.len, begins };
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
		free(s->files[--s->n_files].path);
	free(s->files);
	free(s->cuts);
	free(s->failed_name);
	free(s);
}

int
sink_close(struct sink *s, char **name)
{
	int failed;

	stop_thread(s);
	if (s->out && s->failed)
		output_abandon(s->out);
	else if (s->out && !output_try_close(s->out))
		fail(s, errno);
	failed = s->failed;
	if (s->rotation.keep && !failed && s->n_files > s->rotation.keep)
		remove_oldest(s);
	*name = s->failed_name;
	s->failed_name = NULL;
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
