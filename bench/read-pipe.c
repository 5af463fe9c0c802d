/* SPDX-License-Identifier: MIT */
/* read-pipe: reads a pipe of 1 MiB on standard input and throws away what
 * comes: the floor for programs that read one. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int
main(void)
{
	static char block[1 << 20];
	ssize_t n;

	fcntl(STDIN_FILENO, F_SETPIPE_SZ, (int)sizeof block);
	while ((n = read(STDIN_FILENO, block, sizeof block)) > 0)
		;
	if (n < 0)
		perror("read-pipe");
	return n < 0 ? 2 : 0;
}
