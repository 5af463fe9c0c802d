/* SPDX-License-Identifier: MIT */
/*
 * The decoder of perf.data: whatever the bytes are, what is handed over lies
 * within them, names have no NUL, and times rise but for records that come
 * later than a round allows. Every byte that is handed over is looked at.
 */
#include <stdlib.h>
#include "base/msg.h"
#include "import/machine/perf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

static void
touch(const void *p, uint64_t n)
{
	const unsigned char *at = p;

	for (uint64_t i = 0; i < n; i++)
		sink += at[i];
}

static void
touch_text(struct slice s)
{
	if (s.len && memchr(s.ptr, '\0', s.len))
		abort();
	touch(s.ptr, s.len);
}

static void
check_sample(void *ctx, const struct perf_sample *s)
{
	size_t n;
	const struct perf_event *events = perf_events(ctx, &n);

	if (s->event < events || s->event >= events + n ||
	    s->stack_size > s->stack_asked)
		abort();
	if ((uintptr_t)s->chain % 8 || (uintptr_t)s->regs % 8 ||
	    (uintptr_t)s->branches % 8)
		abort();
	touch(s->chain, s->n_chain * 8);
	touch(s->branches, s->n_branches * 24);
	touch(s->regs, s->n_regs * 8);
	touch(s->stack, s->stack_size);
	touch(s->raw.ptr, s->raw.len);
	touch_text(s->event->name);
}

static void
check_mmap(void *ctx, const struct perf_mmap *m)
{
	(void)ctx;
	if (m->build_id.len > 20)
		abort();
	touch(m->build_id.ptr, m->build_id.len);
	touch_text(m->path);
}

static void
check_comm(void *ctx, const struct perf_comm *c)
{
	(void)ctx;
	touch_text(c->name);
}

static void
check_task(void *ctx, const struct perf_task *t)
{
	(void)ctx;
	sink += t->pid;
}

static void
check_ksymbol(void *ctx, const struct perf_ksymbol *k)
{
	(void)ctx;
	touch_text(k->name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct perf_handler handler = {
		.sample = check_sample,
		.mmap = check_mmap,
		.comm = check_comm,
		.fork = check_task,
		.exit = check_task,
		.ksymbol = check_ksymbol,
	};
	struct slice bytes = { (const char *)data, size };
	struct output *out;
	struct perf_file *f;
	struct input *in;

	msg_mute();
	in = input_from_bytes(bytes, "fuzz");
	f = perf_open(in);
	if (f && perf_read(f, &handler, f)) {
		out = output_open("/dev/null", 0, "a header");
		perf_print_header(f, out);
		output_close(out);
	}
	perf_close(f);
	input_close(in);
	return 0;
}
