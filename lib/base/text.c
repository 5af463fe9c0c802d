/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/number.h"

static bool
is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

static void
add_escaped(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	buf_add(out, (char[]){ '\\', 'x', hex[c >> 4], hex[c & 15] }, 4);
}

void
text_escape(struct buf *out, struct slice s)
{
	size_t i;

	buf_reserve(out, s.len);
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (is_control(c) || c == '\\')
			add_escaped(out, c);
		else
			buf_char(out, s.ptr[i]);
	}
}

void
text_unescape(struct buf *out, struct slice s)
{
	size_t i;

	buf_reserve(out, s.len);
	for (i = 0; i < s.len; i++) {
		uint64_t byte;

		if (s.ptr[i] == '\\' && s.len - i >= 4 && s.ptr[i + 1] == 'x' &&
		    parse_hex((struct slice){ s.ptr + i + 2, 2 }, &byte)) {
			buf_char(out, (char)byte);
			i += 3;
		} else {
			buf_char(out, s.ptr[i]);
		}
	}
}

/* U+2028 to U+202E, U+2066 to U+2069: line ends, and directions. */
static bool
turns_line(const unsigned char *c)
{
	return c[0] == 0xe2 &&
	       ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
		(c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

static bool
is_c1(const unsigned char *c, size_t n)
{
	return n > 1 && c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
}

size_t
text_printable(struct slice s)
{
	const unsigned char *c = (const unsigned char *)s.ptr;
	size_t n = *c < 0x80   ? 1
		   : *c < 0xc2 ? 0
		   : *c < 0xe0 ? 2
		   : *c < 0xf0 ? 3
			       : 4;
	size_t i;

	if (is_control(*c) || *c > 0xf4 || n > s.len || is_c1(c, n))
		return 0;
	for (i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return n == 3 && turns_line(c) ? 0 : n;
}

void
text_show(struct buf *out, struct slice s)
{
	size_t n;

	for (; s.len; s.ptr += n, s.len -= n) {
		n = text_printable(s);
		if (n)
			buf_add(out, s.ptr, n);
		else
			add_escaped(out, (unsigned char)*s.ptr);
		n = n ? n : 1;
	}
}

void
text_frame(struct buf *out, struct slice s)
{
	size_t i, clean = 0;

	for (i = 0; i < s.len; i++) {
		const unsigned char *c = (const unsigned char *)s.ptr + i;
		bool c1 = *c == 0xc2 && is_c1(c, s.len - i);

		if (!is_control(*c) && *c != ';' && !c1)
			continue;
		buf_add(out, s.ptr + clean, i - clean);
		if (*c == ';')
			buf_char(out, ':');
		else
			add_escaped(out, *c);
		if (c1)
			add_escaped(out, (unsigned char)s.ptr[++i]);
		clean = i + 1;
	}
	if (clean < s.len)
		buf_add(out, s.ptr + clean, s.len - clean);
}
