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

void
text_frame(struct buf *out, struct slice s)
{
	size_t i, clean = 0;

	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (!is_control(c) && c != ';')
			continue;
		buf_add(out, s.ptr + clean, i - clean);
		clean = i + 1;
		if (c == ';')
			buf_char(out, ':');
		else
			add_escaped(out, c);
	}
	if (clean < s.len)
		buf_add(out, s.ptr + clean, s.len - clean);
}
