/* SPDX-License-Identifier: MIT */
/*
 * Reports of LeakSanitizer, alone or within AddressSanitizer, of gcc and
 * clang, with symbols or without, among what else a program writes. A leak
 * hangs from `Direct leak` or `Indirect leak` and has its bytes, so that all
 * of them add up to the report's SUMMARY; with --value samples its objects.
 * Other errors that the sanitizers report are no leaks and are passed over.
 */
#include <stdlib.h>
#include "base/number.h"
#include "import/text/formats.h"
#include "import/text/native.h"

static const char direct[] = "Direct leak", indirect[] = "Indirect leak";

struct leak {
	bool open;
	const char *root;
	uint64_t bytes, objects;
	struct native_stack stack;
	uint64_t pid;
};

int
import_guess_lsan(struct slice head)
{
	static const char *const marks[] = {
		"ERROR: LeakSanitizer: detected memory leaks",
		"\nDirect leak of ",
		"\nIndirect leak of ",
	};
	size_t i;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	for (i = 0; i < sizeof marks / sizeof *marks; i++)
		if ((i && slice_starts(head, marks[i] + 1)) ||
		    memmem(head.ptr, head.len, marks[i], strlen(marks[i])))
			return IMPORT_YES;
	return IMPORT_NO;
}

static void
finish_leak(struct import *im, struct leak *l)
{
	if (!l->open)
		return;
	l->open = false;
	im->origin.pid = l->pid;
	native_take(im, l->stack.ids, l->stack.n);
	import_root(im, slice_str(l->root));
	import_add(im, (double)(im->view->value == VIEW_SAMPLES ? l->objects
								: l->bytes));
}

/* `Direct leak of 16 byte(s) in 1 object(s) allocated from:` */
static void
begin_leak(struct import *im, struct leak *l, struct slice line)
{
	struct slice bytes, objects;

	l->root = slice_starts(line, direct) ? direct : indirect;
	line.ptr += strlen(l->root);
	line.len -= strlen(l->root);
	if (!slice_starts(line, " of ")) {
		import_skip(im);
		return;
	}
	line.ptr += 4;
	line.len -= 4;
	bytes = slice_cut(&line, ' ');
	if (slice_starts(line, "byte(s) in ")) {
		line.ptr += 11;
		line.len -= 11;
	}
	objects = slice_cut(&line, ' ');
	if (!parse_u64(bytes, &l->bytes) || !parse_u64(objects, &l->objects) ||
	    !slice_starts(line, "object(s)")) {
		import_skip(im);
		return;
	}
	l->open = true;
	l->stack.n = 0;
}

/* `(/lib/x.so+0x12) (BuildId: ...)` at the end of REST, where it is cut. */
static bool
cut_module(struct slice *rest, struct native_frame *f)
{
	static const char build_id[] = " (BuildId: ";
	const char *at, *plus;
	struct slice hex;

	at = memmem(rest->ptr, rest->len, build_id, sizeof build_id - 1);
	if (at)
		rest->len = (size_t)(at - rest->ptr);
	if (!rest->len || rest->ptr[rest->len - 1] != ')')
		return false;
	plus = memrchr(rest->ptr, '+', rest->len);
	at = memmem(rest->ptr, rest->len, " (/", 3);
	if (!at || !plus || plus < at)
		return false;
	hex = (struct slice){ plus + 1,
			      (size_t)(rest->ptr + rest->len - plus - 2) };
	if (!slice_starts(hex, "0x") ||
	    !parse_hex((struct slice){ hex.ptr + 2, hex.len - 2 }, &f->offset))
		return false;
	f->module = (struct slice){ at + 2, (size_t)(plus - at - 2) };
	rest->len = (size_t)(at - rest->ptr);
	return true;
}

static void
cut_unknown(struct slice *rest)
{
	static const char mark[] = " (<unknown module>)";
	size_t n = sizeof mark - 1;

	if (rest->len >= n && !memcmp(rest->ptr + rest->len - n, mark, n))
		rest->len -= n;
}

/* `NAME FILE:LINE:COLUMN`: a file's path begins with a slash or dots, or
 * holds no blank. */
static void
cut_source(struct slice *rest, struct native_frame *f)
{
	static const char *const begins[] = { " /", " ../", " ./" };
	const char *at = NULL;
	size_t i;

	for (i = 0; i < sizeof begins / sizeof *begins && !at; i++)
		at = memmem(rest->ptr, rest->len, begins[i], strlen(begins[i]));
	if (!at)
		at = memrchr(rest->ptr, ' ', rest->len);
	if (!at)
		return;
	if (native_place((struct slice){ at + 1, (size_t)(rest->ptr +
							  rest->len - at - 1) },
			 f) ||
	    slice_starts(
		    (struct slice){ at, (size_t)(rest->ptr + rest->len - at) },
		    " /"))
		rest->len = (size_t)(at - rest->ptr);
}

/* `    #1 0x55d0 in NAME PLACE` or, without a symbol, `    #1 0x55d0 PLACE`. */
static bool
read_frame(struct import *im, struct leak *l, struct slice line)
{
	struct native_frame f = { .offset = UINT64_MAX };
	struct slice rest = line, word;
	uint64_t address;

	while (rest.len && *rest.ptr == ' ') {
		rest.ptr++;
		rest.len--;
	}
	word = slice_cut(&rest, ' ');
	if (word.len < 2 || *word.ptr != '#')
		return false;
	word = slice_cut(&rest, ' ');
	if (!slice_starts(word, "0x") ||
	    !parse_hex((struct slice){ word.ptr + 2, word.len - 2 },
		       &address)) {
		import_skip(im);
		return true;
	}
	if (slice_starts(rest, "in ")) {
		rest.ptr += 3;
		rest.len -= 3;
		cut_unknown(&rest);
		if (!cut_module(&rest, &f))
			cut_source(&rest, &f);
		f.name = rest;
	} else if (rest.len) {
		/* with the blank that stands before it */
		if (*rest.ptr == '(') {
			rest.ptr--;
			rest.len++;
		}
		cut_module(&rest, &f);
	}
	native_push(im, &l->stack, address, &f);
	return true;
}

static void
read_line(struct import *im, struct leak *l, struct slice line)
{
	struct slice pid = line;

	if (l->open && slice_starts(line, "    #") && read_frame(im, l, line))
		return;
	finish_leak(im, l);
	if (slice_starts(line, direct) || slice_starts(line, indirect)) {
		begin_leak(im, l, line);
	} else if (slice_starts(line, "==")) {
		pid.ptr += 2;
		pid.len -= 2;
		pid = slice_cut(&pid, '=');
		if (!parse_u64(pid, &l->pid))
			l->pid = UINT64_MAX;
	}
}

void
import_read_lsan(struct import *im)
{
	struct leak l = { .pid = UINT64_MAX };
	struct slice line;

	while (import_line(im, &line))
		read_line(im, &l, line);
	finish_leak(im, &l);
	free(l.stack.ids);
}
