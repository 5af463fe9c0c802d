/* SPDX-License-Identifier: MIT */
#include "record/internal.h"

#include <stdlib.h>

/* The record's parts, in the order of linux/perf_event.h for this recorder's
 * sample_type. */
struct sample {
	const struct record_event *event;
	uint64_t ip, time, period;
	uint32_t pid, tid, cpu;
	bool in_kernel;
	const uint64_t *chain;
	uint64_t n_chain;
	uint64_t abi;
	const uint64_t *regs; /* NULL without */
	struct unwind_stack stack;
};

/* Of the mask in event.c. */
enum { N_REGS = 17 };

/* In 64-bit words: header, event's number, ip, pid and tid, time. */
enum { TIME_AT = 4 };

uint64_t
record_sample_time(const struct perf_event_header *h)
{
	const uint64_t *word = (const void *)h;

	return h->size >= (TIME_AT + 1) * 8 ? word[TIME_AT] : 0;
}

static bool
parse_stack(struct sample *s, const uint64_t *word, const uint64_t *end)
{
	uint64_t size;

	if (word >= end)
		return false;
	s->abi = *word++;
	if (s->abi) {
		if (end - word < N_REGS)
			return false;
		s->regs = word;
		word += N_REGS;
	}
	if (word >= end)
		return false;
	size = *word++;
	if (!size)
		return true;
	if (size % 8 || size / 8 >= (uint64_t)(end - word))
		return false;
	s->stack.bytes = (const void *)word;
	s->stack.size = word[size / 8]; /* what was there to copy */
	return s->stack.size <= size;
}

static bool
parse_sample(const struct recorder *r, const struct perf_event_header *h,
	     struct sample *s)
{
	const uint64_t *word = (const void *)h, *end = word + h->size / 8;
	const uint32_t *event;

	if (end - word < 6)
		return false;
	event = map_find(&r->event_of_id, word[1]);
	if (!event || r->events[*event].role == EVENT_TRACK)
		return false;
	*s = (struct sample){ .event = &r->events[*event],
			      .ip = word[2],
			      .pid = (uint32_t)word[3],
			      .tid = (uint32_t)(word[3] >> 32),
			      .time = word[4],
			      .cpu = (uint32_t)word[5] };
	s->in_kernel = (h->misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
		       PERF_RECORD_MISC_KERNEL;
	word += 6;
	if (end - word < 1 + s->event->attr.freq)
		return false;
	s->period = s->event->attr.freq ? *word++ : s->event->period;
	s->n_chain = *word++;
	if (s->n_chain > (uint64_t)(end - word))
		return false;
	s->chain = word;
	word += s->n_chain;
	return r->opt.unwind != RECORD_CFI || parse_stack(s, word, end);
}

/* ---- user frames ---- */

static uint32_t
write_user_frames(struct recorder *r, uint32_t node, size_t n)
{
	while (n--)
		node = record_user_frame(r, node, &r->walker.frames[n]);
	return node;
}

/* The node that says that a stack is cut, or 0. FULL: as much was copied as
 * was asked for. */
static uint32_t
write_cut(struct recorder *r, enum unwind_end end, bool full)
{
	switch (end) {
	case UNWIND_COMPLETE:
		return 0;
	case UNWIND_TRUNCATED:
	case UNWIND_LIMIT:
		return record_special(r, 0, full ? TRUNCATED : UNREADABLE);
	default:
		return record_special(r, 0, NO_CFI);
	}
}

static uint32_t
unwind_cfi(struct recorder *r, const struct process *p, struct sample *s)
{
	struct unwind_regs regs = process_take_regs(
		s->event->attr.sample_regs_user, s->regs, N_REGS);
	enum unwind_end end;
	size_t n;

	s->stack.addr = regs.reg[UNWIND_RSP];
	n = process_walk(&r->walker, p, &regs, &s->stack, &end);
	return write_user_frames(
		r, write_cut(r, end, s->stack.size == r->opt.stack_size), n);
}

/* What the kernel found by following frame pointers. It stops at a number of
 * frames, those of its own included. */
static uint32_t
take_chain(struct recorder *r, const struct process *p, const struct sample *s)
{
	struct unwind_frame *frames = process_frames(&r->walker);
	bool user = false;
	size_t n = 0, all = 0;
	uint64_t i;

	for (i = 0; i < s->n_chain && n < FRAMES_MAX; i++) {
		if (s->chain[i] >= (uint64_t)PERF_CONTEXT_MAX) {
			user = s->chain[i] == (uint64_t)PERF_CONTEXT_USER;
			continue;
		}
		all++;
		if (user)
			frames[n] = process_find_frame(&r->walker, p,
						       s->chain[i] - !!n),
			n++;
	}
	return write_user_frames(
		r, all < r->chain_max ? 0 : record_special(r, 0, TRUNCATED), n);
}

static uint32_t
write_user_stack(struct recorder *r, const struct process *p, struct sample *s)
{
	struct unwind_frame frame;

	if (r->opt.unwind == RECORD_FP)
		return take_chain(r, p, s);
	/* In the middle of an exec or an exit there is no user stack. */
	if (r->opt.unwind == RECORD_CFI && s->in_kernel && !s->stack.size)
		return 0;
	if (r->opt.unwind == RECORD_CFI && s->regs &&
	    s->abi == PERF_SAMPLE_REGS_ABI_64)
		return unwind_cfi(r, p, s);
	if (s->in_kernel)
		return 0;
	/* 32-bit code, or only the innermost frame was asked for. */
	frame = process_find_frame(&r->walker, p, s->ip);
	return record_user_frame(r, s->regs ? record_special(r, 0, NO_CFI) : 0,
				 &frame);
}

/* ---- kernel frames ---- */

static uint32_t
write_kernel_stack(struct recorder *r, uint32_t node, const struct sample *s)
{
	uint64_t i, first = 0, end = 0;

	/* A switch is the kernel's, even for those who may not see into it. */
	if (r->no_kernel)
		return node;
	for (i = 0; i < s->n_chain; i++)
		if (s->chain[i] == (uint64_t)PERF_CONTEXT_KERNEL)
			first = end = i + 1;
		else if (s->chain[i] >= (uint64_t)PERF_CONTEXT_MAX)
			break;
		else if (first)
			end = i + 1;
	if (end == first && s->in_kernel)
		return record_kernel_frame(r, node, s->ip);
	for (i = end; i-- > first;)
		node = record_kernel_frame(r, node, s->chain[i] - (i > first));
	return node;
}

/* ---- samples ---- */

/* Whether it is a target's: what a processor tells is of everybody, and before
 * its exec the command is a copy of the recorder. */
static const struct process *
sampled_process(struct recorder *r, const struct sample *s)
{
	/* The kernel no longer knows whose it was: the task is being reaped. */
	if ((int32_t)s->pid < 0 || (!s->pid && !r->opt.everything)) {
		if (!r->per_cpu || r->opt.everything)
			r->counts.exited++;
		return NULL;
	}
	if (r->command && (pid_t)s->pid == r->command)
		return NULL;
	return record_get_process(r, (pid_t)s->pid, s->time);
}

static void
count(struct recorder *r, const struct sample *s)
{
	r->counts.samples++;
	if (s->event->is_clock)
		r->counts.clock_ns += s->period;
}

void
record_sample(struct recorder *r, const struct perf_event_header *h)
{
	const struct process *p;
	struct sample s;
	uint32_t node;

	if (!parse_sample(r, h, &s)) {
		r->counts.lost++;
		return;
	}
	p = sampled_process(r, &s);
	if (!p)
		return;
	if (s.event->role == EVENT_SAMPLE)
		count(r, &s);
	if (sink_is_full(r->sink)) {
		r->counts.dropped += s.event->role == EVENT_SAMPLE;
		return;
	}
	node = write_user_stack(r, p, &s);
	node = write_kernel_stack(r, node, &s);
	if (s.event->role == EVENT_SAMPLE)
		capture_write_sample(&r->w, record_time(r, s.time), s.pid,
				     s.tid, s.cpu, s.event->capture_id,
				     s.period, node);
	else
		record_wait_stack(r, (pid_t)s.pid, (pid_t)s.tid, node);
}
