/* SPDX-License-Identifier: MIT */
/* input_cut FILE OUTPUT: maps the file, which is cut off then, and looks at it
 * with an output begun. */
#include <stdio.h>
#include <unistd.h>
#include "base/input.h"
#include "base/msg.h"
#include "base/output.h"

int
main(int argc, char **argv)
{
	struct output *out;
	struct input *in;
	struct slice all;

	msg_init("input_cut", 2);
	if (argc != 3)
		die_usage("give a file and an output");
	in = input_open(argv[1], "a file");
	out = output_open(argv[2], 0, "its bytes");
	if (!input_map(in, &all) || truncate(argv[1], 0))
		die_errno("%s", argv[1]);
	output_slice(out, all);
	output_close(out);
	input_close(in);
	return msg_status();
}
