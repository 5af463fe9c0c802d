/* SPDX-License-Identifier: MIT */
/* import_name: each line of standard input up to its parameter list. */
#include <stdio.h>
#include "base/input.h"
#include "base/msg.h"
#include "import/text/text.h"

int
main(void)
{
	struct input *in;
	struct slice line;

	msg_init("import_name", 2);
	in = input_open("-", "names");
	while (input_line(in, &line)) {
		fwrite(line.ptr, 1, import_parameters(line), stdout);
		putchar('\n');
	}
	input_close(in);
	return 0;
}
