/* SPDX-License-Identifier: MIT */
#include "import/text/perf_line.h"

#include "base/number.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice
skip_blanks(struct slice s)
{
	while (s.len && is_blank(*s.ptr)) {
		s.ptr++;
		s.len--;
	}
	return s;
}

static struct slice
trim_end(struct slice s)
{
	while (s.len &&
	       (is_blank(s.ptr[s.len - 1]) || s.ptr[s.len - 1] == '\r'))
		s.len--;
	return s;
}

static struct slice
behind(struct slice s, size_t n)
{
	return (struct slice){ s.ptr + n, s.len - n };
}

/* S up to a blank or its end. */
static struct slice
first_word(struct slice s)
{
	size_t n = 0;

	while (n < s.len && !is_blank(s.ptr[n]))
		n++;
	return (struct slice){ s.ptr, n };
}

static size_t
count_digits(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_digit(s.ptr[n]))
		n++;
	return n;
}

/* ---- event lines ---- */

/* A pid or a tid; perf says -1 where there is none. Returns its length. */
static size_t
parse_id(struct slice s, uint64_t *id)
{
	size_t n;

	if (s.len >= 2 && s.ptr[0] == '-' && s.ptr[1] == '1') {
		*id = UINT64_MAX;
		return 2;
	}
	n = count_digits(s);
	return n && parse_u64((struct slice){ s.ptr, n }, id) ? n : 0;
}

/* PID/TID or TID, a word of its own. */
static bool
parse_thread(struct slice word, struct perf_event *e)
{
	size_t n = parse_id(word, &e->tid);

	e->pid = UINT64_MAX;
	if (n && n == word.len)
		return true;
	if (!n || word.ptr[n] != '/')
		return false;
	e->pid = e->tid;
	word = behind(word, n + 1);
	n = parse_id(word, &e->tid);
	return n && n == word.len;
}

/* SECONDS.FRACTION: as nanoseconds; the length with its colon. */
static size_t
parse_time(struct slice s, uint64_t *time)
{
	size_t n = count_digits(s), i, m;
	uint64_t seconds, fraction = 0;

	if (!n || n == s.len || s.ptr[n] != '.' ||
	    !parse_u64((struct slice){ s.ptr, n }, &seconds) ||
	    seconds > UINT64_MAX / 1000000000 - 1)
		return 0;
	n++;
	m = count_digits(behind(s, n));
	if (!m || n + m == s.len || s.ptr[n + m] != ':')
		return 0;
	for (i = 0; i < 9; i++)
		fraction = fraction * 10 +
			   (i < m ? (unsigned)(s.ptr[n + i] - '0') : 0);
	*time = seconds * 1000000000 + fraction;
	return n + m + 1;
}

/* [CPU]: its length. */
static size_t
parse_cpu(struct slice s)
{
	size_t n;

	if (!s.len || *s.ptr != '[')
		return 0;
	n = count_digits(behind(s, 1));
	return n && n + 1 < s.len && s.ptr[n + 1] == ']' ? n + 2 : 0;
}

/* PERIOD EVENT: and what follows; each may be missing. */
static void
parse_name(struct slice s, struct perf_event *e)
{
	struct slice word = first_word(s = skip_blanks(s)), next;

	e->period = 0;
	e->name = (struct slice){ s.ptr, 0 };
	e->rest = s;
	if (count_digits(word) == word.len && word.len) {
		next = first_word(s = skip_blanks(behind(s, word.len)));
		if (next.len && next.ptr[next.len - 1] != ':')
			return; /* the pc of a frame */
		parse_value(word, &e->period);
		e->rest = s;
		word = next;
	}
	if (word.len < 2 || word.ptr[word.len - 1] != ':')
		return;
	e->name = (struct slice){ word.ptr, word.len - 1 };
	e->rest = behind(s, word.len);
}

/* A frame with a module on an event line. */
static bool
is_frame(struct slice s)
{
	struct perf_frame f;

	return perf_frame_parse(s, &f) && f.dso.len;
}

/* Between the cpu and the time: perf's letters for the context. */
static size_t
skip_letters(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] >= 'A' && s.ptr[n] <= 'z')
		n++;
	return n <= 8 ? n : 0;
}

/*
 * What follows the thread. LONE: that was no pair of numbers, and may be part
 * of the thread's name.
 */
static enum perf_sureness
parse_tail(struct slice s, bool lone, struct perf_event *e)
{
	size_t cpu, n;
	bool said;

	s = skip_blanks(s);
	cpu = parse_cpu(s);
	s = skip_blanks(behind(s, cpu));
	n = parse_time(s, &e->time);
	if (!n) {
		struct slice t = skip_blanks(behind(s, skip_letters(s)));

		n = parse_time(t, &e->time);
		s = n ? t : s;
	}
	if (!n)
		e->time = UINT64_MAX;
	parse_name(behind(s, n), e);
	e->is_sample = !slice_starts(e->rest, "PERF_RECORD_") &&
		       !slice_starts(e->name, "PERF_RECORD_");
	said = !lone || !e->rest.len || is_frame(e->rest) ||
	       memchr(e->name.ptr, ':', e->name.len);
	if (n || cpu || (e->name.len && said))
		return PERF_SURE;
	return said ? PERF_MAYBE : PERF_NO;
}

/* The first number that is followed by what follows a thread is its id, else
 * the first that may be. */
enum perf_sureness
perf_event_parse(struct slice line, struct perf_event *e)
{
	struct slice s = skip_blanks(line = trim_end(line));
	const char *begin = s.ptr;
	enum perf_sureness found = PERF_NO, sure;

	while (s.len && found != PERF_SURE) {
		struct slice word = first_word(s);
		struct perf_event try;

		s = skip_blanks(behind(s, word.len));
		if (!(is_digit(*word.ptr) || *word.ptr == '-') ||
		    !parse_thread(word, &try))
			continue;
		try.comm = trim_end(
			(struct slice){ begin, (size_t)(word.ptr - begin) });
		sure = parse_tail(s, try.pid == UINT64_MAX, &try);
		if (sure > found && (try.comm.len || sure == PERF_SURE)) {
			found = sure;
			*e = try;
		}
	}
	return found;
}

/* ---- frames ---- */

/*
 * Where the module at the end of S begins, at its parenthesis: the partner of
 * the last one, which has a blank in front of it. S.len when there is none.
 */
static size_t
find_dso(struct slice s)
{
	size_t i = s.len, depth = 0;

	if (!s.len || s.ptr[s.len - 1] != ')')
		return s.len;
	while (i-- > 0) {
		if (s.ptr[i] == ')') {
			depth++;
		} else if (s.ptr[i] == '(' && depth) {
			depth--;
			if (!depth)
				break;
		}
	}
	if (!depth && i < s.len && (i == 0 || is_blank(s.ptr[i - 1])))
		return i;
	/* A module with a parenthesis in its path. */
	for (i = s.len; i-- > 1;)
		if (s.ptr[i] == '(' && is_blank(s.ptr[i - 1]))
			return i;
	return s.len;
}

static struct slice
without_offset(struct slice name)
{
	size_t n = name.len;

	while (n && is_hex(name.ptr[n - 1]))
		n--;
	if (n >= 3 && n < name.len && !memcmp(name.ptr + n - 3, "+0x", 3))
		name.len = n - 3;
	return name;
}

bool
perf_frame_parse(struct slice line, struct perf_frame *f)
{
	struct slice s = skip_blanks(trim_end(line));
	size_t n = 0, dso;

	while (n < s.len && is_hex(s.ptr[n]))
		n++;
	if (!n || n > 16 || (n < s.len && !is_blank(s.ptr[n])))
		return false;
	f->pc = (struct slice){ s.ptr, n };
	s = skip_blanks(behind(s, n));
	dso = find_dso(s);
	f->name = without_offset(trim_end((struct slice){ s.ptr, dso }));
	f->dso = (struct slice){ s.ptr + dso, 0 };
	if (dso < s.len)
		f->dso = (struct slice){ s.ptr + dso + 1, s.len - dso - 2 };
	return true;
}
