/* SPDX-License-Identifier: MIT */
/*
 * What a recorder does about signals. They come through a descriptor. The
 * first interrupt or request to end is the command's own affair: from the
 * terminal it has reached it already, others are passed on. The second ends
 * the recording; so does the first, where there is no command.
 */
#ifndef PK_RECORD_SIGNALS_H
#define PK_RECORD_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include "record/command.h"

/* Blocks SIGINT, SIGTERM, SIGHUP (each unless it is ignored: nohup(1) protects
 * a recording, too) and SIGCHLD. Returns the descriptor; OLD receives the mask
 * that was, for command_start. */
int signals_open(sigset_t *old);

/* Right after command_start: what came before there was a command to reach is
 * its affair, too. */
void signals_pass_on(const struct command *c);

/* Handles what has come and reaps C. False when a request means the recorder:
 * any, once RECORDING is over. */
bool signals_take(int fd, struct command *c, bool recording);

/* Waits for C's end, or for a request that means the recorder. */
void signals_wait(int fd, struct command *c);

#endif
