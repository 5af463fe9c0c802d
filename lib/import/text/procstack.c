/* SPDX-License-Identifier: MIT */
/*
 * procstack of AIX, for one process after the other.
 *
 *	11928: /usr/bin/app -x
 *	---------- tid# 54325 (pthread ID: 1) ----------
 *	0x09000000005e7a2c  nsleep(??, ??) + 0xec
 *	0x0000000100000a4c  main(0x1, 0x2) + 0x2c
 *
 * Older releases leave the 0x out and write `11928 : app` and `main   (?) +
 *2c`. What has no name is in brackets, and stands for its address.
 */
#include "import/text/callee.h"
#include "import/text/formats.h"
#include "import/text/scan.h"

/* `11928: /usr/bin/app -x`, the command's path in PATH. */
static bool
is_process(struct slice line, uint64_t *pid, struct slice *path)
{
	if (!scan_u64(&line, pid))
		return false;
	scan_blanks(&line);
	if (!scan_text(&line, ":"))
		return false;
	scan_blanks(&line);
	*path = scan_word(&line);
	return path->len > 0;
}

static bool
is_thread(struct slice line, uint64_t *tid)
{
	if (!scan_text(&line, "-") || !scan_text(&line, "---"))
		return false;
	while (scan_text(&line, "-"))
		;
	scan_blanks(&line);
	return scan_text(&line, "tid# ") && scan_u64(&line, tid);
}

/* The address that LINE begins with, and what follows. */
static bool
is_frame(struct slice line, struct slice *address, struct slice *text)
{
	*address = *text = line;
	scan_text(text, "0x");
	if (!scan_hex(text, 8))
		return false;
	address->len = (size_t)(text->ptr - line.ptr);
	return scan_blanks(text) && text->len;
}

int
import_guess_procstack(struct slice head)
{
	struct slice line, address, text;
	bool process = false;
	uint64_t id;

	while (scan_line(&head, &line)) {
		if (is_thread(line, &id))
			return IMPORT_YES;
		if (process && is_frame(line, &address, &text) &&
		    scan_find(text, "(") < text.len &&
		    scan_find_last(text, ") + ") < text.len)
			return IMPORT_YES;
		process = is_process(line, &id, &text);
	}
	return IMPORT_NO;
}

struct procstack {
	struct import *im;
	struct buf process; /* the command's path */
	struct buf root;
};

static void
add_root(struct procstack *p)
{
	const struct import_origin *o = &p->im->origin;
	struct buf *b = &p->root;

	buf_clear(b);
	buf_slice(b, buf_get(&p->process));
	if (p->im->view->root != VIEW_COMM)
		buf_printf(b, "-%llu", (unsigned long long)o->pid);
	if (p->im->view->root == VIEW_TID && o->tid != UINT64_MAX)
		buf_printf(b, "/%llu", (unsigned long long)o->tid);
	import_root(p->im, buf_get(b));
}

static void
end_stack(struct procstack *p)
{
	if (!p->im->n_ids)
		return;
	if (p->process.len)
		add_root(p);
	import_add(p->im, 1);
}

static void
begin_process(struct procstack *p, uint64_t pid, struct slice path)
{
	struct import_origin *o = &p->im->origin;

	end_stack(p);
	buf_clear(&p->process);
	buf_slice(&p->process, path);
	o->pid = pid;
	o->tid = UINT64_MAX;
	o->comm = slice_basename(buf_get(&p->process));
}

/* TEXT: `name(arguments) + 0x2c`. */
static void
add_frame(struct procstack *p, struct slice address, struct slice text)
{
	const struct view *v = p->im->view;
	struct slice name = text;

	if (v->names != VIEW_NAMES_RAW) {
		name.len = scan_find_last(text, " + ");
		name = callee_without_values(scan_trim(name));
	}
	name = callee_name(v, scan_trim(name));
	if (!name.len || (name.ptr[0] == '[' && name.ptr[name.len - 1] == ']'))
		name = address;
	import_frame(p->im, name);
}

void
import_read_procstack(struct import *im)
{
	struct procstack p = { .im = im };
	struct slice line, address, text;
	uint64_t id;

	while (import_line(im, &line)) {
		if (is_process(line, &id, &text)) {
			begin_process(&p, id, text);
		} else if (is_thread(line, &id)) {
			end_stack(&p);
			im->origin.tid = id;
		} else if (is_frame(line, &address, &text)) {
			add_frame(&p, address, text);
		} else if (scan_trim(line).len) {
			import_skip(im);
		}
	}
	end_stack(&p);
	buf_free(&p.process);
	buf_free(&p.root);
}
