/* SPDX-License-Identifier: MIT */
#include "import/text/text.h"

static bool
at(struct slice s, size_t i, const char *word)
{
	return i < s.len &&
	       slice_starts((struct slice){ s.ptr + i, s.len - i }, word);
}

static bool
behind(struct slice s, size_t i, const char *word)
{
	size_t n = strlen(word);

	return i >= n && at(s, i - n, word);
}

static bool
is_word_char(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/*
 * Behind the partner of the bracket at I; 0 where it has none. Within
 * parentheses and braces only their own kind counts, since < and > are
 * operators there; within angle brackets parentheses and braces hide theirs.
 */
static size_t
skip_brackets(struct slice s, size_t i)
{
	char open = s.ptr[i], inner = '\0';
	char close = open == '(' ? ')' : open == '{' ? '}' : '>';
	size_t depth = 1, inner_depth = 0;

	for (i++; i < s.len && depth; i++) {
		char c = s.ptr[i];

		if (inner) {
			inner_depth += c == inner;
			inner_depth -= c == (inner == '(' ? ')' : '}');
			inner = inner_depth ? inner : '\0';
		} else if (open == '<' && (c == '(' || c == '{')) {
			inner = c;
			inner_depth = 1;
		} else if (c == open) {
			depth++;
		} else if (c == close && !(c == '>' && s.ptr[i - 1] == '-')) {
			depth--;
		}
	}
	return depth ? 0 : i;
}

/* Behind `operator` at I and the tokens that are its name; a type's, `new`
 * and `delete` need no care. */
static size_t
skip_operator(struct slice s, size_t i)
{
	i += strlen("operator");
	if (at(s, i, "()"))
		return i + 2;
	while (i < s.len && strchr("<>=!+-*/%^&|~,", s.ptr[i]) && s.ptr[i])
		i++;
	return i;
}

static bool
is_operator(struct slice s, size_t i)
{
	return s.ptr[i] == 'o' && at(s, i, "operator") &&
	       (i == 0 || !is_word_char(s.ptr[i - 1])) &&
	       (i + 8 >= s.len || !is_word_char(s.ptr[i + 8]));
}

/* Behind the qualifiers that follow a parameter list. */
static size_t
skip_qualifiers(struct slice s, size_t i)
{
	static const char *const words[] = { " const", " volatile", " &&",
					     " &" };
	size_t w;

	for (w = 0; w < sizeof words / sizeof *words; w++)
		if (at(s, i, words[w])) {
			i += strlen(words[w]);
			w = SIZE_MAX;
		}
	return i;
}

/* Whether the parentheses from I to END (behind the partner; 0: none) belong
 * to the name: see import_parameters. */
static bool
is_of_name(struct slice s, size_t i, size_t end)
{
	return end && (at(s, skip_qualifiers(s, end), "::") ||
		       at(s, i, "(anonymous namespace)") ||
		       (behind(s, i, ".") && at(s, end, ".")) ||
		       (behind(s, i, "!") && !behind(s, i, "operator!")) ||
		       behind(s, i, "decltype") || behind(s, i, "decltype "));
}

/* Brackets without a partner that are looked at in one name, each to its end:
 * more are none of C++. */
enum { LONELY = 16 };

size_t
import_parameters(struct slice name)
{
	size_t i = 0, end, lonely = 0;

	while (i < name.len) {
		char c = name.ptr[i];

		end = 0;
		if (is_operator(name, i)) {
			end = skip_operator(name, i);
		} else if (c == '<' || c == '{' || c == '(') {
			end = lonely < LONELY ? skip_brackets(name, i) : 0;
			lonely += !end;
			/* Conversion to a pointer to a function. */
			if (c == '(' && end && behind(name, end, "*)") &&
			    at(name, end, "("))
				end = skip_brackets(name, end);
			else if (c == '(' && !is_of_name(name, i, end))
				return i;
		}
		i = end ? end : i + 1;
	}
	return name.len;
}
