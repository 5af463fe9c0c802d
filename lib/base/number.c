/* SPDX-License-Identifier: MIT */
#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/msg.h"

bool
parse_u64(struct slice s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (!s.len)
		return false;
	for (i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.ptr[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*out = v;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
parse_hex(struct slice s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (!s.len || s.len > 16)
		return false;
	for (i = 0; i < s.len; i++) {
		int digit = hex_digit(s.ptr[i]);

		if (digit < 0)
			return false;
		v = v << 4 | (unsigned)digit;
	}
	*out = v;
	return true;
}

bool
parse_double(struct slice s, double *out)
{
	char text[64], *end;
	size_t i;

	if (!s.len || s.len >= sizeof text)
		return false;
	/* strtod takes "inf", "nan", hexadecimal and leading blanks too. */
	for (i = 0; i < s.len; i++)
		if (!(s.ptr[i] >= '0' && s.ptr[i] <= '9') &&
		    !(s.ptr[i] && strchr("+-.eE", s.ptr[i])))
			return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	*out = strtod(text, &end);
	return end == text + s.len && isfinite(*out);
}

bool
parse_value(struct slice s, double *out)
{
	uint64_t v = 0;
	size_t i;

	if (!s.len || s.len > 15)
		return parse_double(s, out);
	for (i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.ptr[i] - (unsigned)'0';

		if (digit > 9)
			return parse_double(s, out);
		v = v * 10 + digit;
	}
	*out = (double)v;
	return true;
}

uint64_t
option_u64(const char *option, const char *text, uint64_t min, uint64_t max)
{
	uint64_t v;

	if (!parse_u64(slice_str(text), &v) || v < min || v > max)
		die_usage("%s: '%s' is not a whole number from %llu to %llu",
			  option, text, (unsigned long long)min,
			  (unsigned long long)max);
	return v;
}

double
option_double(const char *option, const char *text, double min, double max)
{
	double v;

	if (!parse_double(slice_str(text), &v) || v < min || v > max)
		die_usage("%s: '%s' is not a number from %g to %g", option,
			  text, min, max);
	return v;
}

size_t
number_format(char out[NUMBER_MAX], double v)
{
	int n;

	if (v == 0)
		v = 0; /* no "-0" */
	if (v == floor(v) && fabs(v) <= 9007199254740992.0)
		n = snprintf(out, NUMBER_MAX, "%lld", (long long)v);
	else
		n = snprintf(out, NUMBER_MAX, "%.15g", v);
	/* %g writes 1e-07 for small fractions: say it without exponent, as
	 * long as that is to be read. */
	if (memchr(out, 'e', (size_t)n) && fabs(v) < 1 && fabs(v) > 1e-12) {
		n = snprintf(out, NUMBER_MAX, "%.20f", v);
		while (out[n - 1] == '0')
			n--;
		if (out[n - 1] == '.')
			n--;
		out[n] = '\0';
	}
	return (size_t)n;
}
