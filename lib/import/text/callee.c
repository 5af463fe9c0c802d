/* SPDX-License-Identifier: MIT */
#include "import/text/callee.h"

#include "import/text/scan.h"

/* The length of `operator` and what belongs to it at AT in S; 0: none. */
static size_t
operator_length(struct slice s, size_t at)
{
	struct slice rest = scan_from(s, at);

	if (s.ptr[at] != 'o' || !scan_text(&rest, "operator"))
		return 0;
	if (at && scan_is_word(s.ptr[at - 1]))
		return 0;
	if (scan_text(&rest, "()"))
		return s.len - at - rest.len;
	while (rest.len && rest.ptr[0] && strchr("<>=-!+*/%^&|~,", rest.ptr[0]))
		rest = scan_from(rest, 1);
	return s.len - at - rest.len;
}

/* What lies outside of all brackets in a name. */
struct landmarks {
	size_t arguments; /* the first " (" */
	size_t blank; /* the last blank before, but for operators'; 0: none */
};

static int
bracket(struct slice s, size_t at)
{
	switch (s.ptr[at]) {
	case '(':
	case '<':
	case '{':
	case '[':
		return 1;
	case '>':
		return at && s.ptr[at - 1] == '-' ? 0 : -1;
	case ')':
	case '}':
	case ']':
		return -1;
	}
	return 0;
}

static struct landmarks
find_landmarks(struct slice s)
{
	struct landmarks found = { s.len, 0 };
	bool in_operator = false;
	long depth = 0;
	size_t i, n;

	for (i = 0; i < s.len; i++) {
		n = operator_length(s, i);
		if (n) {
			in_operator = in_operator || depth == 0;
			i += n - 1;
			continue;
		}
		if (s.ptr[i] == ' ' && depth <= 0) {
			if (i + 1 < s.len && s.ptr[i + 1] == '(' && i) {
				found.arguments = i;
				return found;
			}
			if (!in_operator)
				found.blank = i;
		}
		depth += bracket(s, i);
	}
	found.arguments = scan_find(s, " (");
	return found;
}

size_t
callee_length(struct slice call)
{
	return find_landmarks(call).arguments;
}

struct slice
callee_name(const struct view *v, struct slice name)
{
	size_t blank, n = name.len;

	name = scan_function(v, name);
	if (name.len == n || v->names != VIEW_NAMES_SHORT)
		return name;
	blank = find_landmarks(name).blank;
	return blank ? scan_from(name, blank + 1) : name;
}

struct slice
callee_without_values(struct slice call)
{
	size_t i, n = call.len, depth = 0;

	if (!n || call.ptr[n - 1] != ')')
		return call;
	for (i = n; i > 0; i--) {
		if (call.ptr[i - 1] == ')')
			depth++;
		else if (call.ptr[i - 1] == '(' && !--depth)
			break;
	}
	if (i > 1)
		call.len = i - 1;
	return scan_trim(call);
}
