/* SPDX-License-Identifier: MIT */
#include "svg/unit.h"

#include <math.h>
#include "base/number.h"

/* Steps from the largest down; the last one takes the rest. */
struct step {
	double size;
	const char *name;
};

struct scale {
	struct step steps[6];
};

static const struct scale seconds = {
	{ { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "\xc2\xb5s" }, { 0, "ns" } }
};
static const struct scale bytes = { { { 1099511627776.0, "TiB" },
				      { 1073741824.0, "GiB" },
				      { 1048576.0, "MiB" },
				      { 1024.0, "KiB" },
				      { 0, "bytes" } } };

static const struct unit units[] = {
	{ "ns", &seconds, 1e-9 }, { "us", &seconds, 1e-6 },
	{ "ms", &seconds, 1e-3 }, { "s", &seconds, 1 },
	{ "bytes", &bytes, 1 },
};

struct unit
unit_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(units[i].name, name))
			return units[i];
	return (struct unit){ .name = name, .factor = 1 };
}

void
number_grouped(struct buf *out, double v)
{
	char text[NUMBER_MAX];
	size_t n = number_format(text, v), i;
	size_t digits = strspn(text + (text[0] == '-'), "0123456789") +
			(text[0] == '-');

	for (i = 0; i < n; i++) {
		if (i && i < digits && (digits - i) % 3 == 0 &&
		    text[i - 1] != '-')
			buf_char(out, ',');
		buf_char(out, text[i]);
	}
}

/* Three digits, or all before the point when there are more. */
static void
add_rounded(struct buf *out, double v)
{
	int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
	double unit = pow(10, decimals);

	number_grouped(out, round(v * unit) / unit);
}

void
unit_format(struct buf *out, const struct unit *u, double v)
{
	const struct step *step;

	if (!u->scale) {
		number_grouped(out, v);
		buf_char(out, ' ');
		buf_str(out, u->name);
		return;
	}
	v *= u->factor;
	for (step = u->scale->steps; step->size > 0 && v < step->size; step++)
		;
	if (step->size > 0)
		v /= step->size;
	else if (u->scale == &seconds)
		v *= 1e9;
	add_rounded(out, v);
	buf_char(out, ' ');
	buf_str(out, step->name);
}
