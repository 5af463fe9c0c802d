/* SPDX-License-Identifier: MIT */
#include "record/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
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
