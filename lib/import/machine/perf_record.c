/* SPDX-License-Identifier: MIT */
/* The stream of records: those of perf's own are acted on at once, the
 * kernel's wait for their turn. */
#include "import/machine/perf_internal.h"

#include "base/msg.h"

struct slice
perf_text(struct perf_cursor *c, uint64_t n)
{
	struct slice s = perf_bytes(c, n);

	if (s.len)
		s.len = strnlen(s.ptr, s.len);
	return s;
}

struct slice
perf_string(struct perf_cursor *c)
{
	uint32_t n = perf_u32(c);

	return perf_text(c, n);
}

/* ---- when ---- */

/* UINT64_MAX when the record does not say. What perf found in /proc has 0,
 * and comes before all else, too. */
static uint64_t
time_of(const struct perf_file *f, const unsigned char *record,
	struct perf_record_header h)
{
	const struct perf_shape *s;
	size_t at;

	if (!f->n_events)
		return UINT64_MAX;
	if (h.type == PERF_RECORD_SAMPLE) {
		s = &f->shapes[perf_event_of_sample(f, record, h.size)];
		if (s->sample_time < 0)
			return UINT64_MAX;
		at = PERF_RECORD_HEADER + 8 * (size_t)s->sample_time;
	} else {
		s = &f->shapes[perf_event_of_trailer(f, record, h.size)];
		at = 8 * (size_t)s->trailer_words;
		if (s->trailer_time < 0 || !at ||
		    h.size < PERF_RECORD_HEADER + at)
			return UINT64_MAX;
		at = h.size - at + 8 * (size_t)s->trailer_time;
	}
	return at + 8 > h.size ? UINT64_MAX : perf_load64(record + at, f->swap);
}

static void
take_kernel_record(struct perf_file *f, const unsigned char *record,
		   struct perf_record_header h)
{
	uint64_t time = time_of(f, record, h);

	if (time && time != UINT64_MAX)
		perf_queue_put(&f->queue, time, record);
	else
		perf_hand_over(f, record);
}

/* ---- records of perf's own ---- */

static void
take_attr(struct perf_file *f, struct perf_cursor *c)
{
	struct perf_cursor at = *c;
	struct perf_event_attr attr;
	uint32_t size;

	perf_u32(&at);
	size = perf_u32(&at);
	if (!size)
		size = PERF_ATTR_SIZE_VER0;
	if (!perf_read_attr(c, size, &attr)) {
		f->damaged++;
		return;
	}
	perf_add_event(f, &attr);
	perf_add_ids(f, c, perf_left(c) / 8, f->n_events - 1);
}

/* A name that perf gives to an event later on. */
static void
take_update(struct perf_file *f, struct perf_cursor *c)
{
	enum { NAME = 2 };
	uint64_t what = perf_u64(c);
	uint64_t id = perf_u64(c);
	const uint32_t *index = map_find(&f->ids, id);
	struct slice name = perf_text(c, perf_left(c));

	if (c->bad)
		f->damaged++;
	else if (what == NAME && index && name.len)
		f->events[*index].name = arena_copy(&f->arena, name);
}

static void
take_feature(struct perf_file *f, struct perf_cursor *c)
{
	uint64_t feature = perf_u64(c);

	/* the one that ends them is empty */
	if (c->bad)
		f->damaged++;
	else if (feature < 256 && perf_left(c)) {
		f->header.features[feature / 64] |= (uint64_t)1 << feature % 64;
		perf_read_feature(f, (unsigned)feature, c);
	}
}

static void
take_packed(struct perf_file *f, struct perf_cursor *c, bool with_size)
{
	uint64_t n = with_size ? perf_u64(c) : perf_left(c);
	struct slice payload = perf_bytes(c, n);

	/* A packed record within a packed one is nothing perf writes. */
	if (c->bad || f->unpacking) {
		f->damaged++;
		return;
	}
	f->unpacking = true;
	perf_unpack(f, payload);
	f->unpacking = false;
}

static void
end_round(struct perf_file *f)
{
	/* A directory's files are read one after the other. */
	if (f->directory)
		return;
	perf_finish_round(f);
	perf_stream_round(f, &f->piped);
	perf_stream_round(f, &f->unpacked);
}

static void
take_own_record(struct perf_file *f, struct perf_cursor *c, uint32_t type)
{
	switch (type) {
	case PERF_RECORD_HEADER_ATTR:
		/* a file has them in its header, and there they count */
		if (f->header.pipe_mode)
			take_attr(f, c);
		break;
	case PERF_RECORD_EVENT_UPDATE:
		take_update(f, c);
		break;
	case PERF_RECORD_HEADER_FEATURE:
		take_feature(f, c);
		break;
	case PERF_RECORD_HEADER_BUILD_ID:
		c->p -= PERF_RECORD_HEADER;
		perf_read_build_id(f, c);
		break;
	case PERF_RECORD_HEADER_TRACING_DATA:
		/* what follows is padded; the size is that without */
		f->skip = ((uint64_t)perf_u32(c) + 7) & ~(uint64_t)7;
		break;
	case PERF_RECORD_AUXTRACE:
		f->skip = perf_u64(c);
		break;
	case PERF_RECORD_FINISHED_ROUND:
		end_round(f);
		break;
	case PERF_RECORD_COMPRESSED:
	case PERF_RECORD_COMPRESSED2:
		take_packed(f, c, type == PERF_RECORD_COMPRESSED2);
		break;
	}
}

/* ---- the stream ---- */

static void
stop_at(struct perf_file *f, size_t size, size_t n)
{
	trouble("%s: a record of %zu bytes cannot be: the recording is "
		"damaged there, and the %zu bytes from it on are left out",
		f->name, size, n);
	f->stopped = true;
}

/* Steps over as much of what is no record as there is; how much that was. */
static size_t
skip_foreign(struct perf_file *f, size_t n)
{
	if (f->skip < n)
		n = (size_t)f->skip;
	f->skip -= n;
	return n;
}

static void
take_record(struct perf_file *f, const unsigned char *p,
	    struct perf_record_header h)
{
	struct perf_cursor c = { p + PERF_RECORD_HEADER, p + h.size, f->swap,
				 false };

	f->records++;
	if (h.type < PERF_RECORD_HEADER_ATTR)
		take_kernel_record(f, p, h);
	else
		take_own_record(f, &c, h.type);
}

size_t
perf_take_records(struct perf_file *f, const unsigned char *p, size_t n)
{
	struct perf_record_header h;
	size_t at = 0;

	while (!f->stopped) {
		at += skip_foreign(f, n - at);
		if (n - at < PERF_RECORD_HEADER)
			break;
		h = perf_load_header(p + at, f->swap);
		if (h.size < PERF_RECORD_HEADER) {
			stop_at(f, h.size, n - at);
			break;
		}
		if (h.size > n - at)
			break;
		take_record(f, p + at, h);
		at += h.size;
	}
	return at;
}
