/* SPDX-License-Identifier: MIT */
#include "import/text/native.h"

#include "base/number.h"
#include "base/xalloc.h"

static void
add_unnamed(const struct view *v, const struct native_frame *f, struct buf *b)
{
	buf_char(b, '[');
	if (f->module.len)
		buf_slice(b, slice_basename(f->module));
	else
		buf_str(b, "unknown");
	if (f->module.len && v->addrs && f->offset != UINT64_MAX) {
		buf_str(b, "+0x");
		buf_hex(b, f->offset);
	}
	buf_char(b, ']');
}

static void
add_named(const struct view *v, const struct native_frame *f, struct buf *b)
{
	struct slice name = f->name;

	/* "(below main)" has nothing else */
	if (v->names == VIEW_NAMES_SHORT && import_parameters(name))
		name.len = import_parameters(name);
	if (v->modules && f->module.len) {
		buf_slice(b, slice_basename(f->module));
		buf_char(b, '`');
	}
	buf_slice(b, name);
	if (v->lines && f->line) {
		buf_char(b, ':');
		buf_slice(b, slice_basename(f->file));
		buf_char(b, ':');
		buf_u64(b, f->line);
	}
}

/* import_frame is the only way to a symbol. */
static uint32_t
symbol_of(struct import *im, struct slice text)
{
	import_frame(im, text);
	return im->ids[--im->n_ids];
}

uint32_t
native_symbol(struct import *im, const struct native_frame *f)
{
	struct buf b = { 0 };
	uint32_t id;

	if (f->name.len)
		add_named(im->view, f, &b);
	else
		add_unnamed(im->view, f, &b);
	if (f->inlined && im->view->suffixes & VIEW_INLINED)
		buf_str(&b, "_[i]");
	id = symbol_of(im, buf_get(&b));
	buf_free(&b);
	return id;
}

/* Cuts ":NUMBER" off the end. */
static bool
cut_number(struct slice *s, uint64_t *out)
{
	const char *colon = s->len ? memrchr(s->ptr, ':', s->len) : NULL;

	if (!colon ||
	    !parse_u64((struct slice){ colon + 1,
				       (size_t)(s->ptr + s->len - colon - 1) },
		       out))
		return false;
	s->len = (size_t)(colon - s->ptr);
	return true;
}

bool
native_place(struct slice place, struct native_frame *f)
{
	uint64_t line, column;

	if (!cut_number(&place, &line))
		return false;
	if (cut_number(&place, &column))
		line = column;
	f->file = place;
	f->line = line;
	return true;
}

/* The last frame turns out to be inlined in the one that follows. */
static void
mark_inlined(struct import *im, struct native_stack *s)
{
	struct buf b = { 0 };

	if (im->view->no_inlines) {
		s->n--;
	} else if (im->view->suffixes & VIEW_INLINED) {
		buf_slice(&b, intern_get(&im->p->symbols, s->ids[s->n - 1]));
		buf_str(&b, "_[i]");
		s->ids[s->n - 1] = symbol_of(im, buf_get(&b));
		buf_free(&b);
	}
}

void
native_push(struct import *im, struct native_stack *s, uint64_t address,
	    const struct native_frame *f)
{
	uint32_t id = native_symbol(im, f);

	if (s->n && s->address == address && s->ids[s->n - 1] != id)
		mark_inlined(im, s);
	GROW(s->ids, s->cap, s->n + 1);
	s->ids[s->n++] = id;
	s->address = address;
}

void
native_take(struct import *im, const uint32_t *ids, size_t n)
{
	GROW(im->ids, im->cap_ids, n);
	if (n)
		memcpy(im->ids, ids, n * sizeof *ids);
	im->n_ids = n;
}
