/* SPDX-License-Identifier: MIT */
/*
 * Mangled names made readable, by libiberty. Its demanglers can make a
 * gigabyte of 200 bytes, so their output is taken piece by piece and they are
 * left, by longjmp, when it exceeds the cap (their callback returns nothing).
 */
#include "symbol/symbol.h"

#include <setjmp.h>
#include <stdlib.h>
#include <libiberty/demangle.h>
#include "base/buf.h"
#include "base/xalloc.h"

enum {
	/* libiberty's own recursion limit refuses all above 1,023 bytes, which
	 * templates do reach. Up to this length its recursion, at most a few
	 * frames for each byte, needs less than 3 MB of stack. */
	MAX_MANGLED = 4096,
	RECURSION_LIMITED = DEMANGLE_RECURSION_LIMIT / 2,
	/* D's demangler has no callback. Each Q refers back to text that may
	 * hold others, so the output grows by 3 for each 3 of them at most. */
	MAX_D_REFERENCES = 24,
};

struct sink {
	struct buf *out;
	size_t limit; /* of out->len */
	bool rust;    /* found to be: it has no parameters */
	jmp_buf full;
};

/* libiberty brings its own xrealloc in one object with an xmalloc, which
 * lib/base has too; with this one that object is not linked. */
void *
xrealloc(void *p, size_t size)
{
	return xreallocarray(p, size, 1);
}

static void
take_piece(const char *p, size_t n, void *opaque)
{
	struct sink *sink = opaque;

	if (n > sink->limit - sink->out->len)
		longjmp(sink->full, 1);
	buf_add(sink->out, p, n);
}

static bool
demangle_d(const char *mangled, struct sink *sink)
{
	size_t references = 0;
	const char *p;
	char *s;

	for (p = mangled; *p; p++)
		references += *p == 'Q';
	if (references > MAX_D_REFERENCES)
		return false;
	s = dlang_demangle(mangled, DMGL_PARAMS);
	if (s && strlen(s) > sink->limit - sink->out->len) {
		free(s);
		return false;
	}
	if (s)
		buf_str(sink->out, s);
	free(s);
	return s != NULL;
}

/* Legacy Rust looks like C++ but for its last part, 17h and 16 digits. */
static bool
maybe_rust(const char *mangled)
{
	return mangled[1] == 'R' || strstr(mangled, "17h");
}

static bool
demangle_any(const char *mangled, int options, struct sink *sink)
{
	size_t start = sink->out->len;

	if (mangled[1] == 'D')
		return demangle_d(mangled, sink);
	if (maybe_rust(mangled)) {
		sink->rust = rust_demangle_callback(
			mangled, options & ~DMGL_NO_RECURSE_LIMIT, take_piece,
			sink);
		if (sink->rust)
			return true;
		sink->out->len = start;
	}
	return mangled[1] == 'Z' &&
	       cplus_demangle_v3_callback(mangled, options, take_piece, sink);
}

static bool
demangle_to(const char *mangled, int options, struct sink *sink)
{
	return !setjmp(sink->full) && demangle_any(mangled, options, sink);
}

/* Pieces of a readable name. */

static bool
at_word(struct slice s, size_t i, const char *word)
{
	return slice_starts((struct slice){ s.ptr + i, s.len - i }, word);
}

/*
 * Behind the bracket at I and all up to its partner. Within parentheses and
 * braces only their own kind counts, since < and > are operators there;
 * within angle brackets all do.
 */
static size_t
skip_brackets(struct slice s, size_t i)
{
	char open = s.ptr[i];
	char close = open == '(' ? ')' : open == '{' ? '}' : '>';
	size_t depth = 1;

	for (i++; i < s.len && depth; i++) {
		char c = s.ptr[i];

		if (c == open)
			depth++;
		else if (c == close && !(c == '>' && s.ptr[i - 1] == '-'))
			depth--;
		else if (open == '<' && (c == '(' || c == '{'))
			i = skip_brackets(s, i) - 1;
	}
	return i;
}

/* Behind `operator` at I and what it names: `()`, `<<`, `new[]`, a type. */
static size_t
skip_operator(struct slice s, size_t i)
{
	static const char *const tokens[] = {
		"()", "[]", "<=>", "<<=", ">>=", "->*", "->", "<<",
		">>", "<=", ">=",  "==",  "!=",	 "&&",	"||", "++",
		"--", "+=", "-=",  "*=",  "/=",	 "%=",	"^=", "&=",
		"|=", "<",  ">",   "=",	  "!",	 "+",	"-",  "*",
		"/",  "%",  "^",   "&",	  "|",	 "~",	",",  "\"\"",
	};
	size_t t;

	i += strlen("operator");
	for (t = 0; t < sizeof tokens / sizeof *tokens; t++)
		if (at_word(s, i, tokens[t])) {
			i += strlen(tokens[t]);
			/* As between << and template arguments. */
			return i < s.len && s.ptr[i] == ' ' ? i + 1 : i;
		}
	while (i < s.len && s.ptr[i] != '(') {
		if (s.ptr[i] == '<' || s.ptr[i] == '{')
			i = skip_brackets(s, i);
		else
			i++;
	}
	return i;
}

static bool
is_operator(struct slice s, size_t i)
{
	return at_word(s, i, "operator") &&
	       (i == 0 || s.ptr[i - 1] == ':' || s.ptr[i - 1] == ' ') &&
	       i + 8 < s.len && strchr("<>=!+-*/%^&|~,[]\"( ", s.ptr[i + 8]);
}

/* Behind the qualifiers that follow a parameter list. */
static size_t
skip_qualifiers(struct slice s, size_t i)
{
	static const char *const words[] = { " const", " volatile", " &&",
					     " &" };
	size_t w;

	for (w = 0; w < sizeof words / sizeof *words; w++)
		if (at_word(s, i, words[w])) {
			i += strlen(words[w]);
			w = SIZE_MAX;
		}
	return i;
}

/*
 * Takes parameter lists, their qualifiers and return types out of what was
 * added to OUT from START on: those of enclosing functions, which libiberty
 * writes even without DMGL_PARAMS. SPECIAL are names of a few words, such as
 * "vtable for X", where a space ends no return type.
 */
static void
cut_parameters(struct buf *out, size_t start, bool special)
{
	struct slice s = { out->ptr + start, out->len - start };
	size_t i = 0, kept = 0, end;

	for (; i < s.len; i = end) {
		end = i + 1;
		if (is_operator(s, i)) {
			end = skip_operator(s, i);
		} else if (at_word(s, i, " [clone ")) {
			end = s.len;
		} else if (at_word(s, i, "(anonymous namespace)") ||
			   s.ptr[i] == '<' || s.ptr[i] == '{') {
			end = skip_brackets(s, i);
		} else if (s.ptr[i] == '(' && i && s.ptr[i - 1] == '!') {
			end = skip_brackets(s, i); /* D's template arguments */
		} else if (s.ptr[i] == '(') {
			end = skip_qualifiers(s, skip_brackets(s, i));
			continue;
		} else if (s.ptr[i] == ' ' && !special) {
			kept = 0;
			continue;
		}
		memmove(out->ptr + start + kept, s.ptr + i, end - i);
		kept += end - i;
	}
	out->len = start + kept;
	out->ptr[out->len] = '\0';
}

/* Suffixes. */

static bool
is_clone_suffix(struct slice s)
{
	static const char *const words[] = {
		"part",	    "constprop",  "isra", "cold", "llvm",
		"lto_priv", "localalias", "warm", "hot",  "__uniq",
	};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_is(s, words[i]))
			return true;
	for (i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* NAME without .part.0 and its like; digits go only together with a word. */
static struct slice
without_clones(struct slice name)
{
	struct slice rest = name;
	const char *dot;

	while ((dot = rest.len ? memrchr(rest.ptr, '.', rest.len) : NULL) &&
	       dot > rest.ptr) {
		struct slice word = { dot + 1,
				      (size_t)(rest.ptr + rest.len - dot - 1) };

		if (!is_clone_suffix(word))
			break;
		rest.len = (size_t)(dot - rest.ptr);
		if (word.ptr[0] < '0' || word.ptr[0] > '9')
			name.len = rest.len;
	}
	return name;
}

/* Cuts @VERSION or @plt off; returns what a reader should still see. */
static struct slice
cut_version(struct slice *name)
{
	const char *at = name->len > 1
				 ? memchr(name->ptr + 1, '@', name->len - 1)
				 : NULL;
	struct slice tail = { NULL, 0 };

	if (!at)
		return tail;
	tail = (struct slice){ at, (size_t)(name->ptr + name->len - at) };
	if (tail.len < 2)
		return (struct slice){ NULL, 0 };
	name->len -= tail.len;
	if (tail.len >= 4 && !memcmp(tail.ptr + tail.len - 4, "@plt", 4))
		return (struct slice){ tail.ptr + tail.len - 4, 4 };
	return (struct slice){ NULL, 0 };
}

static bool
looks_mangled(struct slice s)
{
	return s.len > 2 && s.len <= MAX_MANGLED && s.ptr[0] == '_' &&
	       (s.ptr[1] == 'Z' || s.ptr[1] == 'R' || s.ptr[1] == 'D') &&
	       !memchr(s.ptr, '\0', s.len);
}

static bool
demangle(struct slice name, enum symbol_names names, struct buf *out,
	 size_t cap)
{
	struct sink sink = { .out = out, .limit = out->len + cap };
	size_t start = out->len;
	char mangled[MAX_MANGLED + 1];
	int options = DMGL_ANSI;

	if (!looks_mangled(name))
		return false;
	memcpy(mangled, name.ptr, name.len);
	mangled[name.len] = '\0';
	if (names == SYMBOL_NAMES_FULL)
		options |= DMGL_PARAMS;
	if (name.len >= RECURSION_LIMITED)
		options |= DMGL_NO_RECURSE_LIMIT;
	if (!demangle_to(mangled, options, &sink) || out->len == start) {
		out->len = start;
		return false;
	}
	if (names == SYMBOL_NAMES_SHORT && !sink.rust)
		cut_parameters(out, start,
			       mangled[2] == 'T' || mangled[2] == 'G');
	return true;
}

bool
symbol_demangle(struct slice name, enum symbol_names names, struct buf *out,
		size_t cap)
{
	struct slice whole = name, tail;
	bool done;

	if (names == SYMBOL_NAMES_RAW) {
		buf_slice(out, name);
		return false;
	}
	tail = cut_version(&name);
	if (names == SYMBOL_NAMES_SHORT)
		name = without_clones(name);
	done = demangle(name, names, out, cap);
	if (!done && looks_mangled(name))
		buf_slice(out, whole);
	else if (!done)
		buf_slice(out, name);
	if (done || !looks_mangled(name))
		buf_slice(out, tail);
	return done;
}
