/* SPDX-License-Identifier: MIT */
/* The feature sections: what perf tells of the machine and the recording. */
#include "import/machine/perf_internal.h"

#include "base/buf.h"
#include "base/msg.h"
#include "base/xalloc.h"

bool
perf_has_feature(const struct perf_header *h, unsigned feature)
{
	return h->features[feature / 64] >> feature % 64 & 1;
}

static struct slice
keep(struct perf_file *f, struct slice s)
{
	return s.len ? arena_copy(&f->arena, s) : (struct slice){ NULL, 0 };
}

static void
read_cmdline(struct perf_file *f, struct perf_cursor *c)
{
	uint32_t n = perf_u32(c);
	struct buf line = { 0 };

	for (; n && perf_left(c); n--) {
		struct slice word = perf_string(c);

		if (line.len)
			buf_char(&line, ' ');
		buf_slice(&line, word);
	}
	f->header.cmdline = keep(f, buf_get(&line));
	buf_free(&line);
}

/* Which of the events: by its first id; where there are none, by its place. */
static struct perf_event *
described_event(struct perf_file *f, struct perf_cursor ids, uint32_t n_ids,
		uint32_t place)
{
	const uint32_t *index = NULL;

	if (n_ids)
		index = map_find(&f->ids, perf_u64(&ids));
	if (index)
		return &f->events[*index];
	return place < f->n_events ? &f->events[place] : NULL;
}

static void
read_event_desc(struct perf_file *f, struct perf_cursor *c)
{
	uint32_t n = perf_u32(c), attr_size = perf_u32(c), i;

	for (i = 0; i < n && perf_left(c); i++) {
		struct perf_event *e;
		struct slice name;
		uint32_t n_ids;

		perf_skip(c, attr_size);
		n_ids = perf_u32(c);
		name = perf_string(c);
		e = described_event(f, *c, n_ids, i);
		perf_skip(c, (uint64_t)n_ids * 8);
		if (e && name.len && !c->bad)
			e->name = keep(f, name);
	}
}

void
perf_read_build_id(struct perf_file *f, struct perf_cursor *c)
{
	enum { SIZE_GIVEN = 1 << 15, ID = 20 };
	struct perf_header *h = &f->header;
	struct perf_build_id b = { 0 };
	uint8_t size;

	perf_u32(c);
	b.misc = perf_u16(c);
	perf_u16(c);
	b.pid = (int32_t)perf_u32(c);
	b.id = perf_bytes(c, ID);
	size = perf_left(c) ? *c->p : 0;
	perf_skip(c, 4);
	b.path = perf_text(c, perf_left(c));
	if (c->bad || !b.path.len) {
		f->damaged++;
		return;
	}
	if (b.misc & SIZE_GIVEN && size <= ID)
		b.id.len = size;
	b.id = keep(f, b.id);
	b.path = keep(f, b.path);
	GROW(h->build_ids, f->cap_build_ids, h->n_build_ids + 1);
	h->build_ids[h->n_build_ids++] = b;
}

static void
read_build_ids(struct perf_file *f, struct perf_cursor *c)
{
	while (perf_left(c) >= PERF_RECORD_HEADER) {
		struct perf_record_header h = perf_load_header(c->p, c->swap);
		struct perf_cursor entry = { c->p, c->p + h.size, c->swap,
					     false };

		if (h.size < PERF_RECORD_HEADER || !perf_take(c, h.size)) {
			c->bad = true;
			break;
		}
		perf_read_build_id(f, &entry);
		c->p += h.size;
	}
}

static void
read_clock_data(struct perf_header *h, struct perf_cursor *c)
{
	perf_u32(c); /* a version: 1 so far */
	h->clock_id = perf_u32(c);
	h->wall_clock = perf_u64(c);
	h->clock_at_wall = perf_u64(c);
}

void
perf_read_feature(struct perf_file *f, unsigned feature, struct perf_cursor *c)
{
	struct perf_header *h = &f->header;
	struct slice *const strings[] = {
		[PERF_FEATURE_HOSTNAME] = &h->hostname,
		[PERF_FEATURE_OSRELEASE] = &h->os_release,
		[PERF_FEATURE_VERSION] = &h->version,
		[PERF_FEATURE_ARCH] = &h->arch,
		[PERF_FEATURE_CPUDESC] = &h->cpu_desc,
	};

	if (feature < sizeof strings / sizeof *strings && strings[feature]) {
		*strings[feature] = keep(f, perf_string(c));
	} else if (feature == PERF_FEATURE_BUILD_ID) {
		read_build_ids(f, c);
	} else if (feature == PERF_FEATURE_NRCPUS) {
		h->cpus_available = perf_u32(c);
		h->cpus_online = perf_u32(c);
	} else if (feature == PERF_FEATURE_TOTAL_MEM) {
		h->memory = perf_u64(c) * 1024;
	} else if (feature == PERF_FEATURE_CMDLINE) {
		read_cmdline(f, c);
	} else if (feature == PERF_FEATURE_EVENT_DESC) {
		read_event_desc(f, c);
	} else if (feature == PERF_FEATURE_SAMPLE_TIME) {
		h->first_sample = perf_u64(c);
		h->last_sample = perf_u64(c);
	} else if (feature == PERF_FEATURE_CLOCKID) {
		h->clock_resolution = perf_u64(c);
	} else if (feature == PERF_FEATURE_CLOCK_DATA) {
		read_clock_data(h, c);
	} else if (feature == PERF_FEATURE_COMPRESSED) {
		h->compressed = true;
	}
	if (c->bad)
		f->odd_parts++;
}

void
perf_read_features(struct perf_file *f, uint64_t table)
{
	const unsigned char *all = (const unsigned char *)f->all.ptr;
	struct perf_cursor at = { all + table, all + f->all.len, f->swap,
				  false };
	unsigned feature;

	for (feature = 0; feature < 256 && !at.bad; feature++) {
		struct perf_cursor section = at;
		uint64_t offset, size;

		if (!perf_has_feature(&f->header, feature))
			continue;
		offset = perf_u64(&at);
		size = perf_u64(&at);
		if (at.bad || offset > f->all.len ||
		    size > f->all.len - offset) {
			f->odd_parts++;
			continue;
		}
		section.p = all + offset;
		section.end = section.p + size;
		perf_read_feature(f, feature, &section);
	}
}
