/* SPDX-License-Identifier: MIT */
/* Command lines: getopt_long with complaints that look like all other
 * messages. Mistakes end the program with its trouble status. */
#ifndef PK_BASE_OPTION_H
#define PK_BASE_OPTION_H

#include <getopt.h>

/* The next option's value as getopt_long returns it, -1 behind the last.
 * SHORTS as for getopt, optionally with a leading '+', without ':' there. */
int option_next(int argc, char **argv, const char *shorts,
		const struct option *longs);

/* The index of TEXT in the NULL-ended NAMES; another word is a mistake in
 * OPTION's use. */
unsigned option_choice(const char *option, const char *text,
		       const char *const *names);

/*
 * An option and what it does, for programs with many: a table of these, ended
 * by one without a name. TO is, by kind, a bool, an unsigned or an enum, a
 * uint64_t or a const char *.
 */
struct option_rule {
	const char *name;
	char letter; /* 0: it has none */
	enum option_kind {
		OPTION_TRUE,	/* bool = true */
		OPTION_SET,	/* unsigned = value */
		OPTION_BITS,	/* unsigned |= value */
		OPTION_STRING,	/* const char * = the word */
		OPTION_NUMBER,	/* uint64_t, up to 32 bits */
		OPTION_SECONDS, /* uint64_t, in ns */
		OPTION_CHOICE,	/* unsigned = the word's index in words */
		OPTION_CALL,	/* call(the option's name, the word) */
		OPTION_PRINT,	/* words[0] is printed, the program ends */
	} kind;
	void *to;
	unsigned value;
	const char *const *words;
	void (*call)(const char *option, const char *word);
};

/* Takes all options and does what RULES say; returns the index of the first
 * operand. */
int option_parse(int argc, char **argv, const struct option_rule *rules);

/* For --help and --version: to standard output, and the program ends. */
void option_print(const char *text) __attribute__((noreturn));

#endif
