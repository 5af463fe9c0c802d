/* SPDX-License-Identifier: MIT */
#include "svg/svg.h"

#include <math.h>
#include <stdio.h>
#include "base/msg.h"
#include "base/xalloc.h"
#include "profile/tree.h"
#include "svg/assets.h"
#include "svg/xml.h"

/* More levels make a picture that no viewer shows and nobody scrolls. */
enum { MAX_DEPTH = 1000 };

/* What a viewer without a script gets: labels are cut for this width, and for
 * letters of this part of the font's size. */
static const double nominal_width = 1200, letter = 0.59;
/* Of the width, left and right of the frames. */
static const double margin = 0.01;
/* Shorter labels say nothing. */
enum { LEAST_CELLS = 3 };

struct drawing {
	const struct profile *p;
	const struct svg_options *o;
	struct output *out;
	struct tree tree;
	uint32_t *by_level; /* the tree's nodes, level by level */
	int column;
	double scale;	/* of a value, to steps of x */
	int decimals;	/* a step of x is 10^-decimals percent */
	double nominal; /* the frames' width in pixels */
	double font_size, baseline;
	double max_change;
	double top, height; /* of the frames, in pixels */
	bool cut_deep;	    /* frames beyond MAX_DEPTH would show */
	struct buf b, amount;
};

static const double head_height = 38, line_height = 18, foot_height = 30;

static double
total_of(const struct drawing *d)
{
	return d->tree.nodes[0].total[d->column];
}

/* Names as they show: without the suffix that tells the kind of code. */
static struct slice
label_of(const struct drawing *d, const struct tree_node *node)
{
	struct slice name;

	if (node->symbol == TREE_ROOT)
		return SLICE_LIT("all");
	name = intern_get(&d->p->symbols, node->symbol);
	if (name.len > 4 && name.ptr[name.len - 4] == '_' &&
	    name.ptr[name.len - 3] == '[' &&
	    memchr("kjiw", name.ptr[name.len - 2], 4) &&
	    name.ptr[name.len - 1] == ']')
		name.len -= 4;
	return name;
}

static uint64_t
step_at(const struct drawing *d, double value)
{
	return (uint64_t)llround(value * d->scale);
}

/* Percent with as many decimals as a step has, without trailing zeros. */
static void
add_steps(struct drawing *d, uint64_t steps)
{
	uint64_t unit = (uint64_t)llround(pow(10, d->decimals));
	uint64_t rest = steps % unit;

	buf_u64(&d->b, steps / unit);
	if (!rest)
		return;
	buf_char(&d->b, '.');
	while (unit /= 10, rest) {
		buf_char(&d->b, (char)('0' + rest / unit));
		rest %= unit;
	}
}

static double
change_of(const struct tree_node *node)
{
	return node->self[1] - node->self[0];
}

static void
add_title(struct drawing *d, const struct tree_node *node)
{
	double total = total_of(d), value = node->total[d->column];

	xml_text(&d->b, label_of(d, node));
	buf_str(&d->b, " (");
	buf_clear(&d->amount);
	unit_format(&d->amount, &d->o->unit, value);
	xml_text(&d->b, buf_get(&d->amount));
	buf_printf(&d->b, ", %.2f%%", 100 * value / total);
	if (d->column)
		buf_printf(&d->b, "; %+.2f%%", 100 * change_of(node) / total);
	buf_char(&d->b, ')');
}

static char
class_of(const struct drawing *d, const struct tree_node *node)
{
	if (d->column)
		return d->max_change > 0
			       ? palette_change_class(change_of(node) /
						      d->max_change)
			       : 0;
	if (node->symbol == TREE_ROOT)
		return 0;
	return palette_class(label_of(d, node));
}

static void
add_frame(struct drawing *d, const struct tree_node *node)
{
	uint64_t from = step_at(d, node->start);
	uint64_t to = step_at(d, node->start + node->total[d->column]);
	char class = class_of(d, node);

	buf_str(&d->b, "<rect");
	if (class) {
		buf_str(&d->b, " class=\"");
		buf_char(&d->b, class);
		buf_char(&d->b, '"');
	}
	buf_str(&d->b, " x=\"");
	add_steps(d, from);
	buf_str(&d->b, "\" width=\"");
	add_steps(d, to > from ? to - from : 1);
	buf_printf(&d->b, "\" height=\"%g\"><title>", d->o->frame_height - 1);
	add_title(d, node);
	buf_str(&d->b, "</title></rect>\n");
}

static void
add_label(struct drawing *d, const struct tree_node *node)
{
	double share = node->total[d->column] / total_of(d);
	double cells = (share * d->nominal - 6) / (d->font_size * letter);

	if (cells < LEAST_CELLS)
		return;
	buf_str(&d->b, "<text x=\"");
	add_steps(d, step_at(d, node->start));
	buf_str(&d->b, "%\">");
	xml_text_cut(&d->b, label_of(d, node), (size_t)cells);
	buf_str(&d->b, "</text>\n");
}

static double
level_y(const struct drawing *d, uint32_t level)
{
	if (!d->o->inverted)
		level = d->tree.max_depth - level;
	return level * d->o->frame_height;
}

static void
flush(struct drawing *d)
{
	output_slice(d->out, buf_get(&d->b));
	buf_clear(&d->b);
}

/* ADD for each node, one group a level; SHIFT moves the groups down. */
static void
write_levels(struct drawing *d, double shift,
	     void (*add)(struct drawing *, const struct tree_node *))
{
	uint32_t level = UINT32_MAX;
	size_t i;

	for (i = 0; i < d->tree.n; i++) {
		const struct tree_node *node = &d->tree.nodes[d->by_level[i]];

		if (node->depth != level) {
			level = node->depth;
			buf_printf(
				&d->b, "%s<g transform=\"translate(0,%g)\">\n",
				i ? "</g>\n" : "", level_y(d, level) + shift);
		}
		add(d, node);
		flush(d);
	}
	buf_str(&d->b, "</g>\n");
}

/* A counting sort by depth; within a level preorder is left to right. */
static void
sort_by_level(struct drawing *d)
{
	size_t *next = xcalloc((size_t)d->tree.max_depth + 2, sizeof *next);
	size_t i;

	d->by_level = xcalloc(d->tree.n, sizeof *d->by_level);
	for (i = 0; i < d->tree.n; i++)
		next[d->tree.nodes[i].depth + 1]++;
	for (i = 0; i < d->tree.max_depth; i++)
		next[i + 1] += next[i];
	for (i = 0; i < d->tree.n; i++)
		d->by_level[next[d->tree.nodes[i].depth]++] = (uint32_t)i;
	free(next);
}

static void
scan_tree(struct drawing *d, double least)
{
	size_t i;

	for (i = 0; i < d->tree.n; i++) {
		const struct tree_node *node = &d->tree.nodes[i];
		double deeper = node->total[d->column] - node->self[d->column];

		if (fabs(change_of(node)) > d->max_change)
			d->max_change = fabs(change_of(node));
		if (node->depth == MAX_DEPTH && deeper > 0 && deeper >= least)
			d->cut_deep = true;
	}
}

/* The least share of the whole that is drawn. */
static double
least_share(const struct drawing *d)
{
	if (d->o->min_width_percent)
		return d->o->min_width / 100;
	return d->o->min_width / d->nominal;
}

/* Enough decimals to place the narrowest frame within a hundredth of its
 * width; 15 digits are all that a double has. */
static int
decimals_for(double share)
{
	int n = share > 0 ? (int)ceil(-log10(share * 100) + 1.9) : 12;

	return n < 4 ? 4 : n > 12 ? 12 : n;
}

static void
lay_out(struct drawing *d)
{
	double least, share;

	d->column = d->p->columns == 2;
	d->nominal = (d->o->width > 0 ? d->o->width : nominal_width) *
		     (1 - 2 * margin);
	share = least_share(d);
	least = share * d->p->total[d->column];
	tree_build(&d->tree, d->p, d->column, least, MAX_DEPTH);
	if (!(total_of(d) > 0))
		die("nothing to draw: the values add up to nothing");
	scan_tree(d, least);
	sort_by_level(d);
	d->decimals = decimals_for(share);
	d->scale = 100 * pow(10, d->decimals) / total_of(d);
	if (!isfinite(d->scale))
		die("nothing to draw: the values are too small");
	d->font_size = fmax(1, fmin(12, d->o->frame_height - 4));
	d->baseline = floor((d->o->frame_height - 1 + d->font_size * 0.7) / 2);
	d->top = head_height + (*d->o->subtitle ? line_height : 0) +
		 (d->cut_deep ? line_height : 0);
	d->height = (d->tree.max_depth + 1) * d->o->frame_height;
}

static void
add_style(struct drawing *d)
{
	buf_str(&d->b, "<style>\n");
	buf_str(&d->b, svg_style);
	palette_css(&d->b, d->o->palette, d->column == 1);
	buf_printf(&d->b, "#labels{font-size:%gpx}\n</style>\n", d->font_size);
}

static void
add_heading(struct drawing *d, const char *id, double y, const char *text)
{
	if (!*text)
		return;
	buf_printf(&d->b, "<text id=\"%s\" x=\"50%%\" y=\"%g\">", id, y);
	xml_str(&d->b, text);
	buf_str(&d->b, "</text>\n");
}

static void
add_deep_note(struct drawing *d)
{
	char text[160];
	unsigned long long deepest = d->tree.complete_depth;

	if (!d->cut_deep)
		return;
	snprintf(text, sizeof text,
		 "frames deeper than %d are left out; the deepest stack has "
		 "%llu",
		 MAX_DEPTH, deepest);
	warning("%s", text);
	add_heading(d, "note", d->top - 10, text);
}

static void
write_head(struct drawing *d)
{
	buf_str(&d->b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"");
	if (d->o->width > 0)
		buf_printf(&d->b, "%g", d->o->width);
	else
		buf_str(&d->b, "100%");
	buf_printf(&d->b, "\" height=\"%g\"%s data-name-type=\"",
		   d->top + d->height + foot_height,
		   d->o->inverted ? "" : " data-up=\"1\"");
	xml_str(&d->b, d->o->name_type);
	buf_str(&d->b, "\">\n<title>");
	xml_str(&d->b, d->o->title);
	buf_str(&d->b, "</title>\n");
	add_style(d);
	buf_str(&d->b, "<rect id=\"page\" width=\"100%\" height=\"100%\"/>\n");
	add_heading(d, "title", 23, d->o->title);
	add_heading(d, "subtitle", 23 + line_height, d->o->subtitle);
	add_deep_note(d);
}

static void
write_picture(struct drawing *d)
{
	double side = margin * 100, width = 100 - 2 * side;

	write_head(d);
	buf_printf(&d->b,
		   "<svg id=\"frames\"%s x=\"%g%%\" y=\"%g\" width=\"%g%%\" "
		   "height=\"%g\" viewBox=\"0 0 100 %g\" "
		   "preserveAspectRatio=\"none\">\n",
		   d->column ? " class=\"changes\"" : "", side, d->top, width,
		   d->height, d->height);
	write_levels(d, 0, add_frame);
	buf_printf(&d->b,
		   "</svg>\n<svg id=\"labels\" x=\"%g%%\" y=\"%g\" "
		   "width=\"%g%%\" height=\"%g\">\n",
		   side, d->top, width, d->height);
	write_levels(d, d->baseline, add_label);
	buf_printf(&d->b,
		   "</svg>\n<text id=\"details\" x=\"%g%%\" y=\"%g\"></text>\n",
		   side, d->top + d->height + 20);
	buf_str(&d->b, "<script><![CDATA[\n");
	buf_str(&d->b, svg_script);
	buf_str(&d->b, "]]></script>\n</svg>\n");
	flush(d);
}

void
svg_write(const struct profile *p, const struct svg_options *o,
	  struct output *out)
{
	struct drawing d = { .p = p, .o = o, .out = out };

	lay_out(&d);
	write_picture(&d);
	tree_free(&d.tree);
	free(d.by_level);
	buf_free(&d.b);
	buf_free(&d.amount);
}
