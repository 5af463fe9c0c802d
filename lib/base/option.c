/* SPDX-License-Identifier: MIT */
#include "base/option.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"

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

/* getopt's view of the rules; a long option's value is its rule's index. */
struct tables {
	struct option *longs;
	struct buf shorts;
};

enum { FIRST_LONG = 256 };

static bool
takes_word(const struct option_rule *r)
{
	return r->kind >= OPTION_STRING && r->kind <= OPTION_CALL;
}

static struct tables
make_tables(const struct option_rule *rules)
{
	struct tables t = { 0 };
	size_t n, i;

	for (n = 0; rules[n].name; n++)
		;
	t.longs = xcalloc(n + 1, sizeof *t.longs);
	buf_str(&t.shorts, "");
	for (i = 0; i < n; i++) {
		const struct option_rule *r = &rules[i];

		t.longs[i] = (struct option){ r->name,
					      takes_word(r) ? required_argument
							    : no_argument,
					      NULL, FIRST_LONG + (int)i };
		if (r->letter)
			buf_printf(&t.shorts, "%c%s", r->letter,
				   takes_word(r) ? ":" : "");
	}
	return t;
}

static const struct option_rule *
find_rule(const struct option_rule *rules, int c)
{
	if (c >= FIRST_LONG)
		return &rules[c - FIRST_LONG];
	while (rules->letter != c)
		rules++;
	return rules;
}

static void
apply(const struct option_rule *r, const char *word)
{
	char *option = xasprintf("--%s", r->name);

	switch (r->kind) {
	case OPTION_TRUE:
		*(bool *)r->to = true;
		break;
	case OPTION_SET:
		*(unsigned *)r->to = r->value;
		break;
	case OPTION_BITS:
		*(unsigned *)r->to |= r->value;
		break;
	case OPTION_STRING:
		*(const char **)r->to = word;
		break;
	case OPTION_NUMBER:
		*(uint64_t *)r->to = option_u64(option, word, 0, UINT32_MAX);
		break;
	case OPTION_SECONDS:
		*(uint64_t *)r->to =
			(uint64_t)(option_double(option, word, 0, 1e9) * 1e9);
		break;
	case OPTION_CHOICE:
		*(unsigned *)r->to = option_choice(option, word, r->words);
		break;
	case OPTION_CALL:
		r->call(option, word);
		break;
	case OPTION_PRINT:
		option_print(r->words[0]);
	}
	free(option);
}

int
option_parse(int argc, char **argv, const struct option_rule *rules)
{
	struct tables t = make_tables(rules);
	int c;

	while ((c = option_next(argc, argv, t.shorts.ptr, t.longs)) != -1)
		apply(find_rule(rules, c), optarg);
	free(t.longs);
	buf_free(&t.shorts);
	return optind;
}

void
option_print(const char *text)
{
	if (fputs(text, stdout) < 0 || fclose(stdout))
		die_errno("standard output: write failed");
	exit(0);
}
