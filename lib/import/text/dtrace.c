/* SPDX-License-Identifier: MIT */
/*
 * DTrace: stacks as keys of aggregations, and stacks that a probe printed.
 *
 *	CPU     ID                    FUNCTION:NAME
 *	  0  64091                        :tick-60s
 *
 *	  bash                        a key before the stack
 *	              libc.so.1`mutex_lock+0x10
 *	              app`main+0x1f
 *	                3             the value, or `  bash        3`
 */
#include "import/text/formats.h"
#include "import/text/scan.h"

/* dtrace(1) indents stacks by 14 columns and keys by two. */
enum { STACK_INDENT = 3 };

static bool
is_header(struct slice line)
{
	line = scan_trim(line);
	if (!scan_text(&line, "CPU") || !scan_blanks(&line) ||
	    !scan_text(&line, "ID") || !scan_blanks(&line))
		return false;
	return slice_is(line, "FUNCTION:NAME");
}

/* A probe that fired: processor, number, `function:name`. */
static bool
is_probe(struct slice line)
{
	uint64_t number;

	line = scan_trim(line);
	return scan_u64(&line, &number) && scan_blanks(&line) &&
	       scan_u64(&line, &number) && scan_blanks(&line) &&
	       memchr(line.ptr, ':', line.len) &&
	       !memchr(line.ptr, '`', line.len);
}

static bool
is_frame(struct slice line)
{
	size_t indent = scan_indent(line);
	struct slice text = scan_from(line, indent);

	return memchr(text.ptr, '`', text.len) ||
	       (indent && slice_starts(text, "0x")) || indent >= STACK_INDENT;
}

int
import_guess_dtrace(struct slice head)
{
	struct slice line;
	bool frame = false;
	double value;

	while (scan_line(&head, &line)) {
		if (is_header(line))
			return IMPORT_YES;
		if (frame && scan_value(scan_trim(line), &value))
			return 70;
		frame = scan_indent(line) && memchr(line.ptr, '`', line.len) &&
			scan_find(line, "+0x") < line.len;
	}
	return IMPORT_NO;
}

struct dtrace {
	struct import *im;
	struct buf key;	   /* what was printed before the stack */
	bool aggregated;   /* there have been values */
	bool fired;	   /* the stack belongs to a probe that fired */
	bool distribution; /* rows of a quantize() */
};

/* Keys are the outermost frame. */
static void
add_stack(struct dtrace *d, double value)
{
	if (d->key.len)
		import_root(d->im, buf_get(&d->key));
	import_add(d->im, value);
	buf_clear(&d->key);
	d->fired = false;
}

/* There is no value: what a probe prints when it fires is one sample, but an
 * aggregation was cut off. */
static void
end_stack(struct dtrace *d)
{
	if (d->im->n_ids && d->fired && !d->aggregated)
		add_stack(d, 1);
	else if (d->im->n_ids || d->key.len)
		import_skip(d->im);
	import_drop(d->im);
	buf_clear(&d->key);
}

static void
add_frame(struct dtrace *d, struct slice text)
{
	const char *tick = memchr(text.ptr, '`', text.len);
	size_t module = tick ? (size_t)(tick + 1 - text.ptr) : 0;

	text = scan_without_offset(d->im->view, text);
	if (module < text.len)
		text.len =
			module +
			scan_function(d->im->view, scan_from(text, module)).len;
	import_frame(d->im, text.len ? text : SLICE_LIT("-"));
}

/* The columns of a key, with one blank in between. */
static void
add_key(struct dtrace *d, struct slice text)
{
	for (text = scan_trim(text); text.len; scan_blanks(&text)) {
		if (d->key.len)
			buf_char(&d->key, ' ');
		buf_slice(&d->key, scan_word(&text));
	}
}

/* A key, which has its value on the same line if it follows the stack. */
static void
read_key(struct dtrace *d, struct slice text)
{
	size_t n = text.len;
	double value;

	while (n && !scan_is_blank(text.ptr[n - 1]))
		n--;
	if (d->im->n_ids && scan_value(scan_from(text, n), &value)) {
		add_key(d, (struct slice){ text.ptr, n });
		d->aggregated = true;
		add_stack(d, value);
		return;
	}
	end_stack(d);
	add_key(d, text);
}

static void
read_distribution(struct dtrace *d, struct slice text)
{
	import_skip(d->im);
	d->distribution = text.len;
	import_drop(d->im);
	buf_clear(&d->key);
}

static void
read_line(struct dtrace *d, struct slice line)
{
	struct slice text = scan_trim(line);
	double value;

	if (!text.len || is_header(line) || slice_starts(line, "dtrace: ")) {
		d->distribution = false;
	} else if (d->distribution ||
		   scan_find(text, " Distribution ") < text.len) {
		read_distribution(d, text);
	} else if (is_probe(line)) {
		end_stack(d);
		d->fired = true;
	} else if (scan_value(text, &value)) {
		d->aggregated = true;
		if (!d->im->n_ids)
			end_stack(d);
		else
			add_stack(d, value);
	} else if (is_frame(line)) {
		add_frame(d, text);
	} else if (scan_indent(line)) {
		read_key(d, text);
	} else {
		import_skip(d->im);
	}
}

void
import_read_dtrace(struct import *im)
{
	struct dtrace d = { .im = im };
	struct slice line;

	while (import_line(im, &line))
		read_line(&d, line);
	end_stack(&d);
	buf_free(&d.key);
}
