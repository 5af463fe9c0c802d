/* SPDX-License-Identifier: MIT */
/* The kernel's records other than samples, decoded and handed over. */
#include "import/machine/perf_internal.h"

#include <sys/mman.h>

static struct perf_origin
unknown_origin(void)
{
	return (struct perf_origin){ UINT64_MAX, UINT32_MAX, UINT32_MAX,
				     UINT32_MAX };
}

/* Takes the trailer off C's end: whose the record is and when it was. */
static struct perf_origin
cut_trailer(const struct perf_file *f, struct perf_cursor *c,
	    const unsigned char *record)
{
	struct perf_origin o = unknown_origin();
	const struct perf_shape *s;
	size_t size = (size_t)(c->end - record);
	struct perf_cursor t = *c;

	if (!f->n_events)
		return o;
	s = &f->shapes[perf_event_of_trailer(f, record, size)];
	if (perf_left(c) < 8 * (size_t)s->trailer_words)
		return o;
	c->end -= 8 * s->trailer_words;
	if (!s->trailer_words)
		return o;
	if (s->trailer_tid >= 0) {
		t.p = c->end + 8 * s->trailer_tid;
		o.pid = perf_u32(&t);
		o.tid = perf_u32(&t);
	}
	if (s->trailer_time >= 0) {
		t.p = c->end + 8 * s->trailer_time;
		o.time = perf_u64(&t);
	}
	if (s->trailer_cpu >= 0) {
		t.p = c->end + 8 * s->trailer_cpu;
		o.cpu = perf_u32(&t);
	}
	return o;
}

static void
read_map_file(struct perf_cursor *c, struct perf_mmap *m, bool with_build_id)
{
	uint8_t n;

	if (!with_build_id) {
		m->maj = perf_u32(c);
		m->min = perf_u32(c);
		m->ino = perf_u64(c);
		m->generation = perf_u64(c);
		return;
	}
	n = perf_left(c) ? *c->p : 0;
	perf_skip(c, 4);
	m->build_id = perf_bytes(c, 20);
	if (n > 20)
		c->bad = true;
	m->build_id.len = n;
}

static bool
hand_mmap(struct perf_file *f, struct perf_cursor *c,
	  struct perf_record_header h, const struct perf_origin *o)
{
	struct perf_mmap m = { .origin = *o };

	m.pid = perf_u32(c);
	m.tid = perf_u32(c);
	m.addr = perf_u64(c);
	m.len = perf_u64(c);
	m.pgoff = perf_u64(c);
	m.cpumode = h.misc & PERF_RECORD_MISC_CPUMODE_MASK;
	m.executable = !(h.misc & PERF_RECORD_MISC_MMAP_DATA);
	if (h.type == PERF_RECORD_MMAP2) {
		read_map_file(c, &m, h.misc & PERF_RECORD_MISC_MMAP_BUILD_ID);
		m.prot = perf_u32(c);
		m.flags = perf_u32(c);
		/* perf gives the kernel no protection */
		m.executable = m.prot & PROT_EXEC ||
			       m.cpumode == PERF_RECORD_MISC_KERNEL;
	}
	m.path = perf_text(c, perf_left(c));
	if (!c->bad && f->handler->mmap)
		f->handler->mmap(f->ctx, &m);
	return !c->bad;
}

static bool
hand_comm(struct perf_file *f, struct perf_cursor *c,
	  struct perf_record_header h, const struct perf_origin *o)
{
	struct perf_comm comm = { .origin = *o };

	comm.pid = perf_u32(c);
	comm.tid = perf_u32(c);
	comm.exec = h.misc & PERF_RECORD_MISC_COMM_EXEC;
	comm.name = perf_text(c, perf_left(c));
	if (!c->bad && f->handler->comm)
		f->handler->comm(f->ctx, &comm);
	return !c->bad;
}

static bool
hand_task(struct perf_file *f, struct perf_cursor *c,
	  struct perf_record_header h, const struct perf_origin *o)
{
	void (*fn)(void *, const struct perf_task *) =
		h.type == PERF_RECORD_FORK ? f->handler->fork
					   : f->handler->exit;
	struct perf_task t = { .origin = *o };
	uint64_t time;

	t.pid = perf_u32(c);
	t.ppid = perf_u32(c);
	t.tid = perf_u32(c);
	t.ptid = perf_u32(c);
	time = perf_u64(c);
	if (t.origin.time == UINT64_MAX)
		t.origin.time = time;
	if (!c->bad && fn)
		fn(f->ctx, &t);
	return !c->bad;
}

static bool
hand_ksymbol(struct perf_file *f, struct perf_cursor *c,
	     struct perf_record_header h, const struct perf_origin *o)
{
	struct perf_ksymbol k = { .origin = *o };
	uint16_t type, flags;

	(void)h;
	k.addr = perf_u64(c);
	k.len = perf_u32(c);
	type = perf_u16(c);
	flags = perf_u16(c);
	k.is_bpf = type == PERF_RECORD_KSYMBOL_TYPE_BPF;
	k.unregister = flags & PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER;
	k.name = perf_text(c, perf_left(c));
	if (!c->bad && f->handler->ksymbol)
		f->handler->ksymbol(f->ctx, &k);
	return !c->bad;
}

static bool
hand_lost(struct perf_file *f, struct perf_cursor *c,
	  struct perf_record_header h, const struct perf_origin *o)
{
	struct perf_lost l = { .origin = *o };

	l.samples = h.type == PERF_RECORD_LOST_SAMPLES;
	if (!l.samples)
		perf_skip(c, 8); /* the event's id */
	l.count = perf_u64(c);
	if (!c->bad && f->handler->lost)
		f->handler->lost(f->ctx, &l);
	return !c->bad;
}

static bool
hand_throttle(struct perf_file *f, struct perf_cursor *c,
	      struct perf_record_header h, const struct perf_origin *o)
{
	struct perf_origin origin = *o;
	uint64_t time = perf_u64(c);

	perf_skip(c, 16); /* id and stream id */
	if (origin.time == UINT64_MAX)
		origin.time = time;
	if (!c->bad && f->handler->throttle)
		f->handler->throttle(f->ctx, &origin,
				     h.type == PERF_RECORD_THROTTLE);
	return !c->bad;
}

static bool
hand_other(struct perf_file *f, struct perf_cursor *c,
	   struct perf_record_header h, const struct perf_origin *o)
{
	(void)c;
	if (f->handler->other)
		f->handler->other(f->ctx, h.type, o);
	return true;
}

typedef bool hand_fn(struct perf_file *f, struct perf_cursor *c,
		     struct perf_record_header h, const struct perf_origin *o);

static hand_fn *const hand[] = {
	[PERF_RECORD_MMAP] = hand_mmap,
	[PERF_RECORD_LOST] = hand_lost,
	[PERF_RECORD_COMM] = hand_comm,
	[PERF_RECORD_EXIT] = hand_task,
	[PERF_RECORD_THROTTLE] = hand_throttle,
	[PERF_RECORD_UNTHROTTLE] = hand_throttle,
	[PERF_RECORD_FORK] = hand_task,
	[PERF_RECORD_MMAP2] = hand_mmap,
	[PERF_RECORD_LOST_SAMPLES] = hand_lost,
	[PERF_RECORD_KSYMBOL] = hand_ksymbol,
};

void
perf_hand_over(struct perf_file *f, const unsigned char *record)
{
	struct perf_record_header h = perf_load_header(record, f->swap);
	struct perf_cursor c = { record + PERF_RECORD_HEADER, record + h.size,
				 f->swap, false };
	struct perf_origin o;
	hand_fn *fn = NULL;
	bool good;

	perf_name_events(f); /* a pipe's come with its records */
	if (h.type == PERF_RECORD_SAMPLE) {
		good = perf_hand_sample(f, &c, record);
	} else {
		o = cut_trailer(f, &c, record);
		if (h.type < sizeof hand / sizeof *hand)
			fn = hand[h.type];
		good = (fn ? fn : hand_other)(f, &c, h, &o);
	}
	if (!good)
		f->damaged++;
}
