/* SPDX-License-Identifier: MIT */
#include "process/file.h"

#include <fcntl.h>
#include <unistd.h>

int
file_open_regular(const char *path, struct stat *st)
{
	/* Nonblocking: whatever lies there now may be a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (!fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return -1;
}

bool
file_read(void *ctx, uint64_t offset, void *to, size_t n)
{
	int fd = *(int *)ctx;
	char *p = to;

	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)offset);

		if (got <= 0)
			return false;
		p += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}
