/* SPDX-License-Identifier: MIT */
/*
 * The leaks in reports of valgrind's memcheck (--leak-check=full), of one or
 * several processes, whose lines may alternate, among its other messages and
 * what the programs write themselves. A loss record hangs from its class, as
 * the LEAK SUMMARY calls it, and has its bytes; with --value samples its
 * blocks. So each class adds up to what the summary says of it.
 *
 * Where indirectly lost blocks have no records of their own (without
 * --show-leak-kinds=all), their bytes hang with the stack of the block through
 * which they are lost. Of several leak checks in one process the last one
 * counts, but records that say by how much they grew add up.
 */
#include <stdlib.h>
#include "base/map.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/xalloc.h"
#include "import/text/formats.h"
#include "import/text/native.h"
#include "import/text/scan.h"

enum class { DEFINITE, INDIRECT, POSSIBLE, REACHABLE, N_CLASSES };

static const char *const class_names[] = { "definitely lost", "indirectly lost",
					   "possibly lost", "still reachable" };

struct record {
	enum class class;
	double bytes, blocks, indirect;
	size_t first, n; /* its frames in process.ids */
};

struct process {
	uint64_t pid;
	struct slice comm;
	struct record *records;
	size_t n_records, cap_records;
	uint32_t *ids;
	size_t n_ids, cap_ids;
	bool open, checked;	   /* in a record; the leak summary was there */
	struct native_stack stack; /* of the record that is open */
};

struct log {
	struct process *processes;
	size_t n, cap;
	struct map by_pid; /* the index */
	struct arena text;
	struct slice comm; /* of the last command line */
	bool any;	   /* a loss record was there */
};

int
import_guess_memcheck(struct slice head)
{
	static const char *const marks[] = {
		"== Memcheck, a memory error detector",
		"== LEAK SUMMARY:",
		" in loss record ",
		" in new loss record ",
	};
	size_t i;

	if (memchr(head.ptr, '\0', head.len) || slice_starts(head, "<?xml"))
		return IMPORT_NO;
	for (i = 0; i < sizeof marks / sizeof *marks; i++)
		if (memmem(head.ptr, head.len, marks[i], strlen(marks[i])))
			return IMPORT_YES;
	return IMPORT_NO;
}

/* ---- processes and their records ---- */

static struct process *
process_of(struct log *log, uint64_t pid)
{
	bool added;
	uint32_t *place = map_put(&log->by_pid, pid, &added);

	if (added) {
		*place = (uint32_t)log->n;
		GROW(log->processes, log->cap, log->n + 1);
		log->processes[log->n++] =
			(struct process){ .pid = pid, .comm = log->comm };
	}
	return &log->processes[*place];
}

static void
add_record(struct import *im, const struct process *p, const struct record *r,
	   enum class class, double value)
{
	struct buf b = { 0 };

	im->origin.pid = p->pid;
	im->origin.comm = p->comm;
	native_take(im, r->n ? p->ids + r->first : NULL, r->n);
	import_root(im, slice_str(class_names[class]));
	if (im->view->root != VIEW_COMM) {
		buf_slice(&b, p->comm.len ? p->comm : SLICE_LIT("?"));
		buf_char(&b, '-');
		buf_u64(&b, p->pid);
		import_root(im, buf_get(&b));
		buf_free(&b);
	}
	import_add(im, value);
}

static void
close_record(struct process *p)
{
	struct record *r;

	if (!p->open)
		return;
	p->open = false;
	r = &p->records[p->n_records - 1];
	r->first = p->n_ids;
	r->n = p->stack.n;
	GROW(p->ids, p->cap_ids, p->n_ids + r->n);
	if (r->n)
		memcpy(p->ids + p->n_ids, p->stack.ids, r->n * sizeof *p->ids);
	p->n_ids += r->n;
	p->stack.n = 0;
}

static void
forget_records(struct process *p)
{
	p->n_records = p->n_ids = 0;
	p->checked = false;
}

static void
free_process(struct process *p)
{
	free(p->records);
	free(p->ids);
	free(p->stack.ids);
	*p = (struct process){ .pid = p->pid, .comm = p->comm };
}

/* Counts all records of a process, whose last picture of its heap it is. */
static void
add_records(struct import *im, struct process *p)
{
	bool own = false, samples = im->view->value == VIEW_SAMPLES;
	const struct record *r;
	size_t i;

	close_record(p);
	for (i = 0; i < p->n_records; i++)
		own |= p->records[i].class == INDIRECT;
	for (i = 0; i < p->n_records; i++) {
		r = &p->records[i];
		add_record(im, p, r, r->class, samples ? r->blocks : r->bytes);
		if (!own && !samples && r->indirect != 0)
			add_record(im, p, r, INDIRECT, r->indirect);
	}
	forget_records(p);
}

/* ---- lines ---- */

/* Takes "1,234" off. */
static bool
take_number(struct slice *s, double *out)
{
	bool any = false;

	for (*out = 0; s->len; s->ptr++, s->len--) {
		if (*s->ptr >= '0' && *s->ptr <= '9')
			*out = *out * 10 + (*s->ptr - '0');
		else if (*s->ptr != ',' || !any)
			break;
		any = true;
	}
	return any && *out < 1e18;
}

/* Takes "1,234" or "1,234 (+16)" off: then it is the 16 that count. */
static bool
take_count(struct slice *s, double *out, bool *grown)
{
	struct slice rest;
	bool less;
	double by;

	if (!take_number(s, out))
		return false;
	rest = *s;
	if (!scan_text(&rest, " (+") && !scan_text(&rest, " (-"))
		return true;
	less = rest.ptr[-1] == '-';
	if (!take_number(&rest, &by) || !scan_text(&rest, ")"))
		return true;
	*out = less ? -by : by;
	*grown = true;
	*s = rest;
	return true;
}

/* `2,016 (1,008 direct, 1,008 indirect) bytes in 1 blocks are definitely lost
 * in loss record 5 of 8` */
static bool
parse_record(struct slice s, struct record *r, bool *grown)
{
	static const char *const classes[] = { "definitely lost in ",
					       "indirectly lost in ",
					       "possibly lost in ",
					       "still reachable in " };
	size_t i;

	*r = (struct record){ .class = N_CLASSES };
	*grown = false;
	if (!take_count(&s, &r->bytes, grown))
		return false;
	if (scan_text(&s, " (") &&
	    !(take_count(&s, &r->bytes, grown) && scan_text(&s, " direct, ") &&
	      take_count(&s, &r->indirect, grown) &&
	      scan_text(&s, " indirect)")))
		return false;
	if (!scan_text(&s, " bytes in ") ||
	    !take_count(&s, &r->blocks, grown) ||
	    !scan_text(&s, " blocks are "))
		return false;
	for (i = 0; i < N_CLASSES && r->class == N_CLASSES; i++)
		if (scan_text(&s, classes[i]))
			r->class = (enum class)i;
	return r->class != N_CLASSES && (scan_text(&s, "loss record ") ||
					 scan_text(&s, "new loss record "));
}

static void
begin_record(struct process *p, const struct record *r, bool grown)
{
	if (p->checked && !grown)
		forget_records(p);
	p->checked = false;
	GROW(p->records, p->cap_records, p->n_records + 1);
	p->records[p->n_records++] = *r;
	p->open = true;
	p->stack.n = 0;
}

/* What stands in the parentheses from AT to the end. */
static struct slice
parenthesis_at(struct slice s, size_t at)
{
	s = scan_from(s, at + 1);
	s.len--;
	return s;
}

/* The last "(" with a blank before it, or S.len. */
static size_t
find_parenthesis(struct slice s)
{
	const char *at;
	struct slice left = s;

	while (left.len && (at = memrchr(left.ptr, '(', left.len))) {
		left.len = (size_t)(at - left.ptr);
		if (left.len && at[-1] == ' ')
			return left.len;
	}
	return s.len;
}

/* " (FILE:LINE)" or " (in MODULE)" at the end, where REST is cut. */
static void
cut_place(struct slice *rest, struct native_frame *f)
{
	struct slice place;
	size_t at;

	if (!rest->len || rest->ptr[rest->len - 1] != ')')
		return;
	at = find_parenthesis(*rest);
	if (at == rest->len || !native_place(parenthesis_at(*rest, at), f)) {
		at = scan_find_last(*rest, " (in /") + 1;
		if (at >= rest->len)
			return;
		place = parenthesis_at(*rest, at);
		f->module = scan_from(place, 3);
	}
	rest->len = at - 1;
}

/* `   at 0x48417B4: malloc (vg_replace_malloc.c:393)` */
static bool
read_frame(struct import *im, struct process *p, struct slice text)
{
	struct native_frame f = { .offset = UINT64_MAX };
	struct slice hex;
	uint64_t address;

	if (!scan_text(&text, "   at 0x") && !scan_text(&text, "   by 0x"))
		return false;
	hex = slice_cut(&text, ':');
	if (!parse_hex(hex, &address) || !scan_text(&text, " ")) {
		import_skip(im);
		return true;
	}
	cut_place(&text, &f);
	if (!slice_is(text, "???"))
		f.name = text;
	native_push(im, &p->stack, address, &f);
	return true;
}

/* The pid of a line's prefix, "==123== " or "==00:00:00:01.342 123== "; TEXT
 * is what follows it. */
static bool
cut_prefix(struct slice line, uint64_t *pid, struct slice *text)
{
	struct slice prefix = line;

	if (!scan_text(&prefix, "==") || !scan_u64(&prefix, pid))
		return false;
	if (slice_starts(prefix, ":")) {
		scan_word(&prefix);
		if (!scan_text(&prefix, " ") || !scan_u64(&prefix, pid))
			return false;
	}
	if (!scan_text(&prefix, "==") ||
	    (prefix.len && !scan_text(&prefix, " ")))
		return false;
	*text = prefix;
	return true;
}

static void
read_command(struct log *log, struct process *p, struct slice text)
{
	log->comm =
		arena_copy(&log->text, slice_basename(slice_cut(&text, ' ')));
	p->comm = log->comm;
}

static void
read_line(struct import *im, struct log *log, struct slice line)
{
	struct process *p;
	struct record r;
	struct slice text;
	uint64_t pid;
	bool grown;

	if (!cut_prefix(line, &pid, &text))
		return;
	p = process_of(log, pid);
	if (p->open && read_frame(im, p, text))
		return;
	close_record(p);
	if (text.len && *text.ptr >= '0' && *text.ptr <= '9') {
		if (parse_record(text, &r, &grown)) {
			begin_record(p, &r, grown);
			log->any = true;
		} else if (memmem(text.ptr, text.len, " loss record ", 13)) {
			import_skip(im);
		}
	} else if (slice_starts(text, "LEAK SUMMARY:")) {
		p->checked = true;
	} else if (slice_starts(text, "ERROR SUMMARY:")) {
		/* ends a process: its number may come again */
		add_records(im, p);
		free_process(p);
	} else if (scan_text(&text, "Command: ")) {
		read_command(log, p, text);
	}
}

void
import_read_memcheck(struct import *im)
{
	struct log log = { 0 };
	struct slice line;
	size_t i;

	while (import_line(im, &line))
		read_line(im, &log, line);
	for (i = 0; i < log.n; i++) {
		add_records(im, &log.processes[i]);
		free_process(&log.processes[i]);
	}
	im->refused = !log.any;
	if (im->refused)
		trouble("%s: has no loss records; valgrind "
			"--leak-check=full writes them",
			input_name(im->in));
	free(log.processes);
	map_free(&log.by_pid);
	arena_free(&log.text);
}
