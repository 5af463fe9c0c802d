/* SPDX-License-Identifier: MIT */
/* What /proc tells of processes that run. All of it may be gone at any time,
 * and names in it are any bytes. */
#ifndef PK_RECORD_PROCFS_H
#define PK_RECORD_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "process/process.h"

/* Calls FN for each process, or each thread of one, until it returns false. */
void procfs_each_process(bool (*fn)(void *ctx, pid_t pid), void *ctx);
void procfs_each_thread(pid_t pid, bool (*fn)(void *ctx, pid_t tid), void *ctx);

/* The name of a thread, without a NUL; its length, 0 when it is gone. */
size_t procfs_name(pid_t pid, pid_t tid, char name[64]);

/* The process that a thread belongs to; 0 when it is gone. */
pid_t procfs_process_of(pid_t tid);

/* All 0 when it is gone. */
struct proc_stat {
	char state; /* as ps(1) shows it */
	pid_t ppid;
	uint64_t started; /* CLOCK_MONOTONIC, ns, to a clock tick below */
};
struct proc_stat procfs_stat(pid_t pid, pid_t tid);

/* Maps what /proc/PID/maps shows now. */
void procfs_read_maps(struct processes *t, struct process *p);

#endif
