/* SPDX-License-Identifier: MIT */
/* The reader of the capture stream: one function a record type, in a table. */
#include "capture/capture.h"

#include <setjmp.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/text.h"
#include "base/xalloc.h"

/* The stream's ids of one kind, ascending, and the model's indices. Dense
 * ids, which every writer makes, are found at once, and those that are the
 * model's too without a look at memory. */
struct ids {
	bool differ;
	uint32_t *file, *model;
	size_t n, cap_file, cap_model;
};

/* A name and the image (a count of `proc` records) that it belongs to. */
struct named {
	uint32_t name, image;
};

struct reader {
	struct capture *c;
	struct input *in;
	capture_sample_fn *fn;
	void *ctx;
	struct slice rest; /* of the line, behind what was read */
	bool inside;	   /* of a capture: `end` has not come yet */
	bool weighed; /* @ value weight */
	struct ids modules, frames, events;
	/* By pid, and by pid and tid; values index `named`. */
	struct map procs, threads;
	struct named *named;
	size_t n_named, cap_named;
	struct buf text;
	uint64_t n_cut_short; /* captures in this input without `end` */
	jmp_buf bad;	      /* out of a line that breaks the grammar */
};

static void __attribute__((noreturn)) bad(struct reader *r, const char *what)
{
	trouble("%s:%llu: %s", input_name(r->in),
		(unsigned long long)input_line_number(r->in), what);
	longjmp(r->bad, 1);
}

/* ---- fields ---- */

/* P is behind a field's last byte. */
static void
skip_to(struct reader *r, const char *p)
{
	const char *end = r->rest.ptr + r->rest.len;

	r->rest = p == end ? (struct slice){ NULL, 0 }
			   : (struct slice){ p + 1, (size_t)(end - p - 1) };
}

/* Digits that cannot overflow are most of a capture; the rest takes the way
 * that checks. */
enum { DIGITS_SAFE = 19 };

static uint64_t
read_u64(struct reader *r, const char *what)
{
	const char *p = r->rest.ptr, *end = p + r->rest.len;
	const char *safe = r->rest.len > DIGITS_SAFE ? p + DIGITS_SAFE : end;
	uint64_t v = 0;

	for (; p < safe && (unsigned char)(*p - '0') < 10; p++)
		v = v * 10 + (unsigned char)(*p - '0');
	if (p > r->rest.ptr && (p == end || *p == ' ')) {
		skip_to(r, p);
		return v;
	}
	if (!r->rest.ptr || !parse_u64(slice_cut(&r->rest, ' '), &v))
		bad(r, what);
	return v;
}

static uint32_t
read_u32(struct reader *r, const char *what)
{
	uint64_t v = read_u64(r, what);

	if (v > UINT32_MAX)
		bad(r, what);
	return (uint32_t)v;
}

static uint64_t
read_hex(struct reader *r, const char *what)
{
	uint64_t v = 0;

	if (!r->rest.ptr || !parse_hex(slice_cut(&r->rest, ' '), &v))
		bad(r, what);
	return v;
}

static struct slice
read_word(struct reader *r, const char *what)
{
	struct slice s;

	if (!r->rest.ptr)
		bad(r, what);
	s = slice_cut(&r->rest, ' ');
	if (!s.len)
		bad(r, what);
	return s;
}

/* The free text at the line's end, valid until the next record. */
static struct slice
read_text(struct reader *r, const char *what)
{
	struct slice s = r->rest;

	if (!s.ptr)
		bad(r, what);
	if (!s.len || !memchr(s.ptr, '\\', s.len))
		return s;
	buf_clear(&r->text);
	text_unescape(&r->text, s);
	return buf_get(&r->text);
}

static void
at_end(struct reader *r)
{
	if (r->rest.ptr)
		bad(r, "the record has more fields than its type allows");
}

/* ---- ids ---- */

static bool
find_id(const struct ids *t, uint32_t id, uint32_t *model)
{
	size_t lo = 0, hi = t->n;

	if (id && id <= t->n && !t->differ) {
		*model = id;
		return true;
	}
	if (id && id <= t->n && t->file[id - 1] == id) {
		*model = t->model[id - 1];
		return true;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->file[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->n || t->file[lo] != id)
		return false;
	*model = t->model[lo];
	return true;
}

static void
check_new_id(struct reader *r, const struct ids *t, uint32_t id)
{
	if (!id || (t->n && id <= t->file[t->n - 1]))
		bad(r, "ids ascend from 1, and this one does not");
}

static void
put_id(struct ids *t, uint32_t id, uint32_t model)
{
	t->differ = t->differ || id != model || id != t->n + 1;
	GROW(t->file, t->cap_file, t->n + 1);
	GROW(t->model, t->cap_model, t->n + 1);
	t->file[t->n] = id;
	t->model[t->n++] = model;
}

static void
free_ids(struct ids *t)
{
	free(t->file);
	free(t->model);
}

/* ---- records ---- */

static void
say_cut_short(const struct reader *r)
{
	if (r->n_cut_short == 1)
		trouble("%s: the capture is cut short: it has no 'end' record; "
			"what is there is used",
			input_name(r->in));
	else if (r->n_cut_short)
		trouble("%s: %llu captures are cut short: they have no 'end' "
			"record; what is there is used",
			input_name(r->in), (unsigned long long)r->n_cut_short);
}

static void
read_start(struct reader *r)
{
	uint64_t version = read_u64(r, "a capture begins with 'pk-capture 1'");

	at_end(r);
	if (version != 1)
		bad(r, "this capture's version is newer than this program");
	r->n_cut_short += r->inside;
	r->inside = true;
	r->weighed = false;
	r->c->n_captures++;
	r->modules.n = r->frames.n = r->events.n = r->n_named = 0;
	r->modules.differ = r->frames.differ = r->events.differ = false;
	map_free(&r->procs);
	map_free(&r->threads);
}

static void
read_meta(struct reader *r)
{
	struct slice key = read_word(r, "expected '@ KEY VALUE'");
	struct slice value = read_text(r, "expected '@ KEY VALUE'");

	if (slice_is(key, "value"))
		r->weighed = slice_is(value, "weight");
	capture_add_meta(r->c, key, value);
}

static void
read_event(struct reader *r)
{
	static const char form[] = "expected 'event ID UNIT PERIOD NAME'";
	uint32_t id = read_u32(r, form), i;
	struct slice unit = read_word(r, form), name;
	uint64_t period = read_u64(r, form);

	name = read_text(r, form);
	if (!slice_is(unit, "ns") && !slice_is(unit, "count"))
		bad(r, "an event's UNIT is ns or count");
	check_new_id(r, &r->events, id);
	i = capture_add_event(r->c, unit, period, name);
	if (i == UINT32_MAX)
		bad(r, "more kinds of events than any recording has");
	r->c->events[i].weighed |= r->weighed;
	put_id(&r->events, id, i);
}

static struct named *
add_named(struct reader *r, uint32_t *index, bool added)
{
	if (added) {
		GROW(r->named, r->cap_named, r->n_named + 1);
		r->named[r->n_named] = (struct named){ 0 };
		*index = (uint32_t)r->n_named++;
	}
	return &r->named[*index];
}

static bool
is_one_of(struct slice word, const char *words)
{
	struct slice rest = slice_str(words);

	while (rest.ptr)
		if (slice_eq(slice_cut(&rest, ' '), word))
			return true;
	return false;
}

static void
read_proc(struct reader *r)
{
	static const char form[] = "expected 'proc TIME PID PPID HOW NAME'";
	struct slice how, name;
	struct named *p;
	uint32_t pid, *index;
	bool added;

	read_u64(r, form);
	pid = read_u32(r, form);
	read_u32(r, form);
	how = read_word(r, form);
	name = read_text(r, form);
	if (!is_one_of(how, "start found fork exec exit"))
		bad(r, "HOW is start, found, fork, exec or exit");
	index = map_put(&r->procs, pid, &added);
	p = add_named(r, index, added);
	if (slice_is(how, "exit"))
		return; /* samples of its end may still follow */
	p->name = intern_add(&r->c->names, name);
	p->image++;
}

static uint64_t
thread_key(uint32_t pid, uint32_t tid)
{
	return (uint64_t)pid << 32 | tid;
}

static void
read_name(struct reader *r)
{
	static const char form[] = "expected 'name TIME PID TID NAME'";
	struct named *t;
	uint32_t pid, tid, *index, *proc;
	bool added;

	read_u64(r, form);
	pid = read_u32(r, form);
	tid = read_u32(r, form);
	index = map_put(&r->threads, thread_key(pid, tid), &added);
	t = add_named(r, index, added);
	proc = map_find(&r->procs, pid);
	t->name = intern_add(&r->c->names, read_text(r, form));
	t->image = proc ? r->named[*proc].image : 0;
}

/* Hexadecimal, size:mtime, or - for none. */
static bool
is_build_id(struct slice s)
{
	size_t i, colons = 0;

	if (slice_is(s, "-"))
		return true;
	for (i = 0; i < s.len; i++)
		if (s.ptr[i] == ':' && i && i + 1 < s.len)
			colons++;
		else if (!strchr("0123456789abcdef", s.ptr[i]) || !s.ptr[i])
			return false;
	return colons <= 1;
}

static void
read_mod(struct reader *r)
{
	static const char form[] = "expected 'mod ID BUILDID BASE PATH'";
	uint32_t id = read_u32(r, form);
	struct slice build_id = read_word(r, form);
	struct slice base = read_word(r, form), path = read_text(r, form);

	check_new_id(r, &r->modules, id);
	if (base.len != 1 || !strchr("voka", base.ptr[0]))
		bad(r, "a module's BASE is one of v, o, k, a");
	if (!is_build_id(build_id))
		bad(r, "a module's BUILDID is hexadecimal, size:mtime or -");
	if (!path.len)
		bad(r, "a module's PATH is empty");
	if (slice_is(build_id, "-"))
		build_id.len = 0;
	put_id(&r->modules, id,
	       base.ptr[0] == CAPTURE_ABSOLUTE
		       ? capture_new_module(r->c, build_id, base.ptr[0], path)
		       : capture_add_module(r->c, build_id, base.ptr[0], path));
}

static void
read_frame(struct reader *r)
{
	static const char form[] = "expected 'f ID PARENT MODULE ADDR'";
	uint32_t id = read_u32(r, form), parent = read_u32(r, form);
	uint32_t module = read_u32(r, form);
	struct node node = { .addr = read_hex(r, form) };

	at_end(r);
	check_new_id(r, &r->frames, id);
	if (parent && !find_id(&r->frames, parent, &parent))
		bad(r, "the frame's PARENT was not defined before it");
	if (!find_id(&r->modules, module, &module))
		bad(r, "the frame's MODULE was not defined before it");
	node.parent = parent;
	node.module = module;
	put_id(&r->frames, id, nodes_add(&r->c->nodes, node, NULL));
}

static void
name_sample(struct reader *r, struct capture_sample *s)
{
	uint64_t key = thread_key((uint32_t)s->pid, (uint32_t)s->tid);
	uint32_t *t = map_find(&r->threads, key);
	uint32_t *p = map_find(&r->procs, s->pid);
	uint32_t image = p ? r->named[*p].image : 0;

	s->name_id = UINT32_MAX;
	if (t && r->named[*t].image == image)
		s->name_id = r->named[*t].name;
	else if (p && image)
		s->name_id = r->named[*p].name;
	if (s->name_id != UINT32_MAX)
		s->name = intern_get(&r->c->names, s->name_id);
}

static void
read_sample(struct reader *r)
{
	static const char form[] =
		"expected 's TIME PID TID CPU EVENT WEIGHT STACK'";
	struct capture_sample s = { 0 };

	s.time = read_u64(r, form);
	s.pid = read_u32(r, form);
	s.tid = read_u32(r, form);
	s.cpu = read_u32(r, form);
	s.event = read_u32(r, form);
	s.weight = read_u64(r, form);
	s.node = read_u32(r, form);
	at_end(r);
	if (!find_id(&r->events, s.event, &s.event))
		bad(r, "the sample's EVENT was not defined before it");
	if (s.node && !find_id(&r->frames, s.node, &s.node))
		bad(r, "the sample's STACK was not defined before it");
	name_sample(r, &s);
	r->c->n_samples++;
	if (r->fn)
		r->fn(r->ctx, &s);
}

static void
read_symbol(struct reader *r)
{
	static const char form[] = "expected 'sym TIME MODULE ADDR SIZE NAME'";
	uint64_t addr, size;
	struct slice name;
	uint32_t module;

	read_u64(r, form);
	module = read_u32(r, form);
	addr = read_hex(r, form);
	size = read_u64(r, form);
	name = read_text(r, form);
	if (!find_id(&r->modules, module, &module))
		bad(r, "the symbol's MODULE was not defined before it");
	capture_add_symbol(r->c, module, addr, size, name);
}

static void
read_lack(struct reader *r)
{
	static const char form[] = "expected 'lack WHAT COUNT'";
	struct slice what = read_word(r, form);
	uint64_t count = read_u64(r, form);

	at_end(r);
	if (!capture_add_lack(r->c, what, count))
		bad(r, "more kinds of what is missing than there are");
}

static void
read_end(struct reader *r)
{
	at_end(r);
	r->inside = false;
}

static const struct record_type {
	const char *name;
	void (*read)(struct reader *r);
} record_types[] = {
	{ "s", read_sample },	      { "f", read_frame },
	{ "mod", read_mod },	      { "sym", read_symbol },
	{ "proc", read_proc },	      { "name", read_name },
	{ "event", read_event },      { "@", read_meta },
	{ "lack", read_lack },	      { "end", read_end },
	{ "pk-capture", read_start },
};

/* What a later version may call a record. */
static bool
may_be_type(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.ptr[i] < 'a' || s.ptr[i] > 'z')
			return false;
	return s.len > 0 && s.len <= 16;
}

static void
read_record(struct reader *r, struct slice line)
{
	struct slice type;
	size_t i;

	r->rest = line;
	type = slice_cut(&r->rest, ' ');
	if (!r->inside && !slice_is(type, "pk-capture"))
		bad(r, "outside a capture: one begins with 'pk-capture 1' "
		       "and finishes with 'end'");
	for (i = 0; i < sizeof record_types / sizeof *record_types; i++)
		if (slice_is(type, record_types[i].name)) {
			record_types[i].read(r);
			return;
		}
	if (!may_be_type(type))
		bad(r, "this is no record of a capture");
	r->c->n_unknown++;
}

static void
read_records(struct reader *r)
{
	struct slice line;

	/* Of a record that was cut off, the rest may still look like one. */
	while (input_line(r->in, &line) &&
	       (input_line_is_whole(r->in) || !r->inside ||
		slice_is(line, "end")))
		read_record(r, line);
	/* A stream that broke off has been said. */
	if (!input_broken(r->in))
		r->n_cut_short += r->inside;
	say_cut_short(r);
	r->c->n_cut_short +=
		r->n_cut_short + (r->inside && input_broken(r->in));
}

static void
reader_free(struct reader *r)
{
	free_ids(&r->modules);
	free_ids(&r->frames);
	free_ids(&r->events);
	map_free(&r->procs);
	map_free(&r->threads);
	free(r->named);
	buf_free(&r->text);
	free(r);
}

bool
capture_read(struct capture *c, struct input *in, capture_sample_fn *fn,
	     void *ctx)
{
	/* Not on the stack: setjmp would lose what changes in between. */
	struct reader *volatile r = xcalloc(1, sizeof *r);
	volatile bool good = false;

	r->c = c;
	r->in = in;
	r->fn = fn;
	r->ctx = ctx;
	if (!setjmp(r->bad)) {
		read_records(r);
		good = true;
	}
	reader_free(r);
	return good;
}
