/* SPDX-License-Identifier: MIT */
/* Records that perf record -z has compressed: the payloads of all of them are
 * one stream, and a record may begin in one and end in the next. */
#include "import/machine/perf_internal.h"

#include "base/msg.h"

#ifdef HAVE_ZSTD
#include <zstd.h>

enum {
	BLOCK_HEADER = 3,
	/* Copied stacks that are all the same come to a thousand. */
	MOST_GROWTH = 4000,
	GROWTH_COUNTS = 256 << 20,
};

static bool
refuse(struct perf_file *f, const char *why)
{
	trouble("%s: the compressed records are damaged (%s); what came "
		"before is used",
		f->name, why);
	f->stopped = true;
	return false;
}

/* Before it fills the disk. */
static bool
refuse_growth(struct perf_file *f)
{
	trouble("%s: the compressed records are no recording's: they unpack to "
		"more than %d times their size; what came before is used",
		f->name, MOST_GROWTH);
	f->stopped = true;
	return false;
}

static bool
unpack_piece(struct perf_file *f, ZSTD_inBuffer *in)
{
	ZSTD_outBuffer out = { 0 };
	size_t rc;

	out.dst = perf_stream_room(f, &f->unpacked, &out.size);
	if (!out.dst) {
		f->stopped = true;
		return false;
	}
	rc = ZSTD_decompressStream((ZSTD_DStream *)f->zstd, &out, in);
	if (ZSTD_isError(rc))
		return refuse(f, ZSTD_getErrorName(rc));
	/* Between two blocks the header of the next one is wanted, no more. */
	f->wanted = rc;
	f->n_unpacked += out.pos;
	if (f->n_unpacked > GROWTH_COUNTS &&
	    f->n_unpacked / MOST_GROWTH > f->n_packed)
		return refuse_growth(f);
	perf_stream_put(f, &f->unpacked, out.pos);
	/* all of it is read, and there was room for all that it gives */
	return in->pos < in->size || out.pos == out.size;
}

void
perf_unpack(struct perf_file *f, struct slice payload)
{
	ZSTD_inBuffer in = { payload.ptr, payload.len, 0 };

	f->n_packed += payload.len;
	if (!f->zstd)
		f->zstd = (struct perf_zstd *)ZSTD_createDStream();
	if (!f->zstd)
		die("out of memory");
	while (!f->stopped && unpack_piece(f, &in))
		;
}

void
perf_unpack_end(struct perf_file *f)
{
	if (f->zstd && !f->stopped && f->wanted > BLOCK_HEADER)
		f->cut_packed = true;
	perf_stream_end(f, &f->unpacked);
	ZSTD_freeDStream((ZSTD_DStream *)f->zstd);
	f->zstd = NULL;
}

#else

void
perf_unpack(struct perf_file *f, struct slice payload)
{
	(void)payload;
	trouble("%s: the recording is compressed, and profkit was built "
		"without libzstd: install libzstd-dev, then configure and "
		"build again; or record without -z",
		f->name);
	f->stopped = true;
}

void
perf_unpack_end(struct perf_file *f)
{
	(void)f;
}

#endif
