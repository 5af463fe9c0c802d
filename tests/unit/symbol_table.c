/* SPDX-License-Identifier: MIT */
/*
 * symbol_table kallsyms FILE | perf-map FILE UID | image FILE | vdso |
 *              file FILE [DEBUG-FILE] | pick FILE STEP
 * prints the table, `ADDR SIZE MODULE NAME` a line, then for kallsyms
 * `start ADDR MODULE`. What cannot be read gives a line `refused: WHY` and
 * status 1. vdso is this process's own. pick compares: about every STEPth
 * symbol's surroundings, picked from kallsyms, with the whole table's answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include "base/input.h"
#include "base/msg.h"
#include "symbol/table.h"

static int
refuse(const char *why)
{
	printf("refused: %s\n", why ? why : "not there");
	return 1;
}

static void
print_table(const struct symbol_table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct table_symbol *s = &t->symbols[i];

		if (symbol_table_find(t, s->addr) != s)
			die("a symbol is not found at its own address");
		printf("%jx %jx %u %.*s\n", (uintmax_t)s->addr,
		       (uintmax_t)s->size, s->module, (int)s->name.len,
		       s->name.ptr);
	}
	for (i = 0; i < t->n_modules; i++)
		printf("start %jx %.*s\n", (uintmax_t)t->module_start[i],
		       (int)t->modules[i].len, t->modules[i].ptr);
}

static bool
read_image(struct symbol_table *t, const char *path)
{
	static char image[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		die_errno("%s", path);
	n = fread(image, 1, sizeof image, f);
	fclose(f);
	return symbol_table_read_image(t, image, n);
}

/* At the symbol, within it, at its last byte, and around. */
static size_t
fill_addrs(const struct symbol_table *all, size_t step, uint64_t *addrs)
{
	size_t n = 0, i;

	for (i = 0; i < all->n; i += 1 + (i * 7919 + step) % (2 * step)) {
		const struct table_symbol *s = &all->symbols[i];

		addrs[n++] = s->addr;
		if (i % 2)
			addrs[n++] = s->addr + s->size / 2;
		if (i % 3)
			addrs[n++] = s->addr + s->size;
	}
	return n;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool
is_same(const struct table_symbol *a, const struct table_symbol *b)
{
	if (!a || !b)
		return a == b;
	return a->addr == b->addr && a->size == b->size &&
	       slice_eq(a->name, b->name);
}

static int
compare_picked(const char *path, size_t step)
{
	struct symbol_table all = { 0 }, some = { 0 };
	uint64_t *addrs;
	size_t n, i, bad = 0, found = 0;

	if (!symbol_table_read_kallsyms(&all, path) ||
	    !symbol_table_read_kallsyms_text(&some, path))
		return refuse("it cannot be read, or is hidden");
	addrs = calloc(3 * all.n, sizeof *addrs);
	n = fill_addrs(&all, step ? step : 1, addrs);
	qsort(addrs, n, sizeof *addrs, compare);
	symbol_table_pick_kallsyms(&some, addrs, n);
	for (i = 0; i < n; i++) {
		const struct table_symbol *s =
			symbol_table_find(&all, addrs[i]);

		found += s != NULL;
		bad += !is_same(s, symbol_table_find(&some, addrs[i]));
	}
	printf("%zu asked for, %zu found, %zu differ\n", n, found, bad);
	free(addrs);
	symbol_table_free(&all);
	symbol_table_free(&some);
	return bad ? 1 : 0;
}

int
main(int argc, char **argv)
{
	struct symbol_table t = { 0 };
	const char *why = "", *what = argc > 1 ? argv[1] : "";
	bool ok = false;

	msg_init("symbol_table", 2);
	if (!strcmp(what, "pick") && argc > 3)
		return compare_picked(argv[2], strtoul(argv[3], NULL, 10));
	if (!strcmp(what, "kallsyms") && argc > 2) {
		ok = symbol_table_read_kallsyms(&t, argv[2]);
		why = errno ? "it cannot be read" : "the addresses are hidden";
	} else if (!strcmp(what, "perf-map") && argc > 3) {
		ok = symbol_table_read_perf_map(
			&t, argv[2], (uint32_t)strtoul(argv[3], NULL, 10),
			&why);
		if (ok && why)
			printf("incomplete: %s\n", why);
	} else if (!strcmp(what, "image") && argc > 2) {
		ok = read_image(&t, argv[2]);
		why = "it is no ELF file";
	} else if (!strcmp(what, "file") && argc > 2) {
		ok = symbol_table_read_files(&t, open(argv[2], O_RDONLY),
					     argc > 3 ? open(argv[3], O_RDONLY)
						      : -1);
		why = "it is no ELF file";
	} else if (!strcmp(what, "vdso")) {
		ok = symbol_table_read_image(
			&t, (const void *)getauxval(AT_SYSINFO_EHDR), 8192);
	}
	if (!ok)
		return refuse(why);
	print_table(&t);
	symbol_table_free(&t);
	return 0;
}
