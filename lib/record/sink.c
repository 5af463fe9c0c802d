/* SPDX-License-Identifier: MIT */
#include "record/sink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/output.h"
#include "base/xalloc.h"

/* Waiting bytes above which samples are dropped: a minute of a busy machine. */
enum { FULL = 32 << 20, WRITE_AT = 32 << 10, FLUSH_MS = 500 };

struct sink {
	struct output *out;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock: */
	struct buf waiting;
	bool closing;
	int failed; /* errno */
};

struct sink *
sink_open(const char *path, bool gzip)
{
	struct sink *s = xcalloc(1, sizeof *s);

	s->out = output_open_lenient(
		path, OUTPUT_NO_TERMINAL | (gzip ? OUTPUT_GZIP : 0),
		"a capture");
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
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

	while (!s->closing && s->waiting.len < WRITE_AT)
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) ==
		    ETIMEDOUT) {
			if (s->waiting.len)
				return;
			until = time_in(FLUSH_MS);
		}
}

static void *
write_waiting(void *ctx)
{
	struct sink *s = ctx;
	struct buf taken = { 0 }, swap;
	bool closing;

	do {
		pthread_mutex_lock(&s->lock);
		wait_for_bytes(s);
		swap = s->waiting;
		s->waiting = taken;
		taken = swap;
		closing = s->closing;
		pthread_mutex_unlock(&s->lock);
		if (taken.len &&
		    !output_try_write(s->out, taken.ptr, taken.len)) {
			pthread_mutex_lock(&s->lock);
			s->failed = errno;
			pthread_mutex_unlock(&s->lock);
		}
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
	free(s);
}

int
sink_close(struct sink *s)
{
	int failed;

	stop_thread(s);
	failed = s->failed;
	if (failed)
		output_abandon(s->out);
	else if (!output_try_close(s->out))
		failed = errno;
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
	output_abandon(s->out);
	sink_free(s);
}
