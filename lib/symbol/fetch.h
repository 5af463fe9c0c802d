/* SPDX-License-Identifier: MIT */
/*
 * Debug files from the servers that DEBUGINFOD_URLS names. libdebuginfod is
 * loaded when it is first needed, as elfutils' own programs do, so that nobody
 * needs it who asks no server.
 *
 * Servers that cannot be reached, or from which nothing came for
 * DEBUGINFOD_TIMEOUT (20) seconds, are said once and not asked again, and so is
 * an interrupt from the keyboard, which ends fetching and not the program.
 * Files of more than DEBUGINFOD_MAXSIZE bytes (2 GB) are not fetched.
 */
#ifndef PK_SYMBOL_FETCH_H
#define PK_SYMBOL_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

struct fetcher;

/* Asks nobody unless ALLOWED and DEBUGINFOD_URLS is set. */
struct fetcher *fetcher_new(bool allowed);
void fetcher_free(struct fetcher *f);

/* The debug file of this build id in the user's cache, to be freed, or NULL.
 * MODULE is what progress on a terminal calls it. The file is untrusted. */
char *fetch_debug_file(struct fetcher *f, const unsigned char *id, size_t len,
		       struct slice module);
/* Says once that PATH, the file it gave last, is another one. */
void fetch_refuse(struct fetcher *f, const char *path);

#endif
