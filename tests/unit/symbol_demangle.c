/* SPDX-License-Identifier: MIT */
/* symbol_demangle [CAP]: for each line of standard input, a mangled name, its
 * short and its full form, each on a line that begins with 1 when it was
 * demangled and 0 when not. */
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/input.h"
#include "base/msg.h"
#include "symbol/symbol.h"

static void
print_form(struct slice name, enum symbol_names names, size_t cap)
{
	struct buf out = { 0 };
	bool done = symbol_demangle(name, names, &out, cap);

	printf("%d ", done);
	fwrite(out.ptr, 1, out.len, stdout);
	putchar('\n');
	buf_free(&out);
}

int
main(int argc, char **argv)
{
	size_t cap = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;
	struct input *in;
	struct slice line;

	msg_init("symbol_demangle", 2);
	in = input_open("-", "names");
	while (input_line(in, &line)) {
		print_form(line, SYMBOL_NAMES_SHORT, cap);
		print_form(line, SYMBOL_NAMES_FULL, cap);
	}
	input_close(in);
	return 0;
}
