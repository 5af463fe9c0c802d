/* SPDX-License-Identifier: MIT */
/* Tracepoints: places in the kernel that tracefs lists, SYSTEM:EVENT. */
#include "record/event.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where tracefs is mounted; the second by kernels before 4.1. */
static const char *const roots[] = { "/sys/kernel/tracing/events",
				     "/sys/kernel/debug/tracing/events" };

/* NULL when there is none, with errno. */
static const char *
find_root(void)
{
	int err = ENOENT;
	size_t i;

	for (i = 0; i < sizeof roots / sizeof *roots; i++) {
		if (!access(roots[i], R_OK | X_OK))
			return roots[i];
		if (errno == EACCES)
			err = errno;
	}
	errno = err;
	return NULL;
}

static void
explain_root(struct buf *why, int err)
{
	if (err == EACCES)
		buf_str(why, "tracepoints need /sys/kernel/tracing, which this "
			     "user may not read: record as root");
	else
		buf_str(why, "tracepoints need tracefs: as root, 'mount -t "
			     "tracefs nodev /sys/kernel/tracing'");
}

/* SYSTEM:EVENT as a folder below ROOT; false for what could leave it. */
static bool
event_path(const char *root, const char *name, char *path, size_t size)
{
	const char *colon = strchr(name, ':');
	int n;

	if (!colon || strchr(name, '/') || name[0] == '.' || colon[1] == '.')
		return false;
	n = snprintf(path, size, "%s/%.*s/%s/id", root, (int)(colon - name),
		     name, colon + 1);
	return n > 0 && (size_t)n < size;
}

bool
tracepoint_find(const char *name, uint64_t *id, struct buf *why)
{
	const char *root = find_root();
	char path[512];
	long number = -1;

	if (!root) {
		explain_root(why, errno);
		return false;
	}
	if (event_path(root, name, path, sizeof path))
		number = event_setting(path, -1);
	if (number < 0) {
		buf_printf(why,
			   "there is no tracepoint '%s'; '-e list' shows all",
			   name);
		return false;
	}
	*id = (uint64_t)number;
	return true;
}

static int
is_shown(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
list_system(const char *root, const char *system)
{
	struct dirent **list;
	char path[512];
	int n, i;

	snprintf(path, sizeof path, "%s/%s", root, system);
	n = scandir(path, &list, is_shown, alphasort);
	for (i = 0; i < n; i++) {
		char id[1024];

		snprintf(id, sizeof id, "%s/%s/id", path, list[i]->d_name);
		if (!access(id, R_OK))
			printf("%s:%s tracepoint\n", system, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

void
tracepoint_list(void)
{
	const char *root = find_root();
	struct dirent **list;
	int n = root ? scandir(root, &list, is_shown, alphasort) : -1, i;

	for (i = 0; i < n; i++) {
		list_system(root, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}
