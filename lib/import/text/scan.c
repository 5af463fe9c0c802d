/* SPDX-License-Identifier: MIT */
#include "import/text/scan.h"

#include "base/number.h"

bool
scan_line(struct slice *head, struct slice *line)
{
	if (!head->ptr || !head->len)
		return false;
	*line = slice_cut(head, '\n');
	while (line->len && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

size_t
scan_indent(struct slice s)
{
	size_t n = 0;

	while (n < s.len && scan_is_blank(s.ptr[n]))
		n++;
	return n;
}

struct slice
scan_trim(struct slice s)
{
	s = scan_from(s, scan_indent(s));
	while (s.len && scan_is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool
scan_blanks(struct slice *s)
{
	size_t n = scan_indent(*s);

	*s = scan_from(*s, n);
	return n > 0;
}

bool
scan_text(struct slice *s, const char *text)
{
	if (!slice_starts(*s, text))
		return false;
	*s = scan_from(*s, strlen(text));
	return true;
}

bool
scan_u64(struct slice *s, uint64_t *out)
{
	size_t n = 0;

	while (n < s->len && scan_is_digit(s->ptr[n]))
		n++;
	if (!parse_u64((struct slice){ s->ptr, n }, out))
		return false;
	*s = scan_from(*s, n);
	return true;
}

static bool
is_hex_digit(char c)
{
	return scan_is_digit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

bool
scan_hex(struct slice *s, size_t min)
{
	size_t n = 0;

	while (n < s->len && is_hex_digit(s->ptr[n]))
		n++;
	if (n < min)
		return false;
	*s = scan_from(*s, n);
	return true;
}

bool
scan_address(struct slice *s)
{
	struct slice rest = *s;

	if (!scan_text(&rest, "0x") || !scan_hex(&rest, 1))
		return false;
	*s = rest;
	return true;
}

struct slice
scan_word(struct slice *s)
{
	struct slice word = { s->ptr, 0 };

	while (word.len < s->len && !scan_is_blank(s->ptr[word.len]))
		word.len++;
	*s = scan_from(*s, word.len);
	return word;
}

size_t
scan_find(struct slice s, const char *text)
{
	const char *at =
		s.len ? memmem(s.ptr, s.len, text, strlen(text)) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

size_t
scan_find_last(struct slice s, const char *text)
{
	size_t n = strlen(text), at = s.len;
	struct slice left = s;

	while (left.len >= n) {
		const char *c = memrchr(left.ptr, text[0], left.len - n + 1);

		if (!c)
			break;
		at = (size_t)(c - s.ptr);
		if (!memcmp(c, text, n))
			return at;
		left.len = at + n - 1;
	}
	return s.len;
}

bool
scan_value(struct slice s, double *out)
{
	bool negative = scan_text(&s, "-");

	if (!s.len || !scan_is_digit(s.ptr[0]) ||
	    !scan_is_digit(s.ptr[s.len - 1]))
		return false;
	if (memchr(s.ptr, '.', s.len) || !parse_value(s, out))
		return false;
	if (negative)
		*out = -*out;
	return true;
}

struct slice
scan_function(const struct view *v, struct slice name)
{
	if (v->names == VIEW_NAMES_SHORT)
		name.len = import_parameters(name);
	return scan_trim(name);
}

struct slice
scan_without_offset(const struct view *v, struct slice name)
{
	size_t at = scan_find_last(name, "+0x");
	struct slice offset = scan_from(name, at);

	if (v->names == VIEW_NAMES_RAW || !scan_text(&offset, "+") ||
	    !scan_address(&offset))
		return name;
	if (scan_text(&offset, "/") && !scan_address(&offset))
		return name;
	if (!offset.len)
		name.len = at;
	return name;
}

void
scan_frame(struct import *im, struct slice name, struct scan_place place)
{
	const struct view *v = im->view;
	struct buf b = { 0 };

	if (!name.len)
		name = SLICE_LIT("[unknown]");
	if (!(v->modules && place.module.len) &&
	    !(v->lines && place.source.len)) {
		import_frame(im, name);
		return;
	}
	if (v->modules && place.module.len) {
		buf_slice(&b, slice_basename(place.module));
		buf_char(&b, '`');
	}
	buf_slice(&b, name);
	if (v->lines && place.source.len) {
		buf_char(&b, ':');
		buf_slice(&b, slice_basename(place.source));
	}
	import_frame(im, buf_get(&b));
	buf_free(&b);
}

void
scan_unnamed(struct import *im, struct slice module, struct slice offset)
{
	struct buf b = { 0 };

	buf_char(&b, '[');
	buf_slice(&b,
		  module.len ? slice_basename(module) : SLICE_LIT("unknown"));
	if (im->view->addrs && offset.len) {
		buf_char(&b, '+');
		buf_slice(&b, offset);
	}
	buf_char(&b, ']');
	import_frame(im, buf_get(&b));
	buf_free(&b);
}
