/* SPDX-License-Identifier: MIT */
#include "profile/edit.h"

#include <stdlib.h>
#include "base/msg.h"
#include "base/xalloc.h"

void
edit_add_name(struct edit_words *w, const char *name)
{
	GROW(w->words, w->cap, w->n + 1);
	w->words[w->n++] = name;
}

void
edit_add_regex(struct edit_words *w, const char *option, const char *text)
{
	char why[256];
	int rc;

	GROW(w->regexes, w->cap_regexes, w->n + 1);
	rc = regcomp(&w->regexes[w->n], text, REG_EXTENDED | REG_NOSUB);
	if (rc) {
		regerror(rc, &w->regexes[w->n], why, sizeof why);
		die_usage("%s: '%s' is no regular expression: %s", option, text,
			  why);
	}
	edit_add_name(w, text);
}

static void
free_words(struct edit_words *w)
{
	size_t i;

	for (i = 0; w->regexes && i < w->n; i++)
		regfree(&w->regexes[i]);
	free(w->regexes);
	free(w->words);
	*w = (struct edit_words){ 0 };
}

void
edits_free(struct profile_edits *e)
{
	free_words(&e->focus);
	free_words(&e->ignore);
	free_words(&e->skip_after);
	free_words(&e->hide);
}

bool
edits_are_none(const struct profile_edits *e)
{
	return !e->focus.n && !e->ignore.n && !e->skip_after.n && !e->hide.n &&
	       !e->collapse_recursion;
}

/* ---- which edits a symbol is meant by: each symbol is looked at once ---- */

enum { FOCUS = 1, IGNORE = 2, SKIP = 4, HIDE = 8 };

static bool
has_annotation(struct slice name)
{
	const char *end = name.ptr + name.len;

	return name.len > 4 && end[-4] == '_' && end[-3] == '[' &&
	       strchr("kji", end[-2]) && end[-1] == ']';
}

/* NAME has a NUL behind it, and holds none. */
static bool
matches(const struct edit_words *w, struct slice name)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->regexes ? !regexec(&w->regexes[i], name.ptr, 0, NULL, 0)
			       : slice_is(name, w->words[i]))
			return true;
	return false;
}

static uint8_t
meant_by(const struct profile_edits *e, struct slice name)
{
	return (uint8_t)((matches(&e->focus, name) ? FOCUS : 0) |
			 (matches(&e->ignore, name) ? IGNORE : 0) |
			 (matches(&e->skip_after, name) ? SKIP : 0) |
			 (matches(&e->hide, name) ? HIDE : 0));
}

static uint8_t *
mark_symbols(const struct intern *symbols, const struct profile_edits *e)
{
	uint8_t *marks = xcalloc(symbols->n, 1);
	size_t i;

	for (i = 0; i < symbols->n; i++) {
		struct slice name = intern_get(symbols, (uint32_t)i);
		char *plain;

		marks[i] = meant_by(e, name);
		if (!has_annotation(name))
			continue;
		plain = xmemdup0(name.ptr, name.len - 4);
		marks[i] |= meant_by(e, slice_str(plain));
		free(plain);
	}
	return marks;
}

/* ---- stacks ---- */

struct editor {
	const struct profile_edits *e;
	const uint8_t *marks;
	bool keep_root;
	uint32_t hidden; /* the symbol [hidden] */
	uint32_t *ids;
	size_t n, cap;
};

static bool
is_wanted(const struct editor *ed, const uint32_t *frames, size_t depth)
{
	uint8_t all = 0;
	size_t i;

	for (i = 0; i < depth; i++)
		all |= ed->marks[frames[i]];
	return (!ed->e->focus.n || all & FOCUS) && !(all & IGNORE);
}

/* The index of the innermost frame outside of which all goes. */
static size_t
find_start(const struct editor *ed, const uint32_t *frames, size_t depth)
{
	size_t i;

	for (i = depth; i-- > 0;)
		if (ed->marks[frames[i]] & SKIP)
			return i;
	return 0;
}

static void
make_row(struct editor *ed, const uint32_t *frames, size_t depth)
{
	size_t i = find_start(ed, frames, depth);
	bool collapse = ed->e->collapse_recursion;

	GROW(ed->ids, ed->cap, depth + 1);
	ed->n = 0;
	if (ed->keep_root && depth) {
		ed->ids[ed->n++] = frames[0];
		i = i ? i : 1;
	}
	for (; i < depth; i++) {
		bool root_only = ed->keep_root && ed->n == 1;

		if (ed->marks[frames[i]] & HIDE)
			continue;
		if (collapse && ed->n && !root_only &&
		    ed->ids[ed->n - 1] == frames[i])
			continue;
		ed->ids[ed->n++] = frames[i];
	}
	if (!ed->n)
		ed->ids[ed->n++] = ed->hidden;
}

static void
edit_stack(struct editor *ed, const struct profile *from, uint32_t stack,
	   const double value[2], struct profile *to)
{
	const struct profile_stack *s = &from->stacks[stack];
	const uint32_t *frames = from->frames + s->first;

	if (!is_wanted(ed, frames, s->depth))
		return;
	make_row(ed, frames, s->depth);
	profile_add(to, ed->ids, ed->n, value[0], value[1]);
}

void
profile_edit(struct profile *p, const struct profile_edits *e, bool keep_root)
{
	struct profile to = { .symbols = p->symbols,
			      .columns = p->columns,
			      .lines = p->lines,
			      .skipped_lines = p->skipped_lines,
			      .in_order = p->in_order };
	struct editor ed = { .e = e, .keep_root = keep_root };
	uint8_t *marks;
	size_t i;

	ed.hidden = intern_add(&to.symbols, SLICE_LIT("[hidden]"));
	ed.marks = marks = mark_symbols(&to.symbols, e);
	if (p->in_order)
		for (i = 0; i < p->n_runs; i++)
			edit_stack(&ed, p, p->runs[i].stack, p->runs[i].value,
				   &to);
	else
		for (i = 0; i < p->n_stacks; i++)
			edit_stack(&ed, p, (uint32_t)i, p->stacks[i].value,
				   &to);
	free(marks);
	free(ed.ids);
	p->symbols = (struct intern){ 0 };
	profile_free(p);
	*p = to;
}
