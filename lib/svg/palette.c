/* SPDX-License-Identifier: MIT */
#include "svg/palette.h"

#include <math.h>

enum { SHADES = 26, STEPS = 8 };

/* Hues in degrees, the rest in 0..1. A shade lies between the two ends; dark
 * pages get the same hues, less bright. */
struct palette {
	const char *name;
	double hue[2], saturation[2], light[2];
};

static const struct palette palettes[] = {
	{ "hot", { 4, 50 }, { 0.94, 0.88 }, { 0.66, 0.60 } },
	{ "mem", { 92, 158 }, { 0.50, 0.56 }, { 0.66, 0.55 } },
};

static const double dark_saturation = 0.80, dark_light = 0.84;

const struct palette *
palette_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof palettes / sizeof *palettes; i++)
		if (!strcmp(palettes[i].name, name))
			return &palettes[i];
	return NULL;
}

void
palette_names(struct buf *out)
{
	size_t i;

	for (i = 0; i < sizeof palettes / sizeof *palettes; i++) {
		if (i)
			buf_str(out, ", ");
		buf_str(out, palettes[i].name);
	}
}

/* FNV-1a (Fowler, Noll, Vo), not hash_bytes: a name's colour stays the same
 * from version to version. */
static uint32_t
name_hash(struct slice name)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.ptr[i]) * 16777619u;
	return h ^ h >> 15;
}

char
palette_class(struct slice name)
{
	if (slice_is(name, "-") || slice_is(name, "--"))
		return 0;
	return (char)('a' + name_hash(name) % SHADES);
}

char
palette_change_class(double change)
{
	/* The root of the share, or one big change makes all others pale. */
	int step = (int)ceil(sqrt(fabs(change)) * STEPS);

	if (step <= 0)
		return 0;
	if (step > STEPS)
		step = STEPS;
	return (char)((change > 0 ? 'A' : 'A' + STEPS) + step - 1);
}

static unsigned
channel(double hue, double saturation, double light, double shift)
{
	/* CSS Color Module Level 4, section 7.1: HSL to RGB. */
	double k = fmod(shift + hue / 30, 12);
	double a = saturation * (light < 0.5 ? light : 1 - light);
	double edge = fmin(k - 3, 9 - k);

	return (unsigned)lround(255 * (light - a * fmax(-1, fmin(1, edge))));
}

static void
add_rule(struct buf *out, char class, double hue, double saturation,
	 double light)
{
	buf_printf(out, ".%c{fill:#%02x%02x%02x}\n", class,
		   channel(hue, saturation, light, 0),
		   channel(hue, saturation, light, 8),
		   channel(hue, saturation, light, 4));
}

static double
between(const double ends[2], double at)
{
	return ends[0] + (ends[1] - ends[0]) * at;
}

static void
add_shades(struct buf *out, const struct palette *p, bool dark)
{
	int i;

	for (i = 0; i < SHADES; i++) {
		double at = (double)i / (SHADES - 1);
		double saturation = between(p->saturation, at);
		double light = between(p->light, at);

		if (dark) {
			saturation *= dark_saturation;
			light *= dark_light;
		}
		add_rule(out, (char)('a' + i), between(p->hue, at), saturation,
			 light);
	}
}

static void
add_changes(struct buf *out, bool dark)
{
	int i;

	for (i = 0; i < STEPS; i++) {
		double at = (i + 1.0) / STEPS;
		double light = dark ? 0.74 - at * 0.16 : 0.93 - at * 0.30;

		add_rule(out, (char)('A' + i), 8, 0.3 + 0.6 * at, light);
		add_rule(out, (char)('A' + STEPS + i), 218, 0.3 + 0.6 * at,
			 light);
	}
}

static void
add_rules(struct buf *out, const struct palette *p, bool differential,
	  bool dark)
{
	if (differential)
		add_changes(out, dark);
	else
		add_shades(out, p, dark);
}

void
palette_css(struct buf *out, const struct palette *p, bool differential)
{
	add_rules(out, p, differential, false);
	buf_str(out, "@media (prefers-color-scheme:dark){\n");
	add_rules(out, p, differential, true);
	buf_str(out, "}\n");
}
