/* SPDX-License-Identifier: MIT */
/*
 * symbol_lookup [-n short|full|raw] [-I] [-L] [-o] [-b BUILDID] [-d DIR]...
 *               [-r SYSROOT] [-m MAX] MODULE < ADDRESSES
 * prints for each address (hexadecimal) its frames, innermost first, as
 * ADDRESS, `i` when inlined or `-`, NAME, FILE:LINE, separated by tabs; last
 * a line `problem N dwarf 0|1` and, where debug information is incomplete,
 * `gap: WORDS`. -I: no inlined calls, -L: no lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/input.h"
#include "base/msg.h"
#include "base/number.h"
#include "symbol/symbol.h"

enum { MAX_DIRS = 8, MAX_FRAMES = 256 };

static void
print_frame(uint64_t addr, const struct symbol_frame *f)
{
	printf("%jx\t%c\t%.*s\t%.*s:%u\n", (uintmax_t)addr,
	       f->inlined ? 'i' : '-', (int)f->name.len, f->name.ptr,
	       (int)f->file.len, f->file.ptr, f->line);
}

static void
look_up_lines(struct symbol_module *m, size_t max)
{
	struct input *in = input_open("-", "addresses");
	struct symbol_frame frames[MAX_FRAMES];
	struct slice line;
	uint64_t addr;
	size_t n, i;

	while (input_line(in, &line)) {
		if (slice_starts(line, "0x"))
			line = (struct slice){ line.ptr + 2, line.len - 2 };
		if (!parse_hex(line, &addr))
			die("no address: %.*s", (int)line.len, line.ptr);
		n = symbol_lookup(m, addr, frames, max);
		for (i = 0; i < n; i++)
			print_frame(addr, &frames[i]);
	}
	input_close(in);
}

static enum symbol_names
names_option(const char *s)
{
	if (!strcmp(s, "short"))
		return SYMBOL_NAMES_SHORT;
	return !strcmp(s, "full") ? SYMBOL_NAMES_FULL : SYMBOL_NAMES_RAW;
}

int
main(int argc, char **argv)
{
	const char *dirs[MAX_DIRS + 1] = { NULL };
	struct symbol_options opt = { .names = SYMBOL_NAMES_RAW,
				      .inlines = true,
				      .lines = true,
				      .debug_dirs = dirs };
	enum symbol_base base = SYMBOL_BASE_VADDR;
	const char *build_id = "";
	size_t n_dirs = 0, max = MAX_FRAMES;
	struct symbolizer *s;
	struct symbol_module *m;
	int c;

	msg_init("symbol_lookup", 2);
	while ((c = getopt(argc, argv, "n:ILob:d:r:m:")) != -1) {
		switch (c) {
		case 'n':
			opt.names = names_option(optarg);
			break;
		case 'I':
			opt.inlines = false;
			break;
		case 'L':
			opt.lines = false;
			break;
		case 'o':
			base = SYMBOL_BASE_OFFSET;
			break;
		case 'b':
			build_id = optarg;
			break;
		case 'd':
			if (n_dirs < MAX_DIRS)
				dirs[n_dirs++] = optarg;
			break;
		case 'r':
			opt.sysroot = optarg;
			break;
		case 'm':
			max = option_u64("-m", optarg, 0, MAX_FRAMES);
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc)
		die("which module?");
	s = symbolizer_new(&opt);
	m = symbolizer_module(s, slice_str(argv[optind]), slice_str(build_id),
			      base);
	look_up_lines(m, max);
	printf("problem %d dwarf %d\n", (int)symbol_module_problem(m),
	       symbol_module_has_dwarf(m));
	if (symbol_module_gap(m))
		printf("gap: %s\n", symbol_module_gap(m));
	symbolizer_free(s);
	return 0;
}
