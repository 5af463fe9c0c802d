/* SPDX-License-Identifier: MIT */
/*
 * bpftrace: maps whose keys hold stacks.
 *
 *	@name[comm,
 *	    inner+12
 *	    outer+34
 *	, 4242]: 7
 *
 * An element of a key that is a stack begins on a line of its own; without
 * frames nothing is left of it, `@[, 4242]: 7`. Several stacks (kernel, user)
 * follow each other from the inside out, and all else of the key is the
 * outermost frame. Each map is an event: adding them up would mix them.
 */
#include "import/text/formats.h"
#include "import/text/scan.h"

/* The name of the map with a key that LINE begins, and what follows. */
static struct slice
map_name(struct slice line, struct slice *key)
{
	struct slice name = { line.ptr, 1 };

	if (!line.len || line.ptr[0] != '@')
		return (struct slice){ NULL, 0 };
	while (name.len < line.len && scan_is_word(line.ptr[name.len]))
		name.len++;
	if (name.len == line.len || line.ptr[name.len] != '[')
		return (struct slice){ NULL, 0 };
	*key = scan_from(line, name.len + 1);
	return name;
}

/* The number that `KEY]: VALUE` ends in, and where the key does. Of stats()
 * it is the total, or the count. */
static bool
entry_value(const struct view *v, struct slice text, size_t *end, double *value)
{
	struct slice rest;
	double count;

	*end = scan_find_last(text, "]: ");
	if (*end == text.len)
		return false;
	rest = scan_from(text, *end + 3);
	if (scan_value(rest, value))
		return true;
	if (!scan_text(&rest, "count ") ||
	    !scan_value((struct slice){ rest.ptr, scan_find(rest, ",") },
			&count))
		return false;
	rest = scan_from(rest, scan_find_last(rest, ", total "));
	if (!scan_text(&rest, ", total ") || !scan_value(rest, value))
		return false;
	if (v->value == VIEW_SAMPLES)
		*value = count;
	return true;
}

/* Whether an entry on one line has an element that is empty: a stack. */
static bool
has_empty_element(struct slice key)
{
	return !key.len || slice_starts(key, ", ") ||
	       scan_find(key, ", , ") < key.len ||
	       (key.len > 1 && !memcmp(key.ptr + key.len - 2, ", ", 2));
}

int
import_guess_bpftrace(struct slice head)
{
	static const struct view any = { 0 };
	struct slice line, key, next;
	size_t end;
	double value;
	int best = IMPORT_NO;

	while (scan_line(&head, &line)) {
		if ((slice_starts(line, "Attaching ") ||
		     slice_starts(line, "Attached ")) &&
		    scan_find(line, " probe") < line.len)
			best = 60;
		if (!map_name(line, &key).ptr)
			continue;
		if (entry_value(&any, key, &end, &value)) {
			if (has_empty_element((struct slice){ key.ptr, end }))
				return IMPORT_YES;
			best = 60;
		} else if (scan_find(key, "]:") == key.len &&
			   scan_line(&head, &next) && scan_indent(next)) {
			return IMPORT_YES;
		}
	}
	return best;
}

struct bpftrace {
	struct import *im;
	bool in_key;	/* between `@[` and `]` */
	bool wanted;	/* the entry is one of the map that counts */
	struct buf key; /* all of it but the stacks */
};

/* TEXT without the commas and blanks at its ends, which is what is left of
 * elements that are stacks. */
static struct slice
trim_commas(struct slice text)
{
	while (text.len && strchr(", ", text.ptr[0]) && text.ptr[0])
		text = scan_from(text, 1);
	while (text.len && strchr(", ", text.ptr[text.len - 1]) &&
	       text.ptr[text.len - 1])
		text.len--;
	return text;
}

/* Adds the elements in TEXT that are no stacks, and so not empty. */
static void
add_key(struct bpftrace *b, struct slice text)
{
	for (text = trim_commas(text); text.len; text = trim_commas(text)) {
		size_t n = scan_find(text, ", , ");

		if (b->key.len)
			buf_str(&b->key, ", ");
		buf_slice(&b->key, (struct slice){ text.ptr, n });
		text = scan_from(text, n);
	}
}

static void
drop_entry(struct bpftrace *b)
{
	import_drop(b->im);
	buf_clear(&b->key);
	b->in_key = false;
}

static void
end_entry(struct bpftrace *b, double value)
{
	if (b->wanted) {
		if (b->key.len)
			import_root(b->im, buf_get(&b->key));
		if (!b->im->n_ids)
			import_frame(b->im, SLICE_LIT("[unknown]"));
		import_add(b->im, value);
	}
	drop_entry(b);
}

static struct slice
without_decimal_offset(const struct view *v, struct slice name)
{
	size_t n = name.len;

	while (n && scan_is_digit(name.ptr[n - 1]))
		n--;
	if (v->names != VIEW_NAMES_RAW && n > 1 && n < name.len &&
	    name.ptr[n - 1] == '+')
		name.len = n - 1;
	return name;
}

/* `name+12`, and of the stack mode "perf" `ffffffff81234567 name+12 (module)`,
 * whose module user stacks have only. */
static void
add_frame(struct bpftrace *b, struct slice line)
{
	struct slice text = scan_trim(line), name = text;
	struct scan_place place = { 0 };

	if (scan_hex(&name, 8) && scan_blanks(&name) && name.len) {
		size_t open = scan_find_last(name, " (");

		text = name;
		if (open < name.len && name.ptr[name.len - 1] == ')') {
			place.module = scan_from(name, open + 2);
			place.module.len--;
			text.len = open;
		}
		if (slice_is(place.module, "[unknown]"))
			text = place.module;
	}
	scan_frame(b->im, without_decimal_offset(b->im->view, text), place);
}

static void
begin_entry(struct bpftrace *b, struct slice name, struct slice key)
{
	size_t end;
	double value;

	if (b->in_key)
		import_skip(b->im);
	drop_entry(b);
	if (!entry_value(b->im->view, key, &end, &value)) {
		/* A key may be anything, but a stack begins a line. */
		if (scan_find(key, "]:") < key.len) {
			import_skip(b->im);
			return;
		}
		b->in_key = true;
		b->wanted = import_wants_event(b->im, name);
		add_key(b, key);
		return;
	}
	key.len = end;
	if (!has_empty_element(key)) {
		import_skip(b->im);
		return;
	}
	b->wanted = import_wants_event(b->im, name);
	add_key(b, key);
	end_entry(b, value);
}

/* A line inside of a key. */
static void
read_key(struct bpftrace *b, struct slice line)
{
	bool is_bracket = line.len && line.ptr[0] == ']';
	size_t end;
	double value;

	if (!is_bracket && !(line.len && line.ptr[0] == ',')) {
		if (scan_trim(line).len)
			add_frame(b, line);
	} else if (entry_value(b->im->view, line, &end, &value)) {
		add_key(b, (struct slice){ line.ptr, end });
		end_entry(b, value);
	} else if (scan_find(line, "]:") < line.len) {
		/* a histogram */
		import_skip(b->im);
		drop_entry(b);
	} else {
		add_key(b, line);
	}
}

static bool
is_remark(struct slice line)
{
	return !scan_trim(line).len || slice_starts(line, "Attaching ") ||
	       slice_starts(line, "Attached ");
}

void
import_read_bpftrace(struct import *im)
{
	struct bpftrace b = { .im = im };
	struct slice line, name, key;

	while (import_line(im, &line)) {
		name = map_name(line, &key);
		if (name.ptr)
			begin_entry(&b, name, key);
		else if (b.in_key)
			read_key(&b, line);
		else if (!is_remark(line))
			import_skip(im);
	}
	if (b.in_key)
		import_skip(im);
	drop_entry(&b);
	buf_free(&b.key);
}
