/* SPDX-License-Identifier: MIT */
/* The command that a recorder runs: it waits until it is watched, then takes
 * the place of a child. */
#ifndef PK_RECORD_COMMAND_H
#define PK_RECORD_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The recorder's own trouble, and the two ways in which a command cannot be
 * run; as env(1) and nohup(1) have them. */
enum { COMMAND_TROUBLE = 125, COMMAND_REFUSED = 126, COMMAND_MISSING = 127 };

/* A zeroed struct is no command. */
struct command {
	pid_t pid;
	int go, failed; /* pipes to and from the child, until it is released */
	bool ended;
	int status;		     /* of wait(2) */
	uint64_t user_ns, system_ns; /* of it and what it waited for */
};

/* Forks. ARGV will be executed with SIGNALS as its signal mask; with
 * OUTPUT_TO_ERROR its standard output is standard error. */
void command_start(struct command *c, char **argv, const sigset_t *signals,
		   bool output_to_error);
/* Lets it go. 0, or the errno that kept ARGV from being executed. */
int command_release(struct command *c);
/* Looks whether it has ended; with WAIT, until it has. */
void command_reap(struct command *c, bool wait);
/* What the recorder ends with: the command's status, 128 and the number of
 * the signal that ended it, 0 while it runs. */
int command_status(const struct command *c);

#endif
