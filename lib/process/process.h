/* SPDX-License-Identifier: MIT */
/* The sampled processes: their address spaces, names and threads, kept as
 * the kernel's records tell it. */
#ifndef PK_PROCESS_PROCESS_H
#define PK_PROCESS_PROCESS_H

#include "base/map.h"
#include "process/module.h"

struct mapping {
	uint64_t start, end, offset;
	uint32_t module; /* index in modules.list */
	uint32_t execs;	 /* the process's when it was mapped */
};

struct process {
	pid_t pid, ppid;
	uint32_t space;	  /* names the address space to the unwinder's cache */
	uint32_t image;	  /* no other process or exec has the same */
	uint32_t threads; /* alive */
	uint32_t name;	  /* id in processes.names */
	bool started;	  /* its `proc` record is written */
	bool stranger;	  /* its number means another process now */
	uint32_t execs;	  /* of it and of those it was forked from */
	struct mapping *maps; /* ascending, apart; read only */
	size_t n_maps, cap_maps;
	size_t *sharers; /* of maps, until one of them maps; NULL: its own */
};

/* The kernel lets a process have so many; and in all there may be so many,
 * which take 256 MB. More are left out, which is said once. */
enum { PROCESS_MAX_MAPS = 65530, PROCESSES_MAX_MAPS = 8 << 20 };

struct processes {
	struct modules modules;
	struct intern names;
	struct map by_pid;  /* index in list */
	struct map threads; /* pid << 32 | tid: id of a name that is not the
			     * process's */
	struct map alive;   /* pid << 32 | tid: the image they belong to */
	struct process **list;
	size_t n, cap;
	uint32_t last_space, last_image;
	pid_t *ended; /* the last ones, and where the next goes */
	size_t n_ended, cap_ended, next_ended;
	size_t n_maps; /* there is room for, in all */
	bool full;     /* some were left out */
};

/* NULL when it is not known. */
struct process *process_find(const struct processes *t, pid_t pid);
/* Known from here on, with one thread (its first) and an empty address space,
 * also when its number was in use before. */
struct process *process_start(struct processes *t, pid_t pid, pid_t ppid,
			      struct slice name);
/* A thread of P that is not known yet, and one that is. False when that was
 * so already: records and /proc tell of the same. */
bool process_add_thread(struct processes *t, struct process *p, pid_t tid);
bool process_end_thread(struct processes *t, struct process *p, pid_t tid);
bool process_has_thread(const struct processes *t, const struct process *p,
			pid_t tid);
/* Forgets all names that nobody has any more. */
void processes_forget_names(struct processes *t);
/* A child with a copy of PARENT's address space, named as its thread TID. */
struct process *process_fork(struct processes *t, struct process *parent,
			     pid_t tid, pid_t child);
/* The number means another process now, which is not kept: process_find does
 * not find it. */
void process_forget(struct processes *t, pid_t pid);
/* P has ended. Late samples, and records in another ring, may still need what
 * it had mapped: that is kept until 256 others have ended. */
void process_end(struct processes *t, const struct process *p);
/* A new image: no names of threads but the process's. Where it maps nothing,
 * what the image before had there is still known, until the next exec: during
 * this one the user's registers are the old ones. */
void process_exec(struct processes *t, struct process *p, struct slice name);

/* Code is mapped; what lay there before is gone. */
void process_map(struct processes *t, struct process *p, uint64_t start,
		 uint64_t size, uint64_t offset, const struct module_key *key);
const struct mapping *process_find_mapping(const struct process *p,
					   uint64_t addr);

/* The id in names of what thread TID is called. */
uint32_t process_thread_name(const struct processes *t, const struct process *p,
			     pid_t tid);
void process_name_thread(struct processes *t, const struct process *p,
			 pid_t tid, uint32_t name);
void process_forget_thread(struct processes *t, const struct process *p,
			   pid_t tid);

void processes_free(struct processes *t);

#endif
