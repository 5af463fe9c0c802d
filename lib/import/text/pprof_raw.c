/* SPDX-License-Identifier: MIT */
/*
 * What `go tool pprof -raw` prints: samples with the ids of their locations,
 * then the locations with a line for each function, inlined ones first, then
 * the mappings; several profiles one after the other, too. As
 * stackcollapse-go.pl has it, samples whose value is above zero count. Of
 * several values the profile's default counts, or the first; -e chooses
 * another by the name of its type.
 */
#include <stdlib.h>
#include "base/map.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"
#include "import/text/formats.h"
#include "import/text/native.h"
#include "import/text/scan.h"

/* A stack that is deeper is cut: few bytes can say a lot of inlined calls. */
enum { FRAMES_MAX = 65536 };

struct type {
	struct slice name, unit; /* in raw.text */
	bool is_default;
	uint64_t samples; /* above zero */
};

struct source_line {		 /* of a location; the innermost call first */
	struct slice name, file; /* in raw.text */
	uint64_t line;
};

struct location {
	uint64_t address, mapping;
	size_t first, n; /* in raw.lines; then in raw.symbols */
	bool known;
};

struct mapping {
	uint64_t start, offset;
	struct slice path;
};

struct raw {
	enum { HEADER, TYPES, SAMPLES, LOCATIONS, MAPPINGS } section;
	struct arena text;
	struct intern names;

	struct type *types;
	size_t n_types, cap_types;
	size_t column; /* of the value that counts; n_types: none */
	double *values;
	size_t cap_values;

	struct profile stacks; /* of locations' indices */
	uint32_t *ids;
	size_t n_ids, cap_ids;

	struct map by_id; /* a location's index */
	struct location *locations;
	size_t n_locations, cap_locations;
	uint32_t last; /* the location that lines belong to; UINT32_MAX: none */
	struct source_line *lines;
	size_t n_lines, cap_lines;
	uint32_t *symbols; /* of all locations, end to end */
	size_t n_symbols, cap_symbols;
	struct mapping *mappings;
	size_t n_mappings, cap_mappings;
	struct map by_mapping; /* a mapping's index */

	uint64_t missing; /* locations that samples name and nothing tells of */
};

int
import_guess_pprof_raw(struct slice head)
{
	struct slice line, types;
	bool samples = false;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	while (scan_line(&head, &line)) {
		types = line;
		if (samples)
			return slice_cut(&types, '/').len && types.ptr
				       ? IMPORT_YES
				       : IMPORT_NO;
		samples = slice_is(line, "Samples:");
		if (!samples && line.len && !memchr(line.ptr, ':', line.len))
			return IMPORT_NO;
	}
	return IMPORT_NO;
}

/* ---- taking lines apart ---- */

/* Takes the next word off, and the blanks around it. */
static struct slice
take_word(struct slice *s)
{
	struct slice word;

	scan_blanks(s);
	word = scan_word(s);
	scan_blanks(s);
	return word;
}

/* 0x1a2b */
static bool
parse_address(struct slice s, uint64_t *out)
{
	return scan_text(&s, "0x") && parse_hex(s, out);
}

/* ---- types and the one that counts ---- */

static bool
is_count(const struct type *t)
{
	return slice_is(t->unit, "count");
}

/* The value that counts when nobody has chosen one. */
static size_t
default_column(const struct raw *r, enum view_value value)
{
	size_t i;

	for (i = 0; value == VIEW_AUTO && i < r->n_types; i++)
		if (r->types[i].is_default)
			return i;
	for (i = 0; value == VIEW_SAMPLES && i < r->n_types; i++)
		if (is_count(&r->types[i]))
			return i;
	for (i = r->n_types; value == VIEW_WEIGHT && i > 0; i--)
		if (!is_count(&r->types[i - 1]))
			return i - 1;
	return value == VIEW_WEIGHT ? r->n_types - 1 : 0;
}

/* The default goes first, as the first event that is named counts. */
static void
choose_column(struct import *im, struct raw *r)
{
	size_t first = default_column(r, im->view->value), i, n;

	r->column = r->n_types;
	for (i = 0; i < r->n_types; i++) {
		n = i ? i - (i <= first) : first;
		if (import_wants_event(im, r->types[n].name))
			r->column = n;
	}
}

/* "alloc_space/bytes inuse_space/bytes[dflt]"; -e may name the unit, too. */
static void
read_types(struct import *im, struct raw *r, struct slice line)
{
	const char *event = im->view->event;
	bool with_unit = event && strchr(event, '/');

	for (line = scan_trim(line); line.len;) {
		struct slice word = take_word(&line), unit = word;
		struct type t = { .is_default = false };
		const char *mark = memmem(word.ptr, word.len, "[dflt]", 6);

		if (mark) {
			t.is_default = true;
			word.len = unit.len = (size_t)(mark - word.ptr);
		}
		t.name = slice_cut(&unit, '/');
		t.unit = arena_copy(&r->text, unit);
		t.name = arena_copy(&r->text, with_unit ? word : t.name);
		GROW(r->types, r->cap_types, r->n_types + 1);
		r->types[r->n_types++] = t;
	}
	if (!r->n_types) {
		import_skip(im);
		return;
	}
	choose_column(im, r);
	GROW(r->values, r->cap_values, r->n_types);
	r->section = SAMPLES;
}

/* ---- samples ---- */

static uint32_t
location_of(struct raw *r, uint64_t id)
{
	bool added;
	uint32_t *place = map_put(&r->by_id, id, &added);

	if (added) {
		*place = (uint32_t)r->n_locations;
		GROW(r->locations, r->cap_locations, r->n_locations + 1);
		r->locations[r->n_locations++] =
			(struct location){ .known = false };
	}
	return *place;
}

/* The values before the colon; there is one of each type. */
static bool
read_values(struct raw *r, struct slice text)
{
	size_t n = 0;

	for (text = scan_trim(text); text.len;)
		if (n == r->n_types ||
		    !scan_value(take_word(&text), &r->values[n++]))
			return false;
	return n == r->n_types;
}

/* Labels: `                key:[value]`. */
static bool
is_label(struct slice line)
{
	return slice_starts(line, "                ") &&
	       memmem(line.ptr, line.len, ":[", 2);
}

static bool
read_ids(struct raw *r, struct slice text)
{
	uint64_t id = 0;
	size_t i, digits = 0;

	r->n_ids = 0;
	GROW(r->ids, r->cap_ids, text.len / 2 + 1);
	for (i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.ptr[i] : ' ';

		if (c >= '0' && c <= '9' && digits < 19) {
			id = id * 10 + (uint64_t)(c - '0');
			digits++;
		} else if (c != ' ') {
			return false;
		} else if (digits) {
			r->ids[r->n_ids++] = location_of(r, id);
			id = digits = 0;
		}
	}
	return true;
}

static void
read_sample(struct import *im, struct raw *r, struct slice line)
{
	struct slice rest = line, values = slice_cut(&rest, ':');
	size_t i;

	if (is_label(line))
		return;
	if (!rest.ptr || !read_values(r, values) || !read_ids(r, rest)) {
		import_skip(im);
		return;
	}
	for (i = 0; i < r->n_types; i++)
		r->types[i].samples += r->values[i] > 0;
	im->samples++;
	if (r->column < r->n_types && r->values[r->column] > 0)
		profile_add(&r->stacks, r->ids, r->n_ids, r->values[r->column],
			    0);
}

/* ---- locations and mappings ---- */

static struct slice
keep(struct raw *r, struct slice s)
{
	return intern_get(&r->names, intern_add(&r->names, s));
}

/* Cuts " s=12(system name)" off; the name in parentheses is returned. */
static struct slice
cut_start(struct slice *text)
{
	size_t at = scan_find_last(*text, " s=");
	struct slice s = scan_from(*text, at), none = { NULL, 0 };
	uint64_t start;

	if (!scan_text(&s, " s=") ||
	    (scan_text(&s, "-"), !scan_u64(&s, &start)))
		return none;
	text->len = at;
	if (!scan_text(&s, "(") || !s.len)
		return none;
	return (struct slice){ s.ptr, s.len - 1 };
}

/* Where a place begins: behind the first blank before a slash, or else the
 * last one. */
static size_t
find_place(struct slice s)
{
	const char *at = s.ptr, *end = s.ptr + s.len;

	while (at < end && (at = memchr(at, ' ', (size_t)(end - at)))) {
		if (at + 1 < end && at[1] == '/')
			return (size_t)(at - s.ptr);
		at++;
	}
	at = s.len ? memrchr(s.ptr, ' ', s.len) : NULL;
	return at ? (size_t)(at - s.ptr) : s.len;
}

/* `NAME FILE:LINE:COLUMN s=START(SYSTEM NAME)` */
static void
add_line(struct import *im, struct raw *r, struct slice text)
{
	struct source_line *l;
	struct native_frame f = { .line = 0 };
	struct slice system = cut_start(&text);
	size_t at = find_place(text);

	if (at < text.len && native_place(scan_from(text, at + 1), &f))
		text.len = at;
	if (im->view->names == VIEW_NAMES_RAW && system.len)
		text = system;
	if (slice_is(text, "??"))
		text.len = 0;
	GROW(r->lines, r->cap_lines, r->n_lines + 1);
	l = &r->lines[r->n_lines++];
	l->name = keep(r, text);
	l->file = keep(r, f.file);
	l->line = f.line;
	r->locations[r->last].n++;
}

/* `     1: 0x477d2e M=1 [F] LINE` begins a location; TEXT becomes LINE. */
static bool
begin_location(struct raw *r, struct slice *text)
{
	struct slice rest = *text;
	struct location l = { .first = r->n_lines, .known = true };
	uint64_t id;

	if (!scan_u64(&rest, &id) || !scan_text(&rest, ":") ||
	    !parse_address(take_word(&rest), &l.address))
		return false;
	if (scan_text(&rest, "M=") && !scan_u64(&rest, &l.mapping))
		return false;
	scan_blanks(&rest);
	if (scan_text(&rest, "[F]"))
		scan_blanks(&rest);
	r->last = location_of(r, id);
	r->locations[r->last] = l;
	*text = rest;
	return true;
}

static void
read_location(struct import *im, struct raw *r, struct slice line)
{
	struct slice text = scan_trim(line);

	if (begin_location(r, &text)) {
		if (text.len)
			add_line(im, r, text);
	} else if (r->last != UINT32_MAX && slice_starts(line, "        ")) {
		add_line(im, r, text);
	} else {
		import_skip(im);
	}
}

/* `1: 0x400000/0x4b4000/0x0 PATH BUILDID [FN][FL]`, all behind PATH optional
 * but not its blanks. */
static void
read_mapping(struct import *im, struct raw *r, struct slice line)
{
	struct slice rest = line, word;
	struct mapping m = { 0 };
	uint64_t id, limit;
	size_t at;

	if (!scan_u64(&rest, &id) || !scan_text(&rest, ": ")) {
		import_skip(im);
		return;
	}
	word = scan_word(&rest);
	if (!parse_address(slice_cut(&word, '/'), &m.start) ||
	    !parse_address(slice_cut(&word, '/'), &limit) ||
	    !parse_address(word, &m.offset) || !scan_text(&rest, " ")) {
		import_skip(im);
		return;
	}
	at = scan_find_last(rest, " ");
	if (at + 1 >= rest.len || rest.ptr[at + 1] == '[')
		rest.len = at;
	rest.len = scan_find_last(rest, " ");
	m.path = keep(r, rest);
	GROW(r->mappings, r->cap_mappings, r->n_mappings + 1);
	*map_put(&r->by_mapping, id, NULL) = (uint32_t)r->n_mappings;
	r->mappings[r->n_mappings++] = m;
}

/* ---- a whole profile ---- */

static const struct mapping *
mapping_of(const struct raw *r, uint64_t id)
{
	const uint32_t *place = map_find(&r->by_mapping, id);

	return place ? &r->mappings[*place] : NULL;
}

/* The symbols of a location, innermost first. */
static void
name_location(struct import *im, struct raw *r, struct location *l)
{
	const struct mapping *m = mapping_of(r, l->mapping);
	struct native_frame f = { .offset = UINT64_MAX };
	size_t i, end = l->first + l->n, n = l->n ? l->n : 1;

	if (m) {
		f.module = m->path;
		f.offset = l->address - m->start + m->offset;
	}
	r->missing += !l->known;
	i = l->n && im->view->no_inlines ? end - 1 : l->first;
	GROW(r->symbols, r->cap_symbols, r->n_symbols + n);
	l->first = r->n_symbols;
	if (!l->n)
		r->symbols[r->n_symbols++] = native_symbol(im, &f);
	for (; l->n && i < end; i++) {
		f.name = r->lines[i].name;
		f.file = r->lines[i].file;
		f.line = r->lines[i].line;
		f.inlined = i + 1 < end;
		r->symbols[r->n_symbols++] = native_symbol(im, &f);
	}
	l->n = r->n_symbols - l->first;
}

static void
add_stack(struct import *im, const struct raw *r, const struct profile_stack *s)
{
	size_t i;

	for (i = 0; i < s->depth; i++) {
		const struct location *l =
			&r->locations[r->stacks.frames[s->first + i]];

		if (im->n_ids + l->n > FRAMES_MAX) {
			import_frame(im, SLICE_LIT("[truncated]"));
			return;
		}
		GROW(im->ids, im->cap_ids, im->n_ids + l->n);
		memcpy(im->ids + im->n_ids, r->symbols + l->first,
		       l->n * sizeof *im->ids);
		im->n_ids += l->n;
	}
}

/* The other types are named once at the end, with their samples. */
static void
count_events(struct import *im, const struct raw *r)
{
	size_t i;

	for (i = 0; i < r->n_types; i++)
		im->event_samples[intern_add(&im->events, r->types[i].name)] +=
			r->types[i].samples - 1;
}

static void
free_profile(struct raw *r)
{
	free(r->types);
	free(r->values);
	profile_free(&r->stacks);
	free(r->ids);
	map_free(&r->by_id);
	map_free(&r->by_mapping);
	free(r->locations);
	free(r->lines);
	free(r->symbols);
	free(r->mappings);
	intern_free(&r->names);
	arena_free(&r->text);
	*r = (struct raw){ .last = UINT32_MAX, .missing = r->missing };
}

static void
finish_profile(struct import *im, struct raw *r)
{
	uint64_t samples = im->samples;
	size_t i;

	for (i = 0; i < r->n_locations; i++)
		name_location(im, r, &r->locations[i]);
	for (i = 0; i < r->stacks.n_stacks; i++) {
		add_stack(im, r, &r->stacks.stacks[i]);
		import_add(im, r->stacks.stacks[i].value[0]);
	}
	im->samples = samples;
	count_events(im, r);
	free_profile(r);
}

static bool
is_header(struct slice line)
{
	static const char *const begins[] = { "PeriodType:", "Period:",
					      "Time:",	     "Duration:",
					      "Comment:",    "Doc:" };
	size_t i;

	for (i = 0; i < sizeof begins / sizeof *begins; i++)
		if (slice_starts(line, begins[i]))
			return true;
	return false;
}

static void
read_line(struct import *im, struct raw *r, struct slice line)
{
	if (slice_is(line, "Samples:")) {
		finish_profile(im, r);
		r->section = TYPES;
	} else if (r->section == TYPES) {
		read_types(im, r, line);
	} else if (r->section != HEADER && slice_is(line, "Locations")) {
		r->section = LOCATIONS;
	} else if (r->section != HEADER && slice_is(line, "Mappings")) {
		r->section = MAPPINGS;
	} else if (!line.len || is_header(line)) {
		return;
	} else if (r->section == SAMPLES) {
		read_sample(im, r, line);
	} else if (r->section == LOCATIONS) {
		read_location(im, r, line);
	} else if (r->section == MAPPINGS) {
		read_mapping(im, r, line);
	}
}

void
import_read_pprof_raw(struct import *im)
{
	struct raw r = { .last = UINT32_MAX };
	struct slice line;

	while (import_line(im, &line))
		read_line(im, &r, line);
	finish_profile(im, &r);
	if (r.missing)
		warning("%s: %llu location%s of its samples %s missing: their "
			"frames are [unknown]",
			input_name(im->in), (unsigned long long)r.missing,
			r.missing == 1 ? "" : "s",
			r.missing == 1 ? "is" : "are");
}
