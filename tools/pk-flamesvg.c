/* SPDX-License-Identifier: MIT */
/* Reads folded stacks, one or two columns, and writes one interactive SVG:
 * a flame graph. */
#include "config.h"

#include <math.h>
#include "base/msg.h"
#include "base/number.h"
#include "base/option.h"
#include "profile/profile.h"
#include "svg/svg.h"

struct options {
	const char *output, *title;
	struct svg_options svg;
};

static const char help[] =
	"Usage: pk-flamesvg [OPTION]... [FILE]...\n"
	"Draw folded stacks as an interactive flame graph, one SVG.\n"
	"Several files are added up. Of two columns of values the second is "
	"drawn,\n"
	"and colours show the change.\n"
	"\n"
	"  -o, --output FILE      write there, not to standard output\n"
	"Heading:\n"
	"      --title TEXT       [Flame Graph]\n"
	"      --subtitle TEXT    a second line\n"
	"Values:\n"
	"      --unit UNIT        what they are [samples]; ns, us, ms, s and\n"
	"                         bytes are written for people: 1.2 s, 340 "
	"MiB\n"
	"      --countname TEXT   the same for any text: the number stays as "
	"it "
	"is\n"
	"Looks:\n"
	"      --colors PALETTE, --palette PALETTE\n"
	"                         hot or mem [hot]\n"
	"      --width PIXELS     of the picture; 100% fills the page [100%]\n"
	"      --height PIXELS    of a frame [16]\n"
	"      --minwidth WIDTH   leave narrower frames out: pixels, or "
	"percent\n"
	"                         of the whole, as in 0.1% [0.1]\n"
	"      --inverted         the root on top: an icicle graph\n"
	"      --nametype TEXT    in front of a name in the line of details\n"
	"                         [Function:]\n"
	"  -h, --help, -V, --version\n"
	"\n"
	"Example: pk-sample make | pk-fold | pk-flamesvg -o make.svg\n";

enum {
	OPT_TITLE = 256,
	OPT_SUBTITLE,
	OPT_WIDTH,
	OPT_HEIGHT,
	OPT_MINWIDTH,
	OPT_UNIT,
	OPT_COUNTNAME,
	OPT_NAMETYPE,
	OPT_COLORS,
	OPT_INVERTED
};

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "title", required_argument, NULL, OPT_TITLE },
	{ "subtitle", required_argument, NULL, OPT_SUBTITLE },
	{ "width", required_argument, NULL, OPT_WIDTH },
	{ "height", required_argument, NULL, OPT_HEIGHT },
	{ "minwidth", required_argument, NULL, OPT_MINWIDTH },
	{ "unit", required_argument, NULL, OPT_UNIT },
	{ "countname", required_argument, NULL, OPT_COUNTNAME },
	{ "nametype", required_argument, NULL, OPT_NAMETYPE },
	{ "colors", required_argument, NULL, OPT_COLORS },
	{ "palette", required_argument, NULL, OPT_COLORS },
	{ "inverted", no_argument, NULL, OPT_INVERTED },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static double
parse_width(const char *text)
{
	if (!strcmp(text, "100%") || !strcmp(text, "fluid"))
		return 0;
	return option_double("--width", text, 50, 1000000);
}

static void
parse_min_width(struct svg_options *svg, const char *text)
{
	struct slice s = slice_str(text);

	svg->min_width_percent = s.len && s.ptr[s.len - 1] == '%';
	if (svg->min_width_percent)
		s.len--;
	if (!parse_double(s, &svg->min_width) || svg->min_width < 0)
		die_usage("--minwidth: '%s' is neither pixels nor percent",
			  text);
}

static const struct palette *
parse_palette(const char *text)
{
	const struct palette *p = palette_find(text);
	struct buf names = { 0 };

	if (p)
		return p;
	palette_names(&names);
	die_usage("--colors: there is no palette '%s'; there are %s", text,
		  names.ptr);
}

static void
parse_option(struct options *o, int c)
{
	switch (c) {
	case 'o':
		o->output = optarg;
		break;
	case OPT_TITLE:
		o->title = optarg;
		break;
	case OPT_SUBTITLE:
		o->svg.subtitle = optarg;
		break;
	case OPT_WIDTH:
		o->svg.width = parse_width(optarg);
		break;
	case OPT_HEIGHT:
		o->svg.frame_height = option_double("--height", optarg, 3, 200);
		break;
	case OPT_MINWIDTH:
		parse_min_width(&o->svg, optarg);
		break;
	case OPT_UNIT:
		o->svg.unit = unit_named(optarg);
		break;
	case OPT_COUNTNAME:
		o->svg.unit = (struct unit){ .name = optarg, .factor = 1 };
		break;
	case OPT_NAMETYPE:
		o->svg.name_type = optarg;
		break;
	case OPT_COLORS:
		o->svg.palette = parse_palette(optarg);
		break;
	case OPT_INVERTED:
		o->svg.inverted = true;
		break;
	case 'h':
		option_print(help);
	case 'V':
		option_print("pk-flamesvg (profkit) " PACKAGE_VERSION "\n");
	}
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = option_next(argc, argv, "o:hV", long_options)) != -1)
		parse_option(o, c);
	if (!o->title)
		o->title = o->svg.inverted ? "Icicle Graph" : "Flame Graph";
	o->svg.title = o->title;
}

static void
read_file(struct profile *p, const char *path)
{
	struct input *in = input_open(path, "folded stacks");

	if (slice_starts(input_peek(in), "pk-capture "))
		die("%s: this is a capture: turn it into folded stacks with "
		    "pk-fold first",
		    input_name(in));
	profile_read(p, in);
	input_close(in);
}

int
main(int argc, char **argv)
{
	struct options o = { .svg = { .subtitle = "",
				      .name_type = "Function:",
				      .frame_height = 16,
				      .min_width = 0.1 } };
	struct profile p = { 0 };
	struct output *out;
	int i;

	msg_init("pk-flamesvg", 2);
	o.svg.unit = unit_named("samples");
	o.svg.palette = palette_find("hot");
	parse_options(&o, argc, argv);
	out = output_open(o.output, OUTPUT_NO_TERMINAL, "a picture");
	if (optind == argc)
		read_file(&p, "-");
	for (i = optind; i < argc; i++)
		read_file(&p, argv[i]);
	if (!p.n_stacks && msg_status())
		exit(msg_status());
	if (!isfinite(p.magnitude))
		die("the values add up to more than a number can hold");
	if (!p.n_stacks)
		die("no stacks in the input: there is nothing to draw");
	svg_write(&p, &o.svg, out);
	output_close(out);
	profile_free(&p);
	return msg_status();
}
