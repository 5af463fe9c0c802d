/* SPDX-License-Identifier: MIT */
/* Records other than samples: processes, their names and what they map. */
#include "record/internal.h"

#include "base/xalloc.h"
#include "record/procfs.h"

/* sample_id_all's trailer: pid and tid, time, cpu, event's number. */
enum { TRAILER = 32 };

uint64_t
record_time(const struct recorder *r, uint64_t monotonic)
{
	return monotonic > r->start ? monotonic - r->start : 0;
}

uint64_t
record_sideband_time(const struct perf_event_header *h)
{
	uint64_t time;

	if (h->size < sizeof *h + TRAILER)
		return 0;
	memcpy(&time, (const char *)h + h->size - TRAILER + 8, sizeof time);
	return time;
}

/* The text at FROM, up to its NUL, in front of the trailer. */
static struct slice
record_text(const struct perf_event_header *h, size_t from)
{
	const char *p = (const char *)h;

	if (h->size < from + TRAILER)
		return (struct slice){ p, 0 };
	return (struct slice){ p + from,
			       strnlen(p + from, h->size - TRAILER - from) };
}

static void
write_proc(struct recorder *r, struct process *p, uint64_t time,
	   const char *how)
{
	p->started = true;
	capture_write_proc(&r->w, record_time(r, time), (uint32_t)p->pid,
			   (uint32_t)p->ppid, how,
			   intern_get(&r->procs.names, p->name));
}

static void
take_name(struct recorder *r, const struct process *p, pid_t tid,
	  struct slice name, uint64_t time)
{
	/* A thread that renames itself all the time must not fill the memory
	 * while nobody takes the output. */
	if (sink_is_full(r->sink))
		return;
	process_name_thread(&r->procs, p, tid,
			    intern_add(&r->procs.names, name));
	capture_write_name(&r->w, record_time(r, time), (uint32_t)p->pid,
			   (uint32_t)tid, name);
}

/* With -t, others' switches are seen, too. */
static bool
is_recorded_thread(const struct recorder *r, pid_t tid)
{
	return !r->by_thread || map_find(&r->attached, (uint64_t)tid);
}

struct found {
	struct recorder *r;
	struct process *p;
	uint64_t time;
};

static bool
find_thread(void *ctx, pid_t tid)
{
	struct found *f = ctx;
	struct recorder *r = f->r;
	char text[64];
	struct slice name = { text, procfs_name(f->p->pid, tid, text) };

	process_add_thread(&r->procs, f->p, tid);
	if (r->opt.off_cpu && is_recorded_thread(r, tid))
		record_wait_unseen(r, f->p->pid, tid);
	if (name.len &&
	    !slice_eq(name, intern_get(&r->procs.names, f->p->name)))
		take_name(r, f->p, tid, name, f->time);
	return true;
}

struct process *
record_find_process(struct recorder *r, pid_t pid, uint64_t time)
{
	char name[64];
	size_t n = procfs_name(pid, pid, name);
	struct slice s = n     ? (struct slice){ name, n }
			 : pid ? SLICE_LIT("[ended]")
			       : SLICE_LIT("[idle]");
	struct process *p = process_start(&r->procs, pid, 0, s);

	procfs_read_maps(&r->procs, p);
	write_proc(r, p, time, "found");
	/* Its threads, and the names of those not called like it. */
	procfs_each_thread(pid, find_thread, &(struct found){ r, p, time });
	return p;
}

/* Forked by one of ours since the recording began. */
static bool
is_ours_and_new(const struct recorder *r, pid_t pid)
{
	struct proc_stat s = procfs_stat(pid, pid);

	return process_find(&r->procs, s.ppid) && s.started >= r->began;
}

/* Where whole processors are watched for some processes' sake, the others are
 * nobody. That a process was forked by one of ours may be among the records
 * that were lost. */
static bool
is_stranger(struct recorder *r, pid_t pid)
{
	bool added;

	if (!r->per_cpu || r->opt.everything)
		return false;
	if (!r->counts.lost && !r->before.lost)
		return true;
	map_put(&r->strangers, (uint32_t)pid, &added);
	if (added && is_ours_and_new(r, pid))
		map_remove(&r->strangers, (uint32_t)pid);
	return map_find(&r->strangers, (uint32_t)pid);
}

struct process *
record_get_process(struct recorder *r, pid_t pid, uint64_t time)
{
	struct process *p = process_find(&r->procs, pid);

	if (p || is_stranger(r, pid))
		return p;
	return record_find_process(r, pid, time);
}

static bool
find_process(void *ctx, pid_t pid)
{
	struct recorder *r = ctx;

	if (!process_find(&r->procs, pid))
		record_find_process(r, pid, r->start);
	return true;
}

void
record_find_processes(struct recorder *r)
{
	procfs_each_process(find_process, r);
}

void
record_repeat_processes(struct recorder *r)
{
	size_t i;

	for (i = 0; i < r->procs.n; i++)
		if (r->procs.list[i]->threads && r->procs.list[i]->started)
			write_proc(r, r->procs.list[i], r->start, "found");
	for (i = 0; r->procs.threads.n && i <= r->procs.threads.mask; i++) {
		const struct map_entry *e = &r->procs.threads.entries[i];

		if (e->used)
			capture_write_name(
				&r->w, 0, (uint32_t)(e->key >> 32),
				(uint32_t)e->key,
				intern_get(&r->procs.names, e->value));
	}
}

struct map_record {
	struct perf_event_header h;
	uint32_t pid, tid;
	uint64_t addr, len, offset;
	uint32_t major, minor;
	uint64_t inode, generation;
	uint32_t prot, flags;
	char path[];
};

static void
take_exec(struct recorder *r, struct process *p, struct slice name,
	  uint64_t time)
{
	bool first = p->pid == r->command;

	/* The next image may write a map of its own. */
	record_write_jit_symbols(r, p->pid);
	process_exec(&r->procs, p, name);
	write_proc(r, p, time, first ? "start" : "exec");
	if (first)
		r->command = 0;
}

/* That the command was executed may be among the records that were lost; what
 * it maps shows it. */
static void
assume_exec(struct recorder *r, struct process *p, uint64_t time)
{
	char name[64];
	struct slice s = { name, procfs_name(p->pid, p->pid, name) };

	take_exec(r, p, s, time);
}

static void
take_map(struct recorder *r, const struct perf_event_header *h, uint64_t time)
{
	const struct map_record *m = (const void *)h;
	struct module_key key;
	struct process *p;

	if (h->size < sizeof *m + TRAILER || (int32_t)m->pid <= 0)
		return;
	key = (struct module_key){ .major = m->major,
				   .minor = m->minor,
				   .inode = m->inode,
				   .generation = m->generation,
				   .path = record_text(h, sizeof *m) };
	p = record_get_process(r, (pid_t)m->pid, time);
	if (!p)
		return;
	if (p->pid == r->command && r->counts.lost)
		assume_exec(r, p, time);
	process_map(&r->procs, p, m->addr, m->len, m->offset, &key);
}

struct comm_record {
	struct perf_event_header h;
	uint32_t pid, tid;
	char comm[];
};

static void
take_comm(struct recorder *r, const struct perf_event_header *h, uint64_t time)
{
	const struct comm_record *c = (const void *)h;
	struct slice name;
	struct process *p;

	if (h->size < sizeof *c + TRAILER || (int32_t)c->pid <= 0)
		return;
	name = record_text(h, sizeof *c);
	p = record_get_process(r, (pid_t)c->pid, time);
	if (!p)
		return;
	if (h->misc & PERF_RECORD_MISC_COMM_EXEC) {
		take_exec(r, p, name, time);
		return;
	}
	take_name(r, p, (pid_t)c->tid, name, time);
}

struct task_record {
	struct perf_event_header h;
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
};

/* A thread takes the name of the one that made it. That is written even when
 * it is the process's: another thread may have had this number. */
static void
take_new_thread(struct recorder *r, struct process *p,
		const struct task_record *t, uint64_t time)
{
	uint32_t name = process_thread_name(&r->procs, p, (pid_t)t->ptid);

	if (!process_add_thread(&r->procs, p, (pid_t)t->tid))
		return; /* and it may have another name by now */
	if (name != p->name)
		process_name_thread(&r->procs, p, (pid_t)t->tid, name);
	capture_write_name(&r->w, record_time(r, time), t->pid, t->tid,
			   intern_get(&r->procs.names, name));
}

static void
take_fork(struct recorder *r, const struct perf_event_header *h, uint64_t time)
{
	const struct task_record *t = (const void *)h;
	struct process *parent;

	if (h->size < sizeof *t || (int32_t)t->pid <= 0)
		return;
	parent = record_get_process(r, (pid_t)t->ppid, time);
	if (!parent) {
		/* The number of one of ours may be in use again. */
		process_forget(&r->procs, (pid_t)t->pid);
		return;
	}
	map_remove(&r->strangers, t->pid);
	if (t->pid == t->ppid)
		take_new_thread(r, parent, t, time);
	else
		write_proc(r,
			   process_fork(&r->procs, parent, (pid_t)t->ptid,
					(pid_t)t->pid),
			   time, "fork");
}

static void
take_exit(struct recorder *r, const struct perf_event_header *h, uint64_t time)
{
	const struct task_record *t = (const void *)h;
	struct process *p;

	if (h->size < sizeof *t)
		return;
	p = process_find(&r->procs, (pid_t)t->pid);
	if (!p)
		return;
	process_forget_thread(&r->procs, p, (pid_t)t->tid);
	record_wait_forget(r, (pid_t)t->tid);
	if (!process_end_thread(&r->procs, p, (pid_t)t->tid) || p->threads)
		return;
	record_write_jit_symbols(r, p->pid);
	write_proc(r, p, time, "exit");
	process_end(&r->procs, p);
}

static void
take_lost(struct recorder *r, const struct perf_event_header *h)
{
	const uint64_t *word = (const void *)h;

	/* LOST has the event's id in front of the count. */
	if (h->type == PERF_RECORD_LOST && h->size >= 24)
		r->counts.lost += word[2];
	else if (h->type == PERF_RECORD_LOST_SAMPLES && h->size >= 16)
		r->counts.lost += word[1];
}

struct trailer {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint64_t id;
};

static bool
is_chosen_cpu(const struct recorder *r, uint32_t cpu)
{
	size_t i;

	for (i = 0; i < r->n_cpus; i++)
		if ((uint32_t)r->cpus[i] == cpu)
			return r->is_chosen[i];
	return false;
}

static void
take_switch(struct recorder *r, const struct perf_event_header *h)
{
	struct trailer t;
	const struct process *p;

	if (h->size < sizeof *h + sizeof t)
		return;
	memcpy(&t, (const char *)h + h->size - sizeof t, sizeof t);
	if ((int32_t)t.pid <= 0 || (int32_t)t.tid <= 0 ||
	    !is_recorded_thread(r, (pid_t)t.tid) ||
	    (r->command && (pid_t)t.pid == r->command))
		return;
	p = record_get_process(r, (pid_t)t.pid, t.time);
	/* An ended thread's last switch is no wait. */
	if (!p || !process_has_thread(&r->procs, p, (pid_t)t.tid))
		return;
	if (!(h->misc & PERF_RECORD_MISC_SWITCH_OUT))
		record_wait_ends(r, (pid_t)t.tid, t.cpu, t.time);
	else if (is_chosen_cpu(r, t.cpu))
		record_wait_begins(r, (pid_t)t.pid, (pid_t)t.tid, t.time,
				   h->misc &
					   PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
}

void
record_sideband(struct recorder *r, const struct perf_event_header *h)
{
	uint64_t time = record_sideband_time(h);

	switch (h->type) {
	case PERF_RECORD_MMAP2:
		take_map(r, h, time);
		break;
	case PERF_RECORD_COMM:
		take_comm(r, h, time);
		break;
	case PERF_RECORD_FORK:
		take_fork(r, h, time);
		break;
	case PERF_RECORD_EXIT:
		take_exit(r, h, time);
		break;
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		take_lost(r, h);
		break;
	case PERF_RECORD_THROTTLE:
		r->counts.throttled++;
		break;
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		if (r->opt.off_cpu)
			take_switch(r, h);
		break;
	}
}
