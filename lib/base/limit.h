/* SPDX-License-Identifier: MIT */
/* Limits of the process. */
#ifndef PK_BASE_LIMIT_H
#define PK_BASE_LIMIT_H

/* As many open files as this user may have: an event takes a descriptor for
 * each thread and processor, a symbolizer one for each file. Not for a process
 * that still executes another program, which would inherit it. */
void raise_file_limit(void);

/* The processors that this process may run on, at least one and at most MOST:
 * as many threads may be worth their while. */
int usable_processors(int most);

#endif
