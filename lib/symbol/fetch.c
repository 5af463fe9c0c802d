/* SPDX-License-Identifier: MIT */
#include "symbol/fetch.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"

enum { PATIENCE = 20, PATIENCE_MAX = 3600 };
/* The largest debug files that distributions have are smaller. */
static const uint64_t size_max = 2ull << 30;

/* debuginfod_find_debuginfo(3), debuginfod_set_progressfn(3) and what goes
 * with them. */
struct client;
typedef int progress_fn(struct client *client, long done, long all);
struct library {
	struct client *(*begin)(void);
	int (*find)(struct client *client, const unsigned char *id, int len,
		    char **path);
	void (*set_progress)(struct client *client, progress_fn *fn);
	void (*end)(struct client *client);
};

struct fetcher {
	const char *urls; /* NULL: nobody is asked (any more) */
	uint64_t patience, size_max;
	bool said_too_large, said_wrong;
	void *handle;
	struct library lib;
	struct client *client;
	/* About the fetch that is going on: */
	struct slice module;
	double begun, heard, shown;
	long received;
	bool silent, too_large;
};

static volatile sig_atomic_t interrupted;
static struct fetcher *current; /* whose request is going on */

static void
note_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct fetcher *
fetcher_new(bool allowed)
{
	struct fetcher *f = xcalloc(1, sizeof *f);
	const char *patience = getenv("DEBUGINFOD_TIMEOUT");
	const char *size = getenv("DEBUGINFOD_MAXSIZE");

	if (allowed)
		f->urls = getenv("DEBUGINFOD_URLS");
	if (f->urls && !f->urls[strspn(f->urls, " ")])
		f->urls = NULL;
	if (!patience || !parse_u64(slice_str(patience), &f->patience) ||
	    !f->patience || f->patience > PATIENCE_MAX)
		f->patience = PATIENCE;
	if (!size || !parse_u64(slice_str(size), &f->size_max))
		f->size_max = size_max;
	if (!f->size_max)
		f->size_max = UINT64_MAX;
	return f;
}

void
fetcher_free(struct fetcher *f)
{
	if (f->client)
		f->lib.end(f->client);
	/* The library stays loaded: curl in it may have left threads and exit
	 * handlers. */
	free(f);
}

/* dlsym gives pointers to data, which C does not turn into functions. */
static bool
find_function(const struct fetcher *f, const char *name, void *to)
{
	void *p = dlsym(f->handle, name);

	memcpy(to, &p, sizeof p);
	return p != NULL;
}

static bool
load(struct fetcher *f)
{
	struct library *l = &f->lib;

	f->handle = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);
	return f->handle && find_function(f, "debuginfod_begin", &l->begin) &&
	       find_function(f, "debuginfod_find_debuginfo", &l->find) &&
	       find_function(f, "debuginfod_set_progressfn",
			     &l->set_progress) &&
	       find_function(f, "debuginfod_end", &l->end);
}

/* Called at least every second, with bytes as DONE; before the first one came
 * with the number of calls. */
static int
on_progress(struct client *client, long done, long all)
{
	struct fetcher *f = current;
	double t = now();

	(void)client;
	(void)all;
	if (done != f->received && done != f->received + 1)
		f->heard = t;
	f->received = done;
	if (t - f->begun >= 1 && t - f->shown >= 0.2) {
		f->shown = t;
		progress("fetching debug information of %.*s: %ld KB",
			 (int)f->module.len, f->module.ptr,
			 f->heard > f->begun ? done / 1024 : 0);
	}
	f->silent = t - f->heard >= (double)f->patience;
	f->too_large = done > 0 && (uint64_t)done > f->size_max;
	return f->silent || f->too_large || interrupted;
}

static bool
start(struct fetcher *f)
{
	char size[24];

	if (!f->handle && !load(f)) {
		warning("DEBUGINFOD_URLS is set, but libdebuginfod.so.1 is "
			"missing: install it (on Debian libdebuginfod1), or "
			"give --no-debuginfod");
		return false;
	}
	/* Every error is one for the library to try again, an interrupt, too.
	 * Of sizes it knows those that servers announce. */
	snprintf(size, sizeof size, "%llu", (unsigned long long)size_max);
	if (!f->client && !setenv("DEBUGINFOD_RETRY_LIMIT", "0", 0) &&
	    !setenv("DEBUGINFOD_MAXSIZE", size, 0))
		f->client = f->lib.begin();
	if (!f->client)
		return false;
	f->lib.set_progress(f->client, on_progress);
	return true;
}

/* One request, with the keyboard's interrupt ours. */
static int
request(struct fetcher *f, const unsigned char *id, size_t len, char **path)
{
	struct sigaction ours = { .sa_handler = note_interrupt }, before;
	bool handled = !sigaction(SIGINT, NULL, &before) &&
		       before.sa_handler != SIG_IGN &&
		       !sigaction(SIGINT, &ours, NULL);
	int fd;

	current = f;
	f->begun = f->heard = now();
	f->shown = 0;
	f->received = 0;
	f->silent = f->too_large = false;
	interrupted = 0;
	fd = f->lib.find(f->client, id, (int)len, path);
	progress_end();
	if (handled)
		sigaction(SIGINT, &before, NULL);
	return fd;
}

/* A server that announces the size goes on being asked for other files. */
static void
say_too_large(struct fetcher *f)
{
	if (!f->said_too_large)
		warning("the debug information of %.*s is larger than %llu "
			"bytes, and %s: a larger DEBUGINFOD_MAXSIZE "
			"fetches it",
			(int)f->module.len, f->module.ptr,
			(unsigned long long)f->size_max,
			f->too_large ? "the debuginfod servers are not asked "
				       "any more"
				     : "is not fetched");
	f->said_too_large = true;
	if (f->too_large)
		f->urls = NULL;
}

/* What ended a request is said, unless it is only that nobody has the file. */
static void
give_up(struct fetcher *f, int error)
{
	if (f->too_large || error == EFBIG) {
		say_too_large(f);
		return;
	}
	if (interrupted)
		note("interrupted: no more debug information is fetched");
	else if (f->silent)
		warning("nothing came from the debuginfod servers (%s) for "
			"%llu s, they are not asked any more: a larger "
			"DEBUGINFOD_TIMEOUT waits longer, --no-debuginfod "
			"does not ask",
			f->urls, (unsigned long long)f->patience);
	else if (error == ENOENT || error == ENOSYS)
		return;
	else
		warning("the debuginfod servers (%s) are not asked any more: "
			"%s; --no-debuginfod does not ask",
			f->urls, strerror(error));
	f->urls = NULL;
}

char *
fetch_debug_file(struct fetcher *f, const unsigned char *id, size_t len,
		 struct slice module)
{
	char *path = NULL;
	int fd;

	if (!f->urls)
		return NULL;
	if (!start(f)) {
		f->urls = NULL;
		return NULL;
	}
	f->module = slice_basename(module);
	fd = request(f, id, len, &path);
	if (fd < 0) {
		give_up(f, -fd);
		return NULL;
	}
	close(fd);
	return path;
}

void
fetch_refuse(struct fetcher *f, const char *path)
{
	if (!f->said_wrong)
		warning("%s, which the debuginfod servers sent, is not the "
			"debug information of %.*s: remove it, or give "
			"--no-debuginfod",
			path, (int)f->module.len, f->module.ptr);
	f->said_wrong = true;
}
