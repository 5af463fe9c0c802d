/* SPDX-License-Identifier: MIT */
#include "base/option.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/msg.h"

static bool
is_ambiguous(const char *name, const struct option *longs)
{
	size_t n = strcspn(name, "=");
	int found = 0;

	for (; longs->name; longs++)
		found += !strncmp(longs->name, name, n);
	return found > 1;
}

/* getopt sets optopt to a long option's value when that option is known but
 * misused, to 0 when it is not known, to the letter of a short one. */
int
option_next(int argc, char **argv, const char *shorts,
	    const struct option *longs)
{
	int at = optind ? optind : 1, c;
	const char *word;

	opterr = 0;
	c = getopt_long(argc, argv, shorts, longs, NULL);
	if (c != '?')
		return c;
	word = argv[optind > at ? optind - 1 : at < argc ? at : argc - 1];
	if (!strncmp(word, "--", 2) && !optopt)
		die_usage(is_ambiguous(word + 2, longs)
				  ? "option '%s' is ambiguous: more than one "
				    "begins so"
				  : "there is no option '%s'",
			  word);
	if (!strncmp(word, "--", 2))
		die_usage(strchr(word, '=') ? "option '%s' takes no value"
					    : "option '%s' needs a value",
			  word);
	if (optopt && strchr(shorts, optopt))
		die_usage("option '-%c' needs a value", optopt);
	die_usage("there is no option '-%c'", optopt);
}

unsigned
option_choice(const char *option, const char *text, const char *const *names)
{
	struct buf all = { 0 };
	unsigned i;

	for (i = 0; names[i]; i++) {
		if (!strcmp(text, names[i])) {
			buf_free(&all);
			return i;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
	}
	die_usage("%s: '%s' is not one of %s", option, text, all.ptr);
}

void
option_print(const char *text)
{
	if (fputs(text, stdout) < 0 || fclose(stdout))
		die_errno("standard output: write failed");
	exit(0);
}
