/* SPDX-License-Identifier: MIT */
/*
 * Messages to people, on standard error. Each is one line and one write(2);
 * control bytes in it are shown as \xHH, since names and paths are untrusted.
 *
 * Effect on the exit status: note and warning none; trouble makes
 * msg_status() the program's trouble status; die ends the program with it.
 */
#ifndef PK_BASE_MSG_H
#define PK_BASE_MSG_H

#include <stdbool.h>

/* Call first in main. TROUBLE_STATUS is 2, or 125 for recorders. SIGXFSZ is
 * ignored from then on: who executes a command gives it the default back. */
void msg_init(const char *program, int trouble_status);

void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warning_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trouble(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trouble_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void die_errno(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* For mistakes on the command line: adds where help is to be had. */
void die_usage(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/*
 * A line on the terminal that the next call, or any message, takes the place
 * of; nothing where standard error is no terminal. Who calls it waits a second
 * first, and ends it.
 */
void progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);

/* For fuzz targets, which meet millions of mistakes: nothing is printed. */
void msg_mute(void);

/* The status the program should end with: 0, or trouble's. */
int msg_status(void);

#endif
