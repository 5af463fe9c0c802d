/* SPDX-License-Identifier: MIT */
#include "record/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/number.h"

/* The entries of PATH that are numbers. */
static void
each_number(const char *path, bool (*fn)(void *ctx, pid_t id), void *ctx)
{
	struct dirent *d;
	DIR *dir = opendir(path);
	bool more = true;
	uint64_t id;

	while (dir && more && (d = readdir(dir)))
		if (parse_u64(slice_str(d->d_name), &id) && id <= INT32_MAX)
			more = fn(ctx, (pid_t)id);
	if (dir)
		closedir(dir);
}

void
procfs_each_process(bool (*fn)(void *ctx, pid_t pid), void *ctx)
{
	each_number("/proc", fn, ctx);
}

void
procfs_each_thread(pid_t pid, bool (*fn)(void *ctx, pid_t tid), void *ctx)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	each_number(path, fn, ctx);
}

size_t
procfs_name(pid_t pid, pid_t tid, char name[64])
{
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)pid,
		 (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, name, 63);
		close(fd);
	}
	return n > 0 ? (size_t)n - 1 : 0; /* a line feed ends it */
}

pid_t
procfs_process_of(pid_t tid)
{
	char path[64], line[128];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && !pid && fgets(line, sizeof line, f))
		if (sscanf(line, "Tgid: %d", &pid) != 1)
			pid = 0;
	if (f)
		fclose(f);
	return pid;
}

/* The kernel counts from its start, suspension included, in clock ticks. */
static uint64_t
monotonic_of(uint64_t ticks)
{
	struct timespec boot, mono;
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), ns, ahead;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	ahead = (uint64_t)(boot.tv_sec - mono.tv_sec) * 1000000000u +
		(uint64_t)(boot.tv_nsec - mono.tv_nsec);
	ns = ticks / hz * 1000000000u + ticks % hz * (1000000000u / hz);
	return ns > ahead ? ns - ahead : 0;
}

struct proc_stat
procfs_stat(pid_t pid, pid_t tid)
{
	char path[64], line[1024];
	struct proc_stat s = { 0 };
	const char *name_end;
	uint64_t ticks = 0;
	int ppid = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid,
		 (int)tid);
	f = fopen(path, "re");
	/* The name is any bytes in parentheses. */
	if (f && fgets(line, sizeof line, f) &&
	    (name_end = strrchr(line, ')')) &&
	    sscanf(name_end,
		   ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
		   "%*d %*d %*d %*d %*d %" SCNu64,
		   &s.state, &ppid, &ticks) == 3) {
		s.ppid = ppid;
		s.started = monotonic_of(ticks);
	}
	if (f)
		fclose(f);
	return s;
}

/* ---- mappings ---- */

/* The file writes a line feed in a path as \012, and nothing else so. */
static struct slice
unescape_path(char *path)
{
	char *from, *to = path;

	for (from = path; *from && *from != '\n'; from++, to++)
		if (!strncmp(from, "\\012", 4)) {
			*to = '\n';
			from += 3;
		} else {
			*to = *from;
		}
	return (struct slice){ path, (size_t)(to - path) };
}

static bool
read_maps(struct processes *t, struct process *p, pid_t tid)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/maps", (int)p->pid,
		 (int)tid);
	f = fopen(path, "re");
	while (f && getline(&line, &cap, f) > 0) {
		uint64_t start, end, offset;
		struct module_key key = { 0 };
		char flags[5];
		int at = 0;

		if (sscanf(line,
			   "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64
			   " %x:%x %" SCNu64 " %n",
			   &start, &end, flags, &offset, &key.major, &key.minor,
			   &key.inode, &at) < 7 ||
		    flags[2] != 'x' || !at)
			continue;
		key.path = unescape_path(line + at);
		process_map(t, p, start, end - start, offset, &key);
	}
	free(line);
	if (f)
		fclose(f);
	return p->n_maps > 0;
}

/* When the first thread has ended, only the others' files show anything. */
void
procfs_read_maps(struct processes *t, struct process *p)
{
	char path[64];
	struct dirent *d;
	uint64_t tid;
	DIR *dir;

	if (read_maps(t, p, p->pid))
		return;
	snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (parse_u64(slice_str(d->d_name), &tid) &&
		    read_maps(t, p, (pid_t)tid))
			break;
	if (dir)
		closedir(dir);
}
