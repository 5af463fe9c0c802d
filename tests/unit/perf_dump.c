/* SPDX-License-Identifier: MIT */
/*
 * perf_dump [-c | -h] FILE prints a perf.data's records as lib/import/machine
 * decodes and orders them, one a line:
 *
 *	KIND TIME PID TID CPU ...
 *
 * where the first four say whose it is, - for what it does not say. Of bytes
 * (stacks, raw) there is the length and a sum. -c only counts the samples, -h
 *prints the header. Ends with status 1 when nothing could be read, with 2 when
 *that is so of a part.
 */
#include <inttypes.h>
#include <stdio.h>
#include "base/msg.h"
#include "import/machine/formats.h"
#include "import/machine/perf.h"

static struct perf_file *file;
static uint64_t count;

static void
put(const char *before, uint64_t v, uint64_t unknown)
{
	if (v == unknown)
		printf("%s-", before);
	else
		printf("%s%" PRIu64, before, v);
}

static void
begin(const char *kind, const struct perf_origin *o)
{
	printf("%s", kind);
	put(" ", o->time, UINT64_MAX);
	put(" ", o->pid, UINT32_MAX);
	put(" ", o->tid, UINT32_MAX);
	put(" ", o->cpu, UINT32_MAX);
}

/* Adler's sum: perfdata.py has it from zlib. */
static uint32_t
sum(const void *p, size_t n)
{
	const unsigned char *at = p;
	uint32_t a = 1, b = 0;

	for (; n; n--) {
		a = (a + *at++) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static void
print_words(const char *what, const uint64_t *w, uint64_t n)
{
	printf(" %s", what);
	for (uint64_t i = 0; i < n; i++)
		printf("%c%" PRIx64, i ? ',' : '=', w[i]);
}

static void
on_sample(void *ctx, const struct perf_sample *s)
{
	size_t n;

	(void)ctx;
	begin("sample", &s->origin);
	printf(" event=%td mode=%u ip=%" PRIx64 " addr=%" PRIx64
	       " period=%" PRIu64,
	       s->event - perf_events(file, &n), s->cpumode, s->ip, s->addr,
	       s->period);
	if (s->chain)
		print_words("chain", s->chain, s->n_chain);
	if (s->raw.ptr)
		printf(" raw=%zu:%08x", s->raw.len,
		       sum(s->raw.ptr, s->raw.len));
	if (s->branches) {
		print_words(s->branches_are_calls ? "calls" : "branches",
			    &s->branches->from, 3 * s->n_branches);
	}
	if (s->regs) {
		printf(" abi=%" PRIu64 " mask=%" PRIx64, s->regs_abi,
		       s->regs_mask);
		print_words("regs", s->regs, s->n_regs);
	}
	if (s->stack)
		printf(" stack=%zu/%zu:%08x", s->stack_size, s->stack_asked,
		       sum(s->stack, s->stack_size));
	printf("\n");
}

static void
on_mmap(void *ctx, const struct perf_mmap *m)
{
	(void)ctx;
	begin("mmap", &m->origin);
	put(" ", m->pid, UINT32_MAX);
	put(" ", m->tid, UINT32_MAX);
	printf(" addr=%" PRIx64 " len=%" PRIx64 " pgoff=%" PRIx64
	       " mode=%u exec=%d prot=%x flags=%x file=%x:%x:%" PRIu64
	       ":%" PRIu64 " id=",
	       m->addr, m->len, m->pgoff, m->cpumode, m->executable, m->prot,
	       m->flags, m->maj, m->min, m->ino, m->generation);
	for (size_t i = 0; i < m->build_id.len; i++)
		printf("%02x", (unsigned char)m->build_id.ptr[i]);
	printf(" %.*s\n", (int)m->path.len, m->path.ptr);
}

static void
on_comm(void *ctx, const struct perf_comm *c)
{
	(void)ctx;
	begin("comm", &c->origin);
	printf(" %u %u exec=%d %.*s\n", c->pid, c->tid, c->exec,
	       (int)c->name.len, c->name.ptr);
}

static void
print_task(const char *kind, const struct perf_task *t)
{
	begin(kind, &t->origin);
	printf(" %u %u parent=%u %u\n", t->pid, t->tid, t->ppid, t->ptid);
}

static void
on_fork(void *ctx, const struct perf_task *t)
{
	(void)ctx;
	print_task("fork", t);
}

static void
on_exit_task(void *ctx, const struct perf_task *t)
{
	(void)ctx;
	print_task("exit", t);
}

static void
on_ksymbol(void *ctx, const struct perf_ksymbol *k)
{
	(void)ctx;
	begin("ksymbol", &k->origin);
	printf(" addr=%" PRIx64 " len=%u gone=%d bpf=%d %.*s\n", k->addr,
	       k->len, k->unregister, k->is_bpf, (int)k->name.len, k->name.ptr);
}

static void
on_lost(void *ctx, const struct perf_lost *l)
{
	(void)ctx;
	begin("lost", &l->origin);
	printf(" %" PRIu64 " samples=%d\n", l->count, l->samples);
}

static void
on_throttle(void *ctx, const struct perf_origin *o, bool begins)
{
	(void)ctx;
	begin(begins ? "throttle" : "unthrottle", o);
	printf("\n");
}

static void
on_other(void *ctx, uint32_t type, const struct perf_origin *o)
{
	(void)ctx;
	begin("other", o);
	printf(" type=%u\n", type);
}

static void
count_sample(void *ctx, const struct perf_sample *s)
{
	(void)ctx;
	(void)s;
	count++;
}

static const struct perf_handler printing = {
	on_sample,    on_mmap,	  on_comm, on_fork,
	on_exit_task, on_ksymbol, on_lost, on_throttle,
	on_other,
}, counting = { .sample = count_sample };

static void
print_events(void)
{
	size_t n;
	const struct perf_event *e = perf_events(file, &n);

	for (size_t i = 0; i < n; i++)
		printf("event %zu type=%u config=%" PRIx64
		       " sample_type=%" PRIx64 " freq=%d period=%" PRIu64
		       " precise=%d tracks=%d %.*s\n",
		       i, e[i].attr.type, (uint64_t)e[i].attr.config,
		       (uint64_t)e[i].attr.sample_type, e[i].attr.freq,
		       (uint64_t)e[i].attr.sample_period, e[i].attr.precise_ip,
		       e[i].tracks_only, (int)e[i].name.len, e[i].name.ptr);
}

static int
print_header(struct input *in)
{
	struct output *out = output_open(NULL, 0, "a header");
	bool good = machine_header_perf_data(in, out);

	output_close(out);
	input_close(in);
	return good ? msg_status() : 1;
}

int
main(int argc, char **argv)
{
	bool only_count = argc == 3 && !strcmp(argv[1], "-c"), good;
	struct input *in;

	msg_init("perf_dump", 2);
	if (argc < 2)
		die("which file?");
	in = input_open_or(argv[argc - 1], "a perf.data", perf_open_folder);
	if (argc == 3 && !strcmp(argv[1], "-h"))
		return print_header(in);
	file = perf_open(in);
	if (!file) {
		input_close(in);
		return 1;
	}
	good = perf_read(file, only_count ? &counting : &printing, NULL);
	if (only_count)
		printf("%" PRIu64 "\n", count);
	else
		print_events();
	perf_close(file);
	input_close(in);
	return good ? msg_status() : 1;
}
