/* SPDX-License-Identifier: MIT */
/* record_sink PATTERN PERIOD KEEP TIME...: one file for each of these times,
 * seconds since 1970, into which its place in the list is written. Prints what
 * failed, the file and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/msg.h"
#include "record/sink.h"

static time_t
time_of(const char *word)
{
	return (time_t)strtoll(word, NULL, 10);
}

int
main(int argc, char **argv)
{
	struct sink_rotation rotation;
	struct sink *sink;
	char line[32], *name;
	int i, failed;

	if (argc < 5)
		return 2;
	msg_init("record_sink", 125);
	rotation = (struct sink_rotation){ argv[1], strtod(argv[2], NULL),
					   (unsigned)atoi(argv[3]) };
	sink = sink_open_rotated(&rotation, false, time_of(argv[4]));
	sink_start(sink);
	for (i = 4; i < argc; i++) {
		if (i > 4)
			sink_next(sink, time_of(argv[i]));
		snprintf(line, sizeof line, "%d\n", i - 3);
		sink_put(sink, slice_str(line));
	}
	failed = sink_close(sink, &name);
	if (failed)
		printf("%s: %s\n", name, strerror(failed));
	free(name);
	return failed != 0;
}
