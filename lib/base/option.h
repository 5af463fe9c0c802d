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

/* For --help and --version: to standard output, and the program ends. */
void option_print(const char *text) __attribute__((noreturn));

#endif
