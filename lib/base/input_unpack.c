/* SPDX-License-Identifier: MIT */
/* Stored bytes become text: gzip, UTF-16, byte order marks. */
#include "base/input_internal.h"

#include <errno.h>
#include <unistd.h>
#include "base/msg.h"
#include "base/xalloc.h"

void
input_break_off(struct input *in, const char *why)
{
	trouble("%s: %s; what came before is used", in->name, why);
	in->broken = true;
	in->eof = true;
}

/* Up to N bytes as stored, 0 at the end. */
size_t
input_read_raw(struct input *in, void *to, size_t n)
{
	ssize_t got;

	if (in->fd < 0) {
		if (n > in->memory.len)
			n = in->memory.len;
		if (n)
			memcpy(to, in->memory.ptr, n);
		in->memory.ptr += n;
		in->memory.len -= n;
		return n;
	}
	if (in->part && (off_t)n > in->stop - in->at)
		n = (size_t)(in->stop - in->at);
	do
		got = in->part ? pread(in->fd, to, n, in->at)
			       : read(in->fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		input_break_off(in, strerror(errno));
		return 0;
	}
	in->at += got;
	return (size_t)got;
}

static void
refill_packed(struct input *in)
{
	if (in->z.avail_in)
		return;
	in->z.next_in = in->packed;
	in->z.avail_in = (unsigned)input_read_raw(in, in->packed, GZ_BLOCK);
}

/* At the end of a member: another one, the end, or bytes that are neither
 * (gzip(1) ignores zeros there, and so do we). */
static void
next_member(struct input *in)
{
	in->in_member = false;
	for (;;) {
		refill_packed(in);
		if (!in->z.avail_in) {
			in->eof = true;
			return;
		}
		if (*in->z.next_in)
			break;
		in->z.next_in++;
		in->z.avail_in--;
	}
	if (*in->z.next_in != 0x1f) {
		input_break_off(in, "bytes behind the end of the gzip data");
		return;
	}
	inflateReset(&in->z);
	in->in_member = true;
}

static size_t
read_gzip(struct input *in, char *to, size_t n)
{
	in->z.next_out = (unsigned char *)to;
	in->z.avail_out = (unsigned)(n > 1u << 30 ? 1u << 30 : n);
	n = in->z.avail_out;
	while (!in->eof && in->z.avail_out == n) {
		int rc;

		refill_packed(in);
		if (in->eof)
			break;
		if (!in->z.avail_in) {
			input_break_off(in, "the gzip data is cut off");
			break;
		}
		rc = inflate(&in->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			next_member(in);
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			input_break_off(in, "the gzip data is damaged");
	}
	return n - in->z.avail_out;
}

static size_t
read_stored(struct input *in, char *to, size_t n)
{
	return in->gzip ? read_gzip(in, to, n) : input_read_raw(in, to, n);
}

/* ---- UTF-16 ---- */

static unsigned
unit_at(const struct input *in, size_t at)
{
	const unsigned char *p = in->wide + at;

	return in->units == BIG ? (unsigned)p[0] << 8 | p[1]
				: (unsigned)p[1] << 8 | p[0];
}

/* Takes a character off; false when there is only a part of one. Halves of
 * pairs become U+FFFD. */
static bool
take_character(struct input *in, bool last, unsigned *c)
{
	size_t left = in->wide_end - in->wide_at;
	unsigned low;

	if (left < 2)
		return false;
	*c = unit_at(in, in->wide_at);
	if (*c < 0xd800 || *c > 0xdfff || (left < 4 && last)) {
		in->wide_at += 2;
		if (*c >= 0xd800 && *c <= 0xdfff)
			*c = 0xfffd;
		return true;
	}
	if (left < 4)
		return false;
	low = unit_at(in, in->wide_at + 2);
	if (*c > 0xdbff || low < 0xdc00 || low > 0xdfff) {
		*c = 0xfffd;
		in->wide_at += 2;
		return true;
	}
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	in->wide_at += 4;
	return true;
}

static size_t
put_utf8(char *to, unsigned c)
{
	unsigned char *p = (unsigned char *)to;
	size_t n = 1 + (c >= 0x80) + (c >= 0x800) + (c >= 0x10000), i;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; i-- > 1; c >>= 6)
		p[i] = (unsigned char)(0x80 | (c & 0x3f));
	p[0] = (unsigned char)(lead[n] | c);
	return n;
}

/* Up to N bytes of UTF-8, 0 at the end. */
static size_t
read_wide(struct input *in, char *to, size_t n)
{
	size_t made = 0, got, left;
	bool last = false;
	unsigned c;

	while (!made && !last) {
		left = in->wide_end - in->wide_at;
		memmove(in->wide, in->wide + in->wide_at, left);
		in->wide_at = 0;
		got = left < 4 && !in->eof
			      ? read_stored(in, (char *)in->wide + left,
					    BLOCK - left)
			      : 0;
		last = left < 4 && !got;
		in->wide_end = left + got;
		while (made + 4 <= n && take_character(in, last, &c))
			made += put_utf8(to + made, c);
	}
	if (last && in->wide_at < in->wide_end) {
		input_break_off(in, "the UTF-16 text is cut off");
		in->wide_at = in->wide_end;
	}
	return made;
}

/* A byte order mark is no text, and tells what is. */
void
input_decide_encoding(struct input *in)
{
	const unsigned char *p = (unsigned char *)in->data + in->begin;
	size_t n = in->end - in->begin;

	in->decided = true;
	if (n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		in->begin += 3;
	if (n < 2 || (p[0] ^ p[1]) != 1 || (p[0] & p[1]) != 0xfe)
		return;
	in->units = p[0] == 0xff ? LITTLE : BIG;
	in->wide = xmalloc(BLOCK > n ? BLOCK : n);
	memcpy(in->wide, p + 2, n - 2);
	in->wide_end = n - 2;
	in->begin = in->end = 0;
}

void
input_begin_gzip(struct input *in, size_t got)
{
	in->gzip = in->in_member = true;
	in->packed = xmalloc(BLOCK);
	memcpy(in->packed, in->data, got);
	in->z.next_in = in->packed;
	in->z.avail_in = (unsigned)got;
	in->end = 0;
	if (inflateInit2(&in->z, 15 + 16) != Z_OK)
		die("out of memory");
}

size_t
input_read_text(struct input *in, char *to, size_t n)
{
	return in->units ? read_wide(in, to, n) : read_stored(in, to, n);
}
