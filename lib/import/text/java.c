/* SPDX-License-Identifier: MIT */
#include "import/text/java.h"
#include "import/text/scan.h"

#include "base/number.h"

/* A blank before the parenthesis is JavaScript's, or prose; but Kotlin's
 * names may hold blanks and parentheses. */
bool
java_is_frame(struct slice text, struct slice *name, struct slice *where)
{
	const char *paren, *end = text.ptr + text.len;

	if (!slice_starts(text, "at "))
		return false;
	text = scan_from(text, 3);
	paren = text.ptr;
	do
		paren = memchr(paren, '(', (size_t)(end - paren));
	while (paren && (paren == text.ptr || paren[-1] == ' ') && paren++);
	if (!paren)
		return false;
	*name = (struct slice){ text.ptr, (size_t)(paren - text.ptr) };
	*where = (struct slice){ paren + 1, text.len - name->len - 1 };
	return memchr(where->ptr, ')', where->len) != NULL;
}

/* "FILE:LINE" of "java.base@17/FILE:LINE)" and "FILE:LINE(Compiled Code))";
 * empty for those without a line. */
static struct slice
source_of(struct slice where)
{
	struct slice line, none = { NULL, 0 };
	const char *at;
	uint64_t number;

	at = memchr(where.ptr, ')', where.len);
	where.len = at ? (size_t)(at - where.ptr) : 0;
	at = where.len ? memchr(where.ptr, '(', where.len) : NULL;
	if (at)
		where.len = (size_t)(at - where.ptr);
	where = slice_basename(where);
	at = where.len ? memrchr(where.ptr, ':', where.len) : NULL;
	if (!at)
		return none;
	line = (struct slice){ at + 1,
			       (size_t)(where.ptr + where.len - at - 1) };
	return parse_u64(line, &number) ? where : none;
}

bool
java_frame(struct import *im, struct slice text)
{
	struct slice name, where, source;
	struct buf b = { 0 };

	if (!java_is_frame(text, &name, &where))
		return false;
	source = im->view->lines ? source_of(where) : (struct slice){ NULL, 0 };
	if (!source.len) {
		import_frame(im, name);
		return true;
	}
	buf_slice(&b, name);
	buf_char(&b, ':');
	buf_slice(&b, source);
	import_frame(im, buf_get(&b));
	buf_free(&b);
	return true;
}

void
java_root(struct import *im, struct slice name, uint64_t pid, uint64_t tid)
{
	struct buf b = { 0 };

	buf_slice(&b, name);
	if (im->view->root != VIEW_COMM) {
		buf_char(&b, '-');
		if (pid == UINT64_MAX)
			buf_char(&b, '?');
		else
			buf_u64(&b, pid);
	}
	if (im->view->root == VIEW_TID && tid != UINT64_MAX) {
		buf_char(&b, '/');
		buf_u64(&b, tid);
	}
	import_root(im, buf_get(&b));
	buf_free(&b);
}
