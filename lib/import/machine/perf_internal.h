/* SPDX-License-Identifier: MIT */
/* What the files of the perf.data decoder share; perf.h is their interface. */
#ifndef PK_IMPORT_MACHINE_PERF_INTERNAL_H
#define PK_IMPORT_MACHINE_PERF_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "import/machine/perf.h"

/* Record types of perf's own, which linux/perf_event.h does not have. */
enum {
	PERF_RECORD_HEADER_ATTR = 64,
	PERF_RECORD_HEADER_TRACING_DATA = 66,
	PERF_RECORD_HEADER_BUILD_ID = 67,
	PERF_RECORD_FINISHED_ROUND = 68,
	PERF_RECORD_AUXTRACE = 71,
	PERF_RECORD_EVENT_UPDATE = 78,
	PERF_RECORD_HEADER_FEATURE = 80,
	PERF_RECORD_COMPRESSED = 81,
	PERF_RECORD_COMPRESSED2 = 83,
};

/* Features, by the bits of perf_header.features. */
enum {
	PERF_FEATURE_TRACING_DATA = 1,
	PERF_FEATURE_BUILD_ID = 2,
	PERF_FEATURE_HOSTNAME = 3,
	PERF_FEATURE_OSRELEASE = 4,
	PERF_FEATURE_VERSION = 5,
	PERF_FEATURE_ARCH = 6,
	PERF_FEATURE_NRCPUS = 7,
	PERF_FEATURE_CPUDESC = 8,
	PERF_FEATURE_CPUID = 9,
	PERF_FEATURE_TOTAL_MEM = 10,
	PERF_FEATURE_CMDLINE = 11,
	PERF_FEATURE_EVENT_DESC = 12,
	PERF_FEATURE_SAMPLE_TIME = 21,
	PERF_FEATURE_CLOCKID = 23,
	PERF_FEATURE_DIR_FORMAT = 24,
	PERF_FEATURE_COMPRESSED = 27,
	PERF_FEATURE_CLOCK_DATA = 29,
};

/* A record's header, and the largest record: its size has 16 bits. */
enum { PERF_RECORD_HEADER = 8, PERF_RECORD_LARGEST = 65535 };

/* ---- reading fields: past the end all is 0, and BAD is set ---- */

struct perf_cursor {
	const unsigned char *p, *end;
	bool swap, bad;
};

static inline bool
perf_take(struct perf_cursor *c, uint64_t n)
{
	if (n > (size_t)(c->end - c->p))
		c->bad = true;
	return !c->bad;
}

static inline void
perf_skip(struct perf_cursor *c, uint64_t n)
{
	if (perf_take(c, n))
		c->p += n;
}

static inline uint64_t
perf_load64(const void *p, bool swap)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return swap ? __builtin_bswap64(v) : v;
}

static inline uint64_t
perf_u64(struct perf_cursor *c)
{
	if (!perf_take(c, 8))
		return 0;
	c->p += 8;
	return perf_load64(c->p - 8, c->swap);
}

static inline uint32_t
perf_u32(struct perf_cursor *c)
{
	uint32_t v;

	if (!perf_take(c, 4))
		return 0;
	memcpy(&v, c->p, sizeof v);
	c->p += 4;
	return c->swap ? __builtin_bswap32(v) : v;
}

static inline uint16_t
perf_u16(struct perf_cursor *c)
{
	uint16_t v;

	if (!perf_take(c, 2))
		return 0;
	memcpy(&v, c->p, sizeof v);
	c->p += 2;
	return c->swap ? __builtin_bswap16(v) : v;
}

static inline struct slice
perf_bytes(struct perf_cursor *c, uint64_t n)
{
	struct slice s = { (const char *)c->p, (size_t)n };

	if (!perf_take(c, n))
		return (struct slice){ NULL, 0 };
	c->p += n;
	return s;
}

static inline size_t
perf_left(const struct perf_cursor *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->p);
}

/* Text up to a NUL or the end of its N bytes; the cursor goes behind them. */
struct slice perf_text(struct perf_cursor *c, uint64_t n);
/* A feature's string: its length, then so many bytes with NULs at the end. */
struct slice perf_string(struct perf_cursor *c);

struct perf_record_header {
	uint32_t type;
	uint16_t misc, size;
};

static inline struct perf_record_header
perf_load_header(const unsigned char *p, bool swap)
{
	struct perf_record_header h;

	memcpy(&h, p, sizeof h);
	if (swap) {
		h.type = __builtin_bswap32(h.type);
		h.misc = __builtin_bswap16(h.misc);
		h.size = __builtin_bswap16(h.size);
	}
	return h;
}

/* ---- a recording ---- */

/* Where an event's records have what orders them, in words of 8 bytes: in a
 * sample from its body's start, in a trailer from the trailer's. -1: not. */
struct perf_shape {
	int sample_id, sample_time;
	int trailer_tid, trailer_time, trailer_id, trailer_cpu;
	int trailer_words;
};

/* A record that waits for its turn. It stays where it is. */
struct perf_item {
	uint64_t time;
	const unsigned char *record;
};

struct perf_queue {
	struct perf_item *items, *other; /* other: as large, for merging */
	size_t n, cap, cap_other;
	size_t *runs, cap_runs;
	uint64_t newest;      /* of all that were ever put */
	uint64_t newest_then; /* when the round before ended */
};

/* Bytes that come in pieces: they are collected in chunks, in which records
 * are whole and stay until the round after the next. */
struct perf_stream {
	struct perf_chunk *now, *full, *old;
	size_t taken, filled; /* of now: [taken, filled) is yet to be read */
};

struct perf_file {
	struct input *in;
	const char *name;
	bool swap;
	struct slice all;  /* the recording; empty where it is a stream */
	struct slice data; /* its records, within all */
	bool mapped;	   /* all is the input's */
	struct perf_header header;
	struct arena arena; /* what header and events point to */
	struct perf_event *events;
	struct perf_shape *shapes;
	size_t n_events, cap_events, cap_shapes;
	size_t cap_build_ids;
	struct map ids; /* of events, to their indices */
	size_t n_named;
	bool directory;
	struct input **parts; /* the files data.N */
	size_t n_parts, cap_parts;

	/* while records are read */
	const struct perf_handler *handler;
	void *ctx;
	struct perf_queue queue;
	struct perf_stream piped, unpacked;
	struct perf_spool *spool;
	struct perf_zstd *zstd;
	bool unpacking, cut_packed;
	size_t wanted;		       /* bytes that libzstd waits for */
	uint64_t n_packed, n_unpacked; /* bytes so far */
	uint64_t skip;		       /* bytes behind a record that are none */
	uint64_t records;	       /* whole ones */
	uint64_t damaged, cut; /* records; bytes of one that is not whole */
	bool stopped;	       /* nothing behind can be read; has been said */
	uint64_t odd_parts;    /* of the header, which are damaged */
	uint64_t missing;      /* bytes that a cut-off file does not have */
	uint64_t *scratch;     /* for words that have to be converted */
	size_t used_scratch;
};

/* ---- perf_event.c ---- */

/* Reads an attr of at most SIZE bytes, as its own size says: short ones are
 * extended by zeros. False when it is damaged. */
bool perf_read_attr(struct perf_cursor *c, size_t size,
		    struct perf_event_attr *attr);
void perf_add_event(struct perf_file *f, const struct perf_event_attr *attr);
/* The next word is an id of the event with INDEX. */
void perf_add_ids(struct perf_file *f, struct perf_cursor *c, uint64_t n,
		  size_t index);
/* Gives all events that have none a name from their attrs. */
void perf_name_events(struct perf_file *f);
/* The event that a record is of, by the id it has; RECORD is whole. */
size_t perf_event_of_sample(const struct perf_file *f,
			    const unsigned char *record, size_t size);
size_t perf_event_of_trailer(const struct perf_file *f,
			     const unsigned char *record, size_t size);

/* ---- perf_feature.c ---- */

void perf_read_feature(struct perf_file *f, unsigned feature,
		       struct perf_cursor *c);
/* The sections behind a file's records. */
void perf_read_features(struct perf_file *f, uint64_t table);
/* One entry of BUILD_ID, which is a record with a header. */
void perf_read_build_id(struct perf_file *f, struct perf_cursor *c);
bool perf_has_feature(const struct perf_header *h, unsigned feature);

/* ---- perf_record.c: from bytes to records that wait ---- */

/* Takes the whole records at the start of P; returns how many bytes those
 * are. P must stay until the round after the next is over. */
size_t perf_take_records(struct perf_file *f, const unsigned char *p, size_t n);

/* ---- perf_order.c ---- */

void perf_queue_put(struct perf_queue *q, uint64_t time,
		    const unsigned char *record);
/* Hands over what no later record can precede. */
void perf_finish_round(struct perf_file *f);
void perf_finish_all(struct perf_file *f);
void perf_queue_free(struct perf_queue *q);

/* ---- perf_decode.c, perf_sample.c: records to the handler ---- */

void perf_hand_over(struct perf_file *f, const unsigned char *record);
/* False when the record is damaged. */
bool perf_hand_sample(struct perf_file *f, struct perf_cursor *c,
		      const unsigned char *record);
/* N words in native order and aligned, where they are or converted. */
const uint64_t *perf_words(struct perf_file *f, struct perf_cursor *c,
			   uint64_t n);

/* ---- perf_stream.c, perf_spool.c ---- */

/* Room for at least one more record, and how much. NULL: no memory and no
 * disk, which has been said. */
unsigned char *perf_stream_room(struct perf_file *f, struct perf_stream *s,
				size_t *room);
/* N bytes were put there: their records are taken. */
void perf_stream_put(struct perf_file *f, struct perf_stream *s, size_t n);
/* Nothing comes any more: a rest is a record that was cut off. */
void perf_stream_end(struct perf_file *f, struct perf_stream *s);
/* After perf_finish_round: lets go of chunks nothing points to any more. */
void perf_stream_round(struct perf_file *f, struct perf_stream *s);
void perf_stream_free(struct perf_file *f, struct perf_stream *s);

struct perf_chunk {
	struct perf_chunk *next;
	unsigned char bytes[];
};

enum {
	/* Small: fresh memory costs more than what is done with it. */
	PERF_CHUNK = 1 << 18,
	PERF_CHUNK_BYTES = PERF_CHUNK - (int)sizeof(struct perf_chunk)
};

/* Memory, backed by a file without a name in $TMPDIR once there is much of
 * it. NULL when there is none, which has been said. */
struct perf_chunk *perf_spool_take(struct perf_file *f);
void perf_spool_give(struct perf_file *f, struct perf_chunk *chunk);
/* Whether there is so much that a file would have to be made. */
bool perf_spool_is_full(const struct perf_file *f);
/* All that the input has, as one piece; false as above. */
bool perf_spool_input(struct perf_file *f, struct slice *all);
void perf_spool_free(struct perf_spool *s);

/* ---- perf_zstd.c ---- */

/* Unpacks a COMPRESSED record's payload and takes the records in it. */
void perf_unpack(struct perf_file *f, struct slice payload);
void perf_unpack_end(struct perf_file *f);

/* ---- perf_dir.c ---- */

/* Reads the files data.N beside a directory's data; they stay until they are
 * closed. */
void perf_read_directory(struct perf_file *f);
void perf_close_directory(struct perf_file *f);

/* ---- perf_file.c ---- */

/* The records in DATA, which stays. */
void perf_read_mapped(struct perf_file *f, struct slice data);

#endif
