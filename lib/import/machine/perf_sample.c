/* SPDX-License-Identifier: MIT */
/* A sample's body: one part after the other, as its event's sample_type says
 * (linux/perf_event.h, PERF_RECORD_SAMPLE). */
#include "import/machine/perf_internal.h"

#include "base/xalloc.h"

/* Bits that the header of an older kernel lacks. */
#define BRANCH_COUNTERS (UINT64_C(1) << 19)
#define FORMAT_LOST (UINT64_C(1) << 4)

const uint64_t *
perf_words(struct perf_file *f, struct perf_cursor *c, uint64_t n)
{
	const unsigned char *from = c->p;
	uint64_t *to;

	if (n > perf_left(c) / 8) {
		c->bad = true;
		return NULL;
	}
	c->p += 8 * n;
	if (!c->swap && (uintptr_t)from % 8 == 0)
		return (const uint64_t *)(const void *)from;
	/* words of one record: all of them fit */
	if (!f->scratch)
		f->scratch = xcalloc(PERF_RECORD_LARGEST / 8, 8);
	to = f->scratch + f->used_scratch;
	for (uint64_t i = 0; i < n; i++)
		to[i] = perf_load64(from + 8 * i, c->swap);
	f->used_scratch += n;
	return to;
}

/* Counters' values: not for stacks, but they have to be stepped over. */
static void
skip_read(struct perf_cursor *c, uint64_t format)
{
	uint64_t times = 8 * (!!(format & PERF_FORMAT_TOTAL_TIME_ENABLED) +
			      !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING));
	uint64_t each = 8 + 8 * (!!(format & PERF_FORMAT_ID) +
				 !!(format & FORMAT_LOST));
	uint64_t n = 1;

	if (format & PERF_FORMAT_GROUP)
		n = perf_u64(c);
	perf_skip(c, times);
	if (n > perf_left(c) / each)
		c->bad = true;
	else
		perf_skip(c, n * each);
}

/* The bit fields of a branch's flags, of which a machine of the other byte
 * order has the first one in the highest bits. */
static uint64_t
turn_branch_flags(uint64_t v)
{
	static const unsigned char widths[] = { 1, 1, 1, 1, 16, 4, 2, 4, 3 };
	uint64_t turned = 0;
	unsigned at = 0, i;

	for (i = 0; i < sizeof widths; i++) {
		uint64_t field = v >> (64 - at - widths[i]) &
				 ((UINT64_C(1) << widths[i]) - 1);

		turned |= field << at;
		at += widths[i];
	}
	return turned;
}

static void
read_branches(struct perf_file *f, struct perf_cursor *c, struct perf_sample *s,
	      uint64_t type)
{
	uint64_t n = perf_u64(c), i;
	const uint64_t *words;

	if (type & PERF_SAMPLE_BRANCH_HW_INDEX)
		perf_skip(c, 8);
	if (n > perf_left(c) / sizeof *s->branches) {
		c->bad = true;
		return;
	}
	words = perf_words(f, c, n * 3);
	if (!words)
		return;
	if (c->swap)
		for (i = 0; i < n; i++)
			f->scratch[words - f->scratch + 3 * i + 2] =
				turn_branch_flags(words[3 * i + 2]);
	s->branches = (const struct perf_branch *)(const void *)words;
	s->n_branches = n;
	s->branches_are_calls = type & PERF_SAMPLE_BRANCH_CALL_STACK;
	if (type & BRANCH_COUNTERS)
		perf_skip(c, 8 * n);
}

static void
read_regs(struct perf_file *f, struct perf_cursor *c, struct perf_sample *s,
	  uint64_t mask)
{
	s->regs_abi = perf_u64(c);
	s->regs_mask = mask;
	if (s->regs_abi == PERF_SAMPLE_REGS_ABI_NONE)
		return;
	s->n_regs = (uint64_t)__builtin_popcountll(mask);
	s->regs = perf_words(f, c, s->n_regs);
}

static void
read_stack(struct perf_cursor *c, struct perf_sample *s)
{
	uint64_t asked = perf_u64(c), copied;
	struct slice bytes = perf_bytes(c, asked);

	if (!bytes.len)
		return;
	copied = perf_u64(c);
	if (copied > bytes.len)
		c->bad = true;
	s->stack = (const unsigned char *)bytes.ptr;
	s->stack_asked = bytes.len;
	s->stack_size = (size_t)copied;
}

static void
read_raw(struct perf_cursor *c, struct perf_sample *s)
{
	uint32_t n = perf_u32(c);

	s->raw = perf_bytes(c, n);
}

/* The parts of one or two words that come first. */
static void
read_words(struct perf_cursor *c, struct perf_sample *s, uint64_t type)
{
	if (type & PERF_SAMPLE_IDENTIFIER)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_IP)
		s->ip = perf_u64(c);
	if (type & PERF_SAMPLE_TID) {
		s->origin.pid = perf_u32(c);
		s->origin.tid = perf_u32(c);
	}
	if (type & PERF_SAMPLE_TIME)
		s->origin.time = perf_u64(c);
	if (type & PERF_SAMPLE_ADDR)
		s->addr = perf_u64(c);
	if (type & PERF_SAMPLE_ID)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_STREAM_ID)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_CPU) {
		s->origin.cpu = perf_u32(c);
		perf_skip(c, 4);
	}
	if (type & PERF_SAMPLE_PERIOD)
		s->period = perf_u64(c);
}

/* What comes behind the stack: nothing of it is used, all of it must be
 * there. */
static void
skip_rest(struct perf_cursor *c, const struct perf_event_attr *a)
{
	uint64_t type = a->sample_type;

	if (type & (PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT))
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_DATA_SRC)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_TRANSACTION)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_REGS_INTR && perf_u64(c))
		perf_skip(c, 8 * (uint64_t)__builtin_popcountll(
					 a->sample_regs_intr));
	if (type & PERF_SAMPLE_PHYS_ADDR)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_CGROUP)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_DATA_PAGE_SIZE)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_CODE_PAGE_SIZE)
		perf_skip(c, 8);
	if (type & PERF_SAMPLE_AUX)
		perf_skip(c, perf_u64(c));
}

static void
read_parts(struct perf_file *f, struct perf_cursor *c, struct perf_sample *s)
{
	const struct perf_event_attr *a = &s->event->attr;
	uint64_t type = a->sample_type;

	read_words(c, s, type);
	if (type & PERF_SAMPLE_READ)
		skip_read(c, a->read_format);
	if (type & PERF_SAMPLE_CALLCHAIN) {
		s->n_chain = perf_u64(c);
		s->chain = perf_words(f, c, s->n_chain);
	}
	if (type & PERF_SAMPLE_RAW)
		read_raw(c, s);
	if (type & PERF_SAMPLE_BRANCH_STACK)
		read_branches(f, c, s, a->branch_sample_type);
	if (type & PERF_SAMPLE_REGS_USER)
		read_regs(f, c, s, a->sample_regs_user);
	if (type & PERF_SAMPLE_STACK_USER)
		read_stack(c, s);
	skip_rest(c, a);
}

bool
perf_hand_sample(struct perf_file *f, struct perf_cursor *c,
		 const unsigned char *record)
{
	struct perf_sample s = { .origin = { UINT64_MAX, UINT32_MAX, UINT32_MAX,
					     UINT32_MAX } };
	struct perf_record_header h = perf_load_header(record, f->swap);

	if (!f->n_events)
		return false;
	f->used_scratch = 0;
	s.event = &f->events[perf_event_of_sample(f, record, h.size)];
	s.cpumode = h.misc & PERF_RECORD_MISC_CPUMODE_MASK;
	s.period = s.event->attr.freq ? 0 : s.event->attr.sample_period;
	read_parts(f, c, &s);
	if (!c->bad && f->handler->sample)
		f->handler->sample(f->ctx, &s);
	return !c->bad;
}
