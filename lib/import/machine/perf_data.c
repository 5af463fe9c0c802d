/* SPDX-License-Identifier: MIT */
/* perf.data becomes a capture: what its records say of processes, and each
 * sample, as pk-sample would have written them. */
#include "import/machine/perf_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "import/machine/formats.h"

int
machine_guess_perf_data(struct slice head)
{
	return perf_is_recording(head) ? 100 : 0;
}

/* ---- processes ---- */

static bool
has_time(const struct perf_origin *o)
{
	return o->time && o->time != UINT64_MAX;
}

/* Of a process that no record has told of: called as perf script does. */
static struct process *
get_process(struct perf_reader *r, uint32_t pid, uint32_t tid)
{
	struct process *p = process_find(&r->procs, (pid_t)pid);
	char name[16];

	if (p)
		return p;
	if (!pid)
		snprintf(name, sizeof name, "swapper");
	else
		snprintf(name, sizeof name, ":%d", (int)tid);
	return process_start(&r->procs, (pid_t)pid, 0, slice_str(name));
}

static void
take_mmap(void *ctx, const struct perf_mmap *m)
{
	struct perf_reader *r = ctx;
	char id[2 * UNWIND_MAX_BUILD_ID + 1];
	struct module_key key = { .major = m->maj,
				  .minor = m->min,
				  .inode = m->ino,
				  .generation = m->generation,
				  .path = m->path };

	if (m->pid == UINT32_MAX) {
		perf_map_kernel(r, m);
		return;
	}
	if (!m->executable)
		return;
	perf_hex_id(m->build_id, id);
	key.build_id = slice_str(id);
	process_map(&r->procs, get_process(r, m->pid, m->tid), m->addr, m->len,
		    m->pgoff, &key);
}

static void
take_comm(void *ctx, const struct perf_comm *c)
{
	struct perf_reader *r = ctx;
	struct process *p = get_process(r, c->pid, c->tid);

	if (c->exec) {
		process_exec(&r->procs, p, c->name);
		return;
	}
	process_add_thread(&r->procs, p, (pid_t)c->tid);
	/* What was there before the recording is told without a time. */
	if (c->pid == c->tid && !has_time(&c->origin))
		p->name = intern_add(&r->procs.names, c->name);
	process_name_thread(&r->procs, p, (pid_t)c->tid,
			    intern_add(&r->procs.names, c->name));
}

static void
take_fork(void *ctx, const struct perf_task *t)
{
	struct perf_reader *r = ctx;
	struct process *parent = get_process(r, t->ppid, t->ptid);

	if (t->pid != t->ppid && has_time(&t->origin)) {
		process_fork(&r->procs, parent, (pid_t)t->ptid, (pid_t)t->pid);
	} else if (t->pid != t->ppid) {
		/* Perf tells of those that ran already so, too; their mappings
		 * follow. */
		get_process(r, t->pid, t->tid);
	} else if (process_add_thread(&r->procs, parent, (pid_t)t->tid)) {
		process_name_thread(
			&r->procs, parent, (pid_t)t->tid,
			process_thread_name(&r->procs, parent, (pid_t)t->ptid));
	}
}

static void
take_exit(void *ctx, const struct perf_task *t)
{
	struct perf_reader *r = ctx;
	struct process *p = process_find(&r->procs, (pid_t)t->pid);

	if (p && process_end_thread(&r->procs, p, (pid_t)t->tid) && !p->threads)
		process_end(&r->procs, p);
}

static void
take_ksymbol(void *ctx, const struct perf_ksymbol *k)
{
	if (!k->unregister)
		perf_add_kernel_code(ctx, k);
}

static void
take_lost(void *ctx, const struct perf_lost *l)
{
	struct perf_reader *r = ctx;
	uint64_t *sum = l->samples ? &r->lost_samples : &r->lost;

	if (__builtin_add_overflow(*sum, l->count, sum))
		*sum = UINT64_MAX;
}

static void
take_throttle(void *ctx, const struct perf_origin *o, bool begins)
{
	struct perf_reader *r = ctx;

	(void)o;
	r->throttled += begins;
}

/* ---- metadata ---- */

static void
add_meta(struct perf_reader *r, const char *key, struct slice value)
{
	if (value.len)
		capture_add_meta(r->c, slice_str(key), value);
}

static void
add_meta_number(struct perf_reader *r, const char *key, uint64_t value)
{
	struct buf b = { 0 };

	buf_u64(&b, value);
	add_meta(r, key, buf_get(&b));
	buf_free(&b);
}

/* Of the samples' clock and the wall clock two readings at one time are in the
 * header, if perf was asked for that. */
static void
add_start(struct perf_reader *r)
{
	const struct perf_header *h = r->header;
	char text[32];
	struct tm tm;
	time_t then;

	if (!h->wall_clock || r->start == UINT64_MAX)
		return;
	then = (time_t)((h->wall_clock - h->clock_at_wall + r->start) /
			1000000000);
	if (gmtime_r(&then, &tm) &&
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		add_meta(r, "start", slice_str(text));
}

/* How stacks were taken, by the first event. */
static void
add_settings(struct perf_reader *r)
{
	const struct perf_event *e;
	size_t n;

	e = perf_events(r->file, &n);
	if (!n)
		return;
	if (e->attr.freq)
		add_meta_number(r, "frequency", e->attr.sample_freq);
	if (e->attr.sample_type & PERF_SAMPLE_STACK_USER) {
		add_meta(r, "unwind", SLICE_LIT("cfi"));
		add_meta_number(r, "stack-size", e->attr.sample_stack_user);
	} else {
		add_meta(r, "unwind",
			 e->attr.sample_type & PERF_SAMPLE_CALLCHAIN
				 ? SLICE_LIT("fp")
				 : SLICE_LIT("none"));
	}
}

/* Once, as early as it is known: before the first sample. */
static void
add_metadata(struct perf_reader *r)
{
	const struct perf_header *h = r->header;
	struct buf tool = { 0 };

	if (r->described)
		return;
	r->described = true;
	buf_str(&tool, "perf ");
	buf_slice(&tool, h->version);
	add_meta(r, "tool", buf_get(&tool));
	buf_free(&tool);
	add_meta(r, "command", h->cmdline);
	add_meta(r, "host", h->hostname);
	add_meta(r, "kernel", h->os_release);
	add_meta(r, "arch", h->arch);
	add_start(r);
	add_settings(r);
	if (h->cpus_online)
		add_meta_number(r, "cpus", h->cpus_online);
}

/* ---- samples ---- */

static bool
is_clock(const struct perf_event_attr *a)
{
	return a->type == PERF_TYPE_SOFTWARE &&
	       (a->config == PERF_COUNT_SW_CPU_CLOCK ||
		a->config == PERF_COUNT_SW_TASK_CLOCK);
}

/* The nominal one, in the event's unit; 0: it varies. */
static uint64_t
nominal_period(const struct perf_event_attr *a)
{
	if (!a->freq)
		return a->sample_period;
	if (!is_clock(a) || !a->sample_freq || a->sample_freq > 1000000000)
		return 0;
	return 1000000000 / a->sample_freq;
}

/* In their order: the first one counts. A pipe brings them bit by bit. */
static void
define_events(struct perf_reader *r)
{
	const struct perf_event *list;
	size_t n, i;

	list = perf_events(r->file, &n);
	if (n == r->n_events)
		return;
	GROW(r->event_of, r->cap_events, n);
	for (i = r->n_events; i < n; i++) {
		const struct perf_event *e = &list[i];

		r->event_of[i] = UINT32_MAX;
		if (e->tracks_only)
			continue;
		r->event_of[i] = capture_add_event(
			r->c, slice_str(is_clock(&e->attr) ? "ns" : "count"),
			nominal_period(&e->attr), e->name);
		if (r->event_of[i] != UINT32_MAX)
			r->c->events[r->event_of[i]].weighed = true;
	}
	r->n_events = n;
}

static uint32_t
event_of(struct perf_reader *r, const struct perf_event *e)
{
	size_t n, i;

	define_events(r);
	i = (size_t)(e - perf_events(r->file, &n));
	return r->event_of[i];
}

/* An event of a varying period that was not recorded counts its samples. */
static uint64_t
weight_of(const struct perf_sample *s)
{
	bool told = s->event->attr.sample_type & PERF_SAMPLE_PERIOD;

	return told || s->period ? s->period : 1;
}

/* The number in the capture of a name. */
static uint32_t
name_of(struct perf_reader *r, uint32_t id)
{
	size_t cap = r->cap_name_of;

	GROW(r->name_of, r->cap_name_of, (size_t)id + 1);
	if (r->cap_name_of > cap)
		memset(r->name_of + cap, 0,
		       (r->cap_name_of - cap) * sizeof *r->name_of);
	if (!r->name_of[id])
		r->name_of[id] =
			1 + intern_add(&r->c->names,
				       intern_get(&r->procs.names, id));
	return r->name_of[id] - 1;
}

/* Since the first one. */
static uint64_t
time_of(struct perf_reader *r, const struct perf_origin *o)
{
	if (!has_time(o))
		return 0;
	if (r->start == UINT64_MAX)
		r->start = o->time;
	return o->time > r->start ? o->time - r->start : 0;
}

static void
take_sample(void *ctx, const struct perf_sample *s)
{
	struct perf_reader *r = ctx;
	uint32_t pid = s->origin.pid, tid = s->origin.tid;
	struct process *p = get_process(r, pid, tid);
	struct capture_sample out = { .time = time_of(r, &s->origin),
				      .pid = pid,
				      .tid = tid };

	add_metadata(r);
	out.event = event_of(r, s->event);
	if (out.event == UINT32_MAX)
		return;
	out.cpu = s->origin.cpu == UINT32_MAX ? 0 : s->origin.cpu;
	out.weight = weight_of(s);
	out.node = perf_add_stack(r, p, s);
	out.name_id = name_of(r, process_thread_name(&r->procs, p, (pid_t)tid));
	out.name = intern_get(&r->c->names, out.name_id);
	r->c->n_samples++;
	r->fn(r->ctx, &out);
}

/* ---- the whole ---- */

/* A ring that was full cost records, and perf asks the kernel in addition how
 * many of them were samples. */
static void
add_lacks(struct perf_reader *r)
{
	uint64_t lost = r->lost > r->lost_samples ? r->lost : r->lost_samples;

	if (lost)
		capture_add_lack(r->c, SLICE_LIT("lost"), lost);
	if (r->throttled)
		capture_add_lack(r->c, SLICE_LIT("throttled"), r->throttled);
}

static void
reader_free(struct perf_reader *r)
{
	perf_free_chains(r);
	perf_free_listed(r);
	process_walker_free(&r->walker);
	processes_free(&r->procs);
	free(r->kernel.list);
	kernel_free(&r->symbols);
	free(r->event_of);
	free(r->name_of);
	perf_close(r->file);
}

bool
machine_read_perf_data(struct capture *c, struct input *in,
		       const struct symbol_options *opt, capture_sample_fn *fn,
		       void *ctx)
{
	static const struct perf_handler handler = {
		.sample = take_sample,
		.mmap = take_mmap,
		.comm = take_comm,
		.fork = take_fork,
		.exit = take_exit,
		.ksymbol = take_ksymbol,
		.lost = take_lost,
		.throttle = take_throttle,
	};
	struct perf_reader r = {
		.c = c, .opt = opt, .fn = fn, .ctx = ctx, .start = UINT64_MAX
	};
	bool good;

	r.file = perf_open(in);
	if (!r.file)
		return false;
	r.name = perf_name(r.file);
	r.header = perf_header(r.file);
	c->n_captures++;
	process_walker_start(&r.walker, &r.procs);
	r.procs.modules.load = perf_load_module;
	r.procs.modules.load_ctx = &r;
	define_events(&r);
	good = perf_read(r.file, &handler, &r);
	add_metadata(&r);
	add_lacks(&r);
	perf_name_kernel(&r);
	perf_name_others(&r);
	reader_free(&r);
	return good;
}
