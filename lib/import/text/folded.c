/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, pk-folded(5). The reader is lib/profile's: reading them is
 * what every program of the suite does.
 *
 * Folded text has no marker, so that it is recognised by the shape of its
 * lines, and logs, tables and reports, of which many lines end in a number,
 * are not to be taken for it. Each line of the head is one of
 *
 *	a stack: a ';' with something other than a blank behind it, and a value;
 *	a name: no such ';', and up to two words and a value, or a few more
 *	where there are parentheses or angle brackets as in functions' names;
 *	wordy: the same with three or four words, as threads' names have them;
 *	other: no value; or `=` or a word that ends in ':', ',' or ';' before
 *	it; or, of lines without a stack, more words, several that are numbers
 *	or nothing else, columns (tabs, several blanks, blanks at the start or
 *	end), quotes, or a comment.
 *
 * What is within brackets is no word. With stacks among them, text is folded if
 * there are at most two other lines for each stack and one for each name.
 * Without one it is a list of names: at most a quarter are wordy, one in twenty
 * is other, and the first line, which in a table is the heading, is not.
 */
#include "base/number.h"
#include "import/text/formats.h"

enum shape { OTHER, WORDY, NAME, STACK };

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts a number behind a blank off LINE. */
static bool
cut_value(struct slice *line)
{
	struct slice s = *line;
	const char *blank;
	double value;

	while (s.len && strchr("\r \t", s.ptr[s.len - 1]))
		s.len--;
	blank = s.len ? memrchr(s.ptr, ' ', s.len) : NULL;
	if (!blank ||
	    !parse_value((struct slice){ blank + 1,
					 (size_t)(s.ptr + s.len - blank - 1) },
			 &value))
		return false;
	line->len = (size_t)(blank - s.ptr);
	return true;
}

/* Of what precedes the value. A quote in the outermost frame, which is a
 * thread's name, is that of a log's or table's field. */
static bool
is_stack(struct slice s)
{
	const char *at = memchr(s.ptr, ';', s.len);

	if (at && memchr(s.ptr, '"', (size_t)(at - s.ptr)))
		return false;
	while (s.len && (at = memchr(s.ptr, ';', s.len))) {
		s.len -= (size_t)(at + 1 - s.ptr);
		s.ptr = at + 1;
		if (s.len && !is_blank(*s.ptr))
			return true;
	}
	return false;
}

/* 12, 0.5%, 12:30, 7f00-7fff, +3: what columns of tables hold. */
static bool
is_numeric(struct slice word)
{
	size_t i;

	for (i = 0; i < word.len; i++)
		if (!strchr("0123456789abcdefABCDEF+-*.:,%/=", word.ptr[i]))
			return false;
	return word.len && !strchr("abcdefABCDEF", *word.ptr);
}

struct words {
	size_t n, numeric;
	bool called; /* there are parentheses or angle brackets */
};

/* The word at the start of S; a blank within brackets does not end it. */
static struct slice
next_word(struct slice s, struct words *w)
{
	size_t depth = 0, i;

	for (i = 0; i < s.len && (depth || !is_blank(s.ptr[i])); i++) {
		w->called = w->called || s.ptr[i] == '(' || s.ptr[i] == '<';
		if (strchr("(<[{", s.ptr[i]))
			depth++;
		else if (depth && strchr(")>]}", s.ptr[i]))
			depth--;
	}
	return (struct slice){ s.ptr, i };
}

/* False where the words are no name's. */
static bool
count_words(struct slice s, struct words *w)
{
	while (s.len) {
		struct slice word = next_word(s, w);

		if (!word.len || strchr(":,;", word.ptr[word.len - 1]))
			return false; /* columns or prose */
		w->n++;
		w->numeric += is_numeric(word);
		s.ptr += word.len;
		s.len -= word.len;
		if (s.len) {
			s.ptr++;
			s.len--;
		}
	}
	return true;
}

static enum shape
shape_of(struct slice line)
{
	struct slice text = line;
	struct words w = { 0 };
	const char last = line.ptr[line.len - 1];

	if (!cut_value(&text) || !text.len ||
	    (text.len > 1 && !memcmp(text.ptr + text.len - 2, " =", 2)))
		return OTHER;
	if (is_stack(text))
		return STACK;
	if (is_blank(last) || is_blank(text.ptr[text.len - 1]) ||
	    *line.ptr == '#' || memchr(text.ptr, '"', text.len) ||
	    memchr(line.ptr, '\t', line.len) || !count_words(text, &w) ||
	    w.n > 5 || w.numeric > 1 || w.numeric == w.n)
		return OTHER;
	return w.n <= 2 || w.called ? NAME : w.n <= 4 ? WORDY : OTHER;
}

static int
weigh(const size_t n[4], enum shape first)
{
	size_t values = n[STACK] + n[NAME] + n[WORDY];

	if (n[STACK])
		return n[OTHER] <= 2 * n[STACK] + n[NAME] ? 20 : IMPORT_NO;
	if (first == OTHER || n[WORDY] * 4 > values || n[OTHER] * 20 > values)
		return IMPORT_NO;
	return values ? 10 : IMPORT_NO;
}

/* A line may be longer than what is seen of it. */
int
import_guess_folded(struct slice head)
{
	size_t n[4] = { 0 }, lines = 0;
	enum shape shape, first = OTHER;

	if (memchr(head.ptr, '\0', head.len))
		return IMPORT_NO;
	if (head.len == IMPORT_HEAD && !memchr(head.ptr, '\n', head.len))
		return 1;
	while (head.ptr && head.len) {
		struct slice line = slice_cut(&head, '\n');

		while (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (!head.ptr && lines)
			break; /* may be incomplete */
		if (!line.len)
			continue;
		shape = shape_of(line);
		n[shape]++;
		if (!lines++)
			first = shape;
	}
	return weigh(n, first);
}

void
import_read_folded(struct import *im)
{
	uint64_t lines = im->p->lines;

	profile_read(im->p, im->in);
	im->samples += im->p->lines - lines;
	im->refused = !im->samples;
}
