/* SPDX-License-Identifier: MIT */
/*
 * Feeds files to a fuzz target without libFuzzer: every operand is a file, or
 * a folder whose files are fed one after the other. Prints how many were fed.
 * Exits 2 when one cannot be read; a target that fails ends it by a signal.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of exactly its size, so that a sanitizer sees one byte more. */
static void
feed_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);

	if (!f)
		die_errno("%s", path);
	if (!data || fread(data, 1, size, f) != size)
		die_errno("%s: cannot be read", path);
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static unsigned feed(const char *path);

static unsigned
feed_folder(const char *path)
{
	struct dirent **entry;
	unsigned fed = 0;
	int n = scandir(path, &entry, NULL, alphasort);

	if (n < 0)
		die_errno("%s", path);
	for (int i = 0; i < n; i++) {
		char *inside;

		if (entry[i]->d_name[0] != '.') {
			if (asprintf(&inside, "%s/%s", path, entry[i]->d_name) <
			    0)
				die("out of memory");
			fed += feed(inside);
			free(inside);
		}
		free(entry[i]);
	}
	free(entry);
	return fed;
}

static unsigned
feed(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		die_errno("%s", path);
	if (S_ISDIR(st.st_mode))
		return feed_folder(path);
	feed_file(path, (size_t)st.st_size);
	return 1;
}

int
main(int argc, char **argv)
{
	unsigned fed = 0;

	msg_init("replay", 2);
	for (int i = 1; i < argc; i++)
		fed += feed(argv[i]);
	printf("%u inputs\n", fed);
	return 0;
}
