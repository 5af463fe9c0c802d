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
#include "import/text/scan.h"

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
	l->root = scan_text(&line, direct) ? direct : indirect;
	scan_text(&line, indirect);
	if (!scan_text(&line, " of ") || !scan_u64(&line, &l->bytes) ||
	    !scan_text(&line, " byte(s) in ") ||
	    !scan_u64(&line, &l->objects) || !scan_text(&line, " object(s)")) {
		import_skip(im);
		return;
	}
	l->open = true;
	l->stack.n = 0;
}

/* The last `(...)` of REST, or an empty slice, where REST is cut. */
static struct slice
cut_parenthesis(struct slice *rest)
{
	struct slice inner = { NULL, 0 };
	const char *at;

	if (!rest->len || rest->ptr[rest->len - 1] != ')')
		return inner;
	at = memrchr(rest->ptr, '(', rest->len);
	if (!at || (at > rest->ptr && at[-1] != ' '))
		return inner;
	inner = scan_from(*rest, (size_t)(at + 1 - rest->ptr));
	inner.len--;
	rest->len = (size_t)(at - rest->ptr);
	return inner;
}

/* `(MODULE+0x1a2b)` at the end, where REST is cut. */
static bool
cut_module(struct slice *rest, struct native_frame *f)
{
	struct slice hex, s = *rest;
	const char *plus;
	size_t at;

	if (!s.len || s.ptr[s.len - 1] != ')')
		return false;
	at = slice_starts(s, "(/") ? 0 : scan_find_last(s, " (/") + 1;
	plus = memrchr(s.ptr, '+', s.len);
	if (at >= s.len || !plus || plus < s.ptr + at)
		return false;
	hex = scan_from(s, (size_t)(plus + 1 - s.ptr));
	hex.len--;
	if (!scan_text(&hex, "0x") || !parse_hex(hex, &f->offset))
		return false;
	f->module = (struct slice){ s.ptr + at + 1,
				    (size_t)(plus - s.ptr - at - 1) };
	rest->len = at;
	return true;
}

/* Where a path begins, which is a slash or dots behind a blank. */
static size_t
find_path(struct slice s)
{
	const char *at = s.ptr, *end = s.ptr + s.len;

	while ((at = memchr(at, ' ', (size_t)(end - at)))) {
		struct slice rest = { at + 1, (size_t)(end - at - 1) };

		if (slice_starts(rest, "/") || slice_starts(rest, "../") ||
		    slice_starts(rest, "./"))
			return (size_t)(at - s.ptr);
		at++;
	}
	return s.len;
}

/* `NAME FILE:LINE:COLUMN`; a relative path may hold no blank. */
static void
cut_source(struct slice *rest, struct native_frame *f)
{
	const char *blank;
	size_t at = find_path(*rest);

	if (at == rest->len) {
		blank = rest->len ? memrchr(rest->ptr, ' ', rest->len) : NULL;
		if (blank && native_place(scan_from(*rest, (size_t)(blank + 1 -
								    rest->ptr)),
					  f))
			rest->len = (size_t)(blank - rest->ptr);
		return;
	}
	native_place(scan_from(*rest, at + 1), f);
	rest->len = at;
}

/* What follows the address: `in NAME PLACE`, or PLACE without a symbol. */
static void
read_place(struct slice rest, struct native_frame *f)
{
	struct slice left = rest, inner = cut_parenthesis(&left);

	if (slice_starts(inner, "BuildId: ") ||
	    slice_is(inner, "<unknown module>"))
		rest = scan_trim(left);
	if (!scan_text(&rest, "in ")) {
		cut_module(&rest, f);
		return;
	}
	if (!cut_module(&rest, f))
		cut_source(&rest, f);
	f->name = scan_trim(rest);
}

/* `    #1 0x55d0 in NAME PLACE` or, without a symbol, `    #1 0x55d0  PLACE` */
static bool
read_frame(struct import *im, struct leak *l, struct slice line)
{
	struct native_frame f = { .offset = UINT64_MAX };
	struct slice word;
	uint64_t address;

	scan_blanks(&line);
	word = scan_word(&line);
	if (word.len < 2 || *word.ptr != '#')
		return false;
	scan_blanks(&line);
	word = scan_word(&line);
	if (!scan_text(&word, "0x") || !parse_hex(word, &address)) {
		import_skip(im);
		return true;
	}
	read_place(scan_trim(line), &f);
	native_push(im, &l->stack, address, &f);
	return true;
}

static void
read_line(struct import *im, struct leak *l, struct slice line)
{
	struct slice pid;

	if (l->open && slice_starts(line, "    #") && read_frame(im, l, line))
		return;
	finish_leak(im, l);
	if (slice_starts(line, direct) || slice_starts(line, indirect)) {
		begin_leak(im, l, line);
	} else if (slice_starts(line, "==")) {
		pid = scan_from(line, 2);
		if (!scan_u64(&pid, &l->pid))
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
