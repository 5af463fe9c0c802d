/* SPDX-License-Identifier: MIT */
#include "svg/xml.h"

/*
 * Decodes the character that S begins with; *C is UINT32_MAX when its bytes
 * are no UTF-8 (RFC 3629: no surrogates, no overlong forms, at most 10FFFF).
 * Returns how many bytes it took: 1 for bad ones.
 */
static size_t
decode(struct slice s, uint32_t *c)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t v;
	size_t n, i;

	*c = p[0];
	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	*c = UINT32_MAX;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < n)
		return 1;
	v = p[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 1;
	*c = v;
	return n;
}

/* Bidi controls, zero-width characters, line separators, noncharacters: none
 * of them has a shape of its own, and some turn the text around them. */
static bool
is_invisible(uint32_t c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

static const char *
entity(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

/* How wide a character shows, in units of a letter; escapes are longer. */
static size_t
cells_of(uint32_t c)
{
	if (c == UINT32_MAX)
		return 1;
	if (c < 0x20 || c == 0x7f)
		return 4;
	if (is_invisible(c))
		return 8;
	return c >= 0x1100 ? 2 : 1;
}

static void
add_character(struct buf *out, uint32_t c, struct slice bytes)
{
	const char *name = entity(c);

	if (c == UINT32_MAX)
		buf_str(out, "\xef\xbf\xbd");
	else if (name)
		buf_str(out, name);
	else if (c < 0x20 || c == 0x7f)
		buf_printf(out, "\\x%02x", (unsigned)c);
	else if (is_invisible(c))
		buf_printf(out, "\\u{%04x}", (unsigned)c);
	else
		buf_slice(out, bytes);
}

/* Length of the plain characters that S begins with. */
static size_t
plain_length(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] >= 0x20 && s.ptr[n] < 0x7f &&
	       !entity((unsigned char)s.ptr[n]))
		n++;
	return n;
}

void
xml_text(struct buf *out, struct slice s)
{
	while (s.len) {
		uint32_t c;
		size_t n = plain_length(s);

		buf_add(out, s.ptr, n);
		s.ptr += n;
		s.len -= n;
		if (!s.len)
			break;
		n = decode(s, &c);
		add_character(out, c, (struct slice){ s.ptr, n });
		s.ptr += n;
		s.len -= n;
	}
}

void
xml_str(struct buf *out, const char *s)
{
	xml_text(out, slice_str(s));
}

void
xml_text_cut(struct buf *out, struct slice s, size_t cells)
{
	/* Where the text still has room for an ellipsis behind it. */
	size_t used = 0, keep = out->len;

	while (s.len) {
		uint32_t c;
		size_t n = decode(s, &c), width = cells_of(c);

		if (used + width > cells) {
			out->len = keep;
			buf_str(out, "\xe2\x80\xa6");
			return;
		}
		add_character(out, c, (struct slice){ s.ptr, n });
		used += width;
		if (used + 1 <= cells)
			keep = out->len;
		s.ptr += n;
		s.len -= n;
	}
}
