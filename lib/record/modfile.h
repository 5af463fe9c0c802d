/* SPDX-License-Identifier: MIT */
/*
 * The files of the modules of processes that run: found through the process
 * when the first sample hits them, and open as long as somebody has them
 * mapped and there are descriptors to spare.
 */
#ifndef PK_RECORD_MODFILE_H
#define PK_RECORD_MODFILE_H

#include "process/module.h"

/* modules.load: finds and reads the file, once; opens it again when it was
 * released. */
void module_load(void *ctx, struct module *m, const struct module_place *at);

/* The file, when it still is the one that was loaded; to be closed by the
 * caller; or -1. */
int module_open_file(const struct module *m);
/* Whether M's path no longer leads, for us, to the file that was loaded. */
bool module_is_replaced(const struct module *m);
/* The separate debug file with M's build id; to be closed by the caller; or
 * -1. */
int module_open_debug(const struct module *m);

/* A JIT's perf-PID.map, in the root directory of its process or in ours; to be
 * closed by the caller; or -1 and *WHY, NULL when it is just not there. */
int module_open_map(const struct module *m, bool in_its_root, const char **why);
void module_close(struct module *m);
/* Until the next hit: see release.c. */
void module_release(struct module *m);

#endif
