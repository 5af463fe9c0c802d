/* SPDX-License-Identifier: MIT */
/* Events of a perf.data: their attrs, names and ids. */
#include "import/machine/perf_internal.h"

#include "base/buf.h"
#include "base/xalloc.h"

/* ---- attrs of the other byte order ---- */

/* The bits of the attr's flags word in native order. On a machine of the
 * other byte order bit fields begin at the other end, too: the word as it is,
 * with the bits of each byte reversed, has them where ours are. */
static uint64_t
reverse_bits_in_bytes(uint64_t v)
{
	v = (v & 0x5555555555555555) << 1 | (v >> 1 & 0x5555555555555555);
	v = (v & 0x3333333333333333) << 2 | (v >> 2 & 0x3333333333333333);
	return (v & 0x0f0f0f0f0f0f0f0f) << 4 | (v >> 4 & 0x0f0f0f0f0f0f0f0f);
}

/* Fields that lie alone in 4 bytes, in 2, and the word of bit fields. */
static const size_t words32[] = {
	offsetof(struct perf_event_attr, type),
	offsetof(struct perf_event_attr, size),
	offsetof(struct perf_event_attr, wakeup_events),
	offsetof(struct perf_event_attr, bp_type),
	offsetof(struct perf_event_attr, sample_stack_user),
	offsetof(struct perf_event_attr, clockid),
	offsetof(struct perf_event_attr, aux_watermark),
	offsetof(struct perf_event_attr, aux_sample_size),
};
static const size_t words64[] = {
	offsetof(struct perf_event_attr, config),
	offsetof(struct perf_event_attr, sample_period),
	offsetof(struct perf_event_attr, sample_type),
	offsetof(struct perf_event_attr, read_format),
	offsetof(struct perf_event_attr, config1),
	offsetof(struct perf_event_attr, config2),
	offsetof(struct perf_event_attr, branch_sample_type),
	offsetof(struct perf_event_attr, sample_regs_user),
	offsetof(struct perf_event_attr, sample_regs_intr),
	offsetof(struct perf_event_attr, sig_data),
};
enum { ATTR_FLAGS = offsetof(struct perf_event_attr, read_format) + 8 };

static void
swap_attr(struct perf_event_attr *attr)
{
	unsigned char *a = (unsigned char *)attr;
	uint64_t v;
	uint32_t w;
	size_t i;

	for (i = 0; i < sizeof words64 / sizeof *words64; i++) {
		v = perf_load64(a + words64[i], true);
		memcpy(a + words64[i], &v, 8);
	}
	for (i = 0; i < sizeof words32 / sizeof *words32; i++) {
		memcpy(&w, a + words32[i], 4);
		w = __builtin_bswap32(w);
		memcpy(a + words32[i], &w, 4);
	}
	attr->sample_max_stack = __builtin_bswap16(attr->sample_max_stack);
	v = reverse_bits_in_bytes(perf_load64(a + ATTR_FLAGS, false));
	memcpy(a + ATTR_FLAGS, &v, 8);
	/* the only field of two bits: its own are reversed now */
	attr->precise_ip = (attr->precise_ip & 1u) << 1 | attr->precise_ip >> 1;
}

bool
perf_read_attr(struct perf_cursor *c, size_t size, struct perf_event_attr *attr)
{
	struct perf_cursor at = *c;
	uint32_t own;

	memset(attr, 0, sizeof *attr);
	perf_u32(&at);
	own = perf_u32(&at);
	/* the first of perf's files have no size there */
	if (!own)
		own = PERF_ATTR_SIZE_VER0;
	if (at.bad || own < PERF_ATTR_SIZE_VER0 || own > size ||
	    !perf_take(c, size))
		return false;
	memcpy(attr, c->p, own < sizeof *attr ? own : sizeof *attr);
	if (c->swap)
		swap_attr(attr);
	attr->size = own;
	c->p += size;
	return true;
}

/* ---- events ---- */

static struct perf_shape
shape_of(uint64_t type)
{
	struct perf_shape s = { -1, -1, -1, -1, -1, -1, 0 };
	int n = 0;

	n = !!(type & PERF_SAMPLE_IDENTIFIER) + !!(type & PERF_SAMPLE_IP) +
	    !!(type & PERF_SAMPLE_TID);
	if (type & PERF_SAMPLE_TIME)
		s.sample_time = n++;
	n += !!(type & PERF_SAMPLE_ADDR);
	if (type & PERF_SAMPLE_IDENTIFIER)
		s.sample_id = 0;
	else if (type & PERF_SAMPLE_ID)
		s.sample_id = n;
	n = 0;
	if (type & PERF_SAMPLE_TID)
		s.trailer_tid = n++;
	if (type & PERF_SAMPLE_TIME)
		s.trailer_time = n++;
	if (type & PERF_SAMPLE_ID)
		s.trailer_id = n++;
	n += !!(type & PERF_SAMPLE_STREAM_ID);
	if (type & PERF_SAMPLE_CPU)
		s.trailer_cpu = n++;
	if (type & PERF_SAMPLE_IDENTIFIER)
		s.trailer_id = n++;
	s.trailer_words = n;
	return s;
}

void
perf_add_event(struct perf_file *f, const struct perf_event_attr *attr)
{
	struct perf_event *e;

	GROW(f->events, f->cap_events, f->n_events + 1);
	GROW(f->shapes, f->cap_shapes, f->n_events + 1);
	e = &f->events[f->n_events];
	memset(e, 0, sizeof *e);
	e->attr = *attr;
	e->tracks_only = attr->type == PERF_TYPE_SOFTWARE &&
			 attr->config == PERF_COUNT_SW_DUMMY;
	if (attr->use_clockid && f->header.clock_id == UINT32_MAX)
		f->header.clock_id = (uint32_t)attr->clockid;
	f->shapes[f->n_events] = shape_of(attr->sample_type);
	if (!attr->sample_id_all)
		f->shapes[f->n_events].trailer_words = 0;
	f->n_events++;
}

void
perf_add_ids(struct perf_file *f, struct perf_cursor *c, uint64_t n,
	     size_t index)
{
	for (; n && perf_left(c) >= 8; n--)
		*map_put(&f->ids, perf_u64(c), NULL) = (uint32_t)index;
}

static size_t
event_of_id(const struct perf_file *f, uint64_t id)
{
	/* What perf made up for what ran before has 0. */
	const uint32_t *index = map_find(&f->ids, id);

	return index ? *index : 0;
}

size_t
perf_event_of_sample(const struct perf_file *f, const unsigned char *record,
		     size_t size)
{
	int word = f->shapes[0].sample_id;
	size_t at = PERF_RECORD_HEADER + 8 * (size_t)word;

	if (f->n_events == 1 || word < 0 || at + 8 > size)
		return 0;
	return event_of_id(f, perf_load64(record + at, f->swap));
}

size_t
perf_event_of_trailer(const struct perf_file *f, const unsigned char *record,
		      size_t size)
{
	const struct perf_shape *s = &f->shapes[0];
	size_t bytes = 8 * (size_t)s->trailer_words;

	if (f->n_events == 1 || s->trailer_id < 0 || !bytes ||
	    size < PERF_RECORD_HEADER + bytes)
		return 0;
	record += size - bytes + 8 * (size_t)s->trailer_id;
	return event_of_id(f, perf_load64(record, f->swap));
}

/* ---- names, for events that the recording has none of ---- */

static const char *const hardware[] = {
	"cycles",
	"instructions",
	"cache-references",
	"cache-misses",
	"branches",
	"branch-misses",
	"bus-cycles",
	"stalled-cycles-frontend",
	"stalled-cycles-backend",
	"ref-cycles",
};
static const char *const software[] = {
	"cpu-clock",	    "task-clock",   "page-faults",  "context-switches",
	"cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
	"emulation-faults", "dummy",	    "bpf-output",   "cgroup-switches",
};

static void
base_name(struct buf *b, const struct perf_event_attr *a)
{
	if (a->type == PERF_TYPE_HARDWARE &&
	    (uint32_t)a->config < sizeof hardware / sizeof *hardware)
		buf_str(b, hardware[(uint32_t)a->config]);
	else if (a->type == PERF_TYPE_SOFTWARE &&
		 a->config < sizeof software / sizeof *software)
		buf_str(b, software[a->config]);
	else if (a->type == PERF_TYPE_TRACEPOINT)
		buf_printf(b, "tracepoint-%ju", (uintmax_t)a->config);
	else if (a->type == PERF_TYPE_RAW)
		buf_printf(b, "raw-0x%jx", (uintmax_t)a->config);
	else if (a->type == PERF_TYPE_BREAKPOINT)
		buf_printf(b, "mem-0x%jx", (uintmax_t)a->bp_addr);
	else
		buf_printf(b, "event-%u-0x%jx", a->type, (uintmax_t)a->config);
}

static void
name_event(struct perf_file *f, struct perf_event *e)
{
	const struct perf_event_attr *a = &e->attr;
	struct buf b = { 0 };

	base_name(&b, a);
	if (a->exclude_user != a->exclude_kernel || a->precise_ip)
		buf_char(&b, ':');
	if (a->exclude_kernel && !a->exclude_user)
		buf_char(&b, 'u');
	if (a->exclude_user && !a->exclude_kernel)
		buf_char(&b, 'k');
	for (unsigned i = 0; i < a->precise_ip; i++)
		buf_char(&b, 'p');
	e->name = arena_copy(&f->arena, buf_get(&b));
	buf_free(&b);
}

void
perf_name_events(struct perf_file *f)
{
	for (; f->n_named < f->n_events; f->n_named++)
		if (!f->events[f->n_named].name.len)
			name_event(f, &f->events[f->n_named]);
}
