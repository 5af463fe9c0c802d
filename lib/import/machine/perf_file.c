/* SPDX-License-Identifier: MIT */
/* A recording from its header to the last record. */
#include "import/machine/perf_internal.h"

#include "base/msg.h"
#include "base/xalloc.h"

enum {
	PIPE_HEADER = 16, /* magic and size: all that a pipe begins with */
	FILE_HEADER = 104,
	SECTION = 16, /* offset and size */
};

static const char magic_native[8] = "PERFILE2", magic_foreign[8] = "2ELIFREP";

bool
perf_is_recording(struct slice head)
{
	return head.len >= 8 && (!memcmp(head.ptr, magic_native, 8) ||
				 !memcmp(head.ptr, magic_foreign, 8));
}

/* ---- the header of a file ---- */

static bool
refuse(const struct perf_file *f, const char *why)
{
	trouble("%s: %s", f->name, why);
	return false;
}

/* A cursor over the SIZE bytes at OFFSET; false when they are not there. */
static bool
section(const struct perf_file *f, uint64_t offset, uint64_t size,
	struct perf_cursor *c)
{
	const unsigned char *all = (const unsigned char *)f->all.ptr;

	if (offset > f->all.len || size > f->all.len - offset)
		return false;
	*c = (struct perf_cursor){ all + offset, all + offset + size, f->swap,
				   false };
	return true;
}

static bool
read_attr(struct perf_file *f, struct perf_cursor *c, size_t size)
{
	struct perf_event_attr attr;
	struct perf_cursor ids;
	uint64_t ids_at, ids_size;

	if (!perf_read_attr(c, size - SECTION, &attr))
		return false;
	ids_at = perf_u64(c);
	ids_size = perf_u64(c);
	perf_add_event(f, &attr);
	if (section(f, ids_at, ids_size, &ids))
		perf_add_ids(f, &ids, ids_size / 8, f->n_events - 1);
	else
		f->odd_parts++;
	return true;
}

static bool
read_attrs(struct perf_file *f, uint64_t offset, uint64_t size,
	   uint64_t attr_size)
{
	struct perf_cursor c;

	if (!section(f, offset, size, &c))
		return refuse(f, "is cut off before its first record");
	if (attr_size < PERF_ATTR_SIZE_VER0 + SECTION)
		return refuse(f, "its header is damaged: the events' size");
	while (perf_left(&c) >= attr_size)
		if (!read_attr(f, &c, attr_size))
			return refuse(f, "its header is damaged: an event");
	if (!f->n_events)
		return refuse(f, "its header is damaged: it has no event");
	return true;
}

/* The records, and as far as the file goes. A recording that did not end in
 * the ordinary way has the size 0 there, and no feature. */
static bool
find_records(struct perf_file *f, uint64_t offset, uint64_t size)
{
	uint64_t there;

	if (offset < FILE_HEADER || offset >= f->all.len)
		return refuse(f, "is cut off before its first record");
	there = f->all.len - offset;
	if (!size) {
		warning("%s: perf record did not finish it; it is read as far "
			"as it goes",
			f->name);
		size = there;
		memset(f->header.features, 0, sizeof f->header.features);
	}
	f->missing = size > there ? size - there : 0;
	f->data.ptr = f->all.ptr + offset;
	f->data.len = (size_t)(size < there ? size : there);
	if (!f->missing)
		perf_read_features(f, offset + size);
	return true;
}

static bool
read_file_header(struct perf_file *f)
{
	uint64_t attr_size, attrs_at, attrs_size, data_at, data_size;
	struct perf_cursor c;
	size_t i;

	if (!section(f, 0, FILE_HEADER, &c))
		return refuse(f, "is cut off within its header");
	perf_skip(&c, 16); /* magic, size */
	attr_size = perf_u64(&c);
	attrs_at = perf_u64(&c);
	attrs_size = perf_u64(&c);
	data_at = perf_u64(&c);
	data_size = perf_u64(&c);
	perf_skip(&c, SECTION); /* event types: of no use since 3.x */
	for (i = 0; i < 4; i++)
		f->header.features[i] = perf_u64(&c);
	return read_attrs(f, attrs_at, attrs_size, attr_size) &&
	       find_records(f, data_at, data_size);
}

static bool
open_file(struct perf_file *f)
{
	if (!f->mapped && !perf_spool_input(f, &f->all))
		return false;
	if (!read_file_header(f))
		return false;
	f->directory = perf_has_feature(&f->header, PERF_FEATURE_DIR_FORMAT);
	return true;
}

static bool
open_pipe(struct perf_file *f)
{
	char head[PIPE_HEADER];
	size_t n = 0, got = 1;

	f->header.pipe_mode = true;
	if (f->mapped) {
		f->data = (struct slice){ f->all.ptr + PIPE_HEADER,
					  f->all.len - PIPE_HEADER };
		return true;
	}
	while (n < sizeof head && got) {
		got = input_read(f->in, head + n, sizeof head - n);
		n += got;
	}
	return n == sizeof head;
}

struct perf_file *
perf_open(struct input *in)
{
	struct slice head = input_peek_some(in, PIPE_HEADER);
	struct perf_file *f;
	bool good;

	if (!perf_is_recording(head) || head.len < PIPE_HEADER) {
		trouble("%s: is no perf.data%s", input_name(in),
			head.len && head.len < PIPE_HEADER ? ", or is cut off"
							   : "");
		return NULL;
	}
	f = xcalloc(1, sizeof *f);
	f->in = in;
	f->name = input_name(in);
	f->swap = memcmp(head.ptr, magic_native, 8) != 0;
	f->header.foreign_endian = f->swap;
	f->header.clock_id = UINT32_MAX;
	good = perf_load64(head.ptr + 8, f->swap) == PIPE_HEADER;
	f->mapped = input_map(in, &f->all);
	if (good ? open_pipe(f) : open_file(f)) {
		perf_name_events(f);
		return f;
	}
	perf_close(f);
	return NULL;
}

const struct perf_header *
perf_header(const struct perf_file *f)
{
	return &f->header;
}

const struct perf_event *
perf_events(const struct perf_file *f, size_t *n)
{
	*n = f->n_events;
	return f->events;
}

const char *
perf_name(const struct perf_file *f)
{
	return f->name;
}

/* ---- the records ---- */

/* Nothing comes any more, though a record spoke of more behind it. */
static void
end_skip(struct perf_file *f)
{
	if (__builtin_add_overflow(f->missing, f->skip, &f->missing))
		f->missing = UINT64_MAX;
	f->skip = 0;
}

void
perf_read_mapped(struct perf_file *f, struct slice data)
{
	size_t n =
		perf_take_records(f, (const unsigned char *)data.ptr, data.len);

	if (!f->stopped)
		f->cut += data.len - n;
	end_skip(f);
	perf_unpack_end(f);
}

/* Through chunks, as long as the rounds let go of them; then mapped. */
static void
read_copied(struct perf_file *f)
{
	struct perf_stream *s = &f->piped;
	struct slice left = f->data;
	unsigned char *to;
	size_t n;

	while (left.len && !f->stopped && !perf_spool_is_full(f)) {
		to = perf_stream_room(f, s, &n);
		if (!to)
			break;
		n = input_map_copy(f->in, left.ptr, to,
				   n < left.len ? n : left.len);
		if (!n) {
			/* somebody has just cut it off */
			f->missing += left.len;
			left.len = 0;
		}
		left.ptr += n;
		left.len -= n;
		perf_stream_put(f, s, n);
	}
	/* what is not whole in the chunk is so in the map */
	n = s->filled - s->taken;
	s->filled = s->taken;
	perf_stream_end(f, s);
	perf_read_mapped(f, (struct slice){ left.ptr - n, left.len + n });
}

static void
read_stream(struct perf_file *f)
{
	unsigned char *to;
	size_t room, got;

	while (!f->stopped) {
		to = perf_stream_room(f, &f->piped, &room);
		if (!to)
			f->stopped = true;
		got = to ? input_read(f->in, to, room) : 0;
		if (!got)
			break;
		perf_stream_put(f, &f->piped, got);
	}
	perf_stream_end(f, &f->piped);
	end_skip(f);
	perf_unpack_end(f);
}

/* What could not be read, once. */
static void
report(const struct perf_file *f)
{
	if (f->missing)
		trouble("%s: is cut off: %ju bytes of its records are missing",
			f->name, (uintmax_t)f->missing);
	else if (f->cut)
		trouble("%s: is cut off: of its last record there are only "
			"%ju bytes",
			f->name, (uintmax_t)f->cut);
	else if (f->cut_packed)
		trouble("%s: is cut off within its compressed records",
			f->name);
	if (f->odd_parts)
		warning("%s: its header is damaged: %ju of its parts cannot be "
			"read",
			f->name, (uintmax_t)f->odd_parts);
	if (f->damaged)
		warning("%s: %ju damaged %s left out", f->name,
			(uintmax_t)f->damaged,
			f->damaged == 1 ? "record is" : "records are");
}

bool
perf_read(struct perf_file *f, const struct perf_handler *h, void *ctx)
{
	f->handler = h;
	f->ctx = ctx;
	if (!f->data.ptr)
		read_stream(f);
	else if (f->mapped && !f->directory && f->data.len > PERF_CHUNK)
		read_copied(f);
	else
		perf_read_mapped(f, f->data);
	if (f->directory)
		perf_read_directory(f);
	perf_finish_all(f);
	report(f);
	if (!f->records && !f->stopped)
		trouble("%s: holds no records", f->name);
	return f->records > 0;
}

void
perf_close(struct perf_file *f)
{
	if (!f)
		return;
	if (f->spool) {
		perf_stream_free(f, &f->piped);
		perf_stream_free(f, &f->unpacked);
	}
	perf_close_directory(f);
	perf_spool_free(f->spool);
	perf_queue_free(&f->queue);
	map_free(&f->ids);
	arena_free(&f->arena);
	free(f->header.build_ids);
	free(f->events);
	free(f->shapes);
	free(f->scratch);
	free(f);
}
