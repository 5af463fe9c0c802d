/* SPDX-License-Identifier: MIT */
#include "record/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/number.h"
#include "base/xalloc.h"

struct event_type {
	const char *name, *alias;
	uint32_t type;
	uint64_t config;
	const char *unit, *what;
};

#define HARDWARE(name, alias, config, what)                              \
	{                                                                \
		name, alias, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##config, \
			"count", what                                    \
	}
#define SOFTWARE(name, alias, config, unit, what)                              \
	{                                                                      \
		name, alias, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##config, unit, \
			what                                                   \
	}

static const struct event_type event_types[] = {
	HARDWARE("cycles", "cpu-cycles", CPU_CYCLES, "processor cycles"),
	HARDWARE("instructions", NULL, INSTRUCTIONS, "instructions retired"),
	HARDWARE("cache-references", NULL, CACHE_REFERENCES,
		 "last-level cache accesses"),
	HARDWARE("cache-misses", NULL, CACHE_MISSES, "last-level cache misses"),
	HARDWARE("branches", "branch-instructions", BRANCH_INSTRUCTIONS,
		 "branch instructions"),
	HARDWARE("branch-misses", NULL, BRANCH_MISSES, "mispredicted branches"),
	HARDWARE("bus-cycles", NULL, BUS_CYCLES, "bus cycles"),
	HARDWARE("ref-cycles", NULL, REF_CPU_CYCLES,
		 "cycles at the nominal frequency"),
	HARDWARE("stalled-cycles-frontend", "idle-cycles-frontend",
		 STALLED_CYCLES_FRONTEND, "cycles waiting for instructions"),
	HARDWARE("stalled-cycles-backend", "idle-cycles-backend",
		 STALLED_CYCLES_BACKEND, "cycles waiting for data or units"),
	SOFTWARE("cpu-clock", NULL, CPU_CLOCK, "ns",
		 "processor time, by a timer"),
	SOFTWARE("task-clock", NULL, TASK_CLOCK, "ns",
		 "processor time of the task"),
	SOFTWARE("page-faults", "faults", PAGE_FAULTS, "count", "page faults"),
	SOFTWARE("minor-faults", NULL, PAGE_FAULTS_MIN, "count",
		 "page faults without input or output"),
	SOFTWARE("major-faults", NULL, PAGE_FAULTS_MAJ, "count",
		 "page faults that read from a device"),
	SOFTWARE("context-switches", "cs", CONTEXT_SWITCHES, "count",
		 "times a thread left a processor"),
	SOFTWARE("cpu-migrations", "migrations", CPU_MIGRATIONS, "count",
		 "times a thread changed processors"),
	SOFTWARE("alignment-faults", NULL, ALIGNMENT_FAULTS, "count",
		 "misaligned accesses the kernel mended"),
	SOFTWARE("emulation-faults", NULL, EMULATION_FAULTS, "count",
		 "instructions the kernel emulated"),
};
enum { N_TYPES = sizeof event_types / sizeof *event_types };

/* ---- cache events: CACHE-OPERATION, CACHE-OPERATION-misses ---- */

static const struct cache {
	const char *name, *alias, *what;
} caches[] = {
	{ "L1-dcache", "L1d", "first-level data cache" },
	{ "L1-icache", "L1i", "first-level instruction cache" },
	{ "LLC", "LL", "last-level cache" },
	{ "dTLB", NULL, "address translation of data" },
	{ "iTLB", NULL, "address translation of instructions" },
	{ "branch", NULL, "branch prediction" },
	{ "node", NULL, "memory of the processor's own node" },
};
enum { N_CACHES = sizeof caches / sizeof *caches };

static const struct cache_op {
	const char *accesses, *misses;
} cache_ops[] = {
	{ "loads", "load-misses" },
	{ "stores", "store-misses" },
	{ "prefetches", "prefetch-misses" },
};
enum { N_OPS = sizeof cache_ops / sizeof *cache_ops };

static uint64_t
cache_config(unsigned cache, unsigned op, bool misses)
{
	return cache | op << 8 | (misses ? 1u << 16 : 0);
}

/* WORD's part behind the cache's NAME and a hyphen, or NULL. */
static const char *
behind_cache(const char *word, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return n && !strncmp(word, name, n) && word[n] == '-' ? word + n + 1
							      : NULL;
}

static bool
find_cache_event(const char *word, struct event_spec *out)
{
	unsigned cache, op;

	for (cache = 0; cache < N_CACHES; cache++) {
		const char *rest = behind_cache(word, caches[cache].name);

		if (!rest)
			rest = behind_cache(word, caches[cache].alias);
		for (op = 0; rest && op < N_OPS; op++) {
			bool misses = !strcmp(rest, cache_ops[op].misses);

			if (!misses && strcmp(rest, cache_ops[op].accesses))
				continue;
			out->type = PERF_TYPE_HW_CACHE;
			out->config = cache_config(cache, op, misses);
			return true;
		}
	}
	return false;
}

/* ---- names ---- */

static bool
find_type(const char *word, struct event_spec *out)
{
	const struct event_type *e;

	for (e = event_types; e < event_types + N_TYPES; e++)
		if (!strcmp(e->name, word) ||
		    (e->alias && !strcmp(e->alias, word))) {
			out->type = e->type;
			out->config = e->config;
			out->unit = e->unit;
			return true;
		}
	return false;
}

/* r1a8: a code of the processor's own manual. */
static bool
find_raw(const char *word, struct event_spec *out)
{
	out->type = PERF_TYPE_RAW;
	return word[0] == 'r' && parse_hex(slice_str(word + 1), &out->config);
}

static bool
find_word(const char *word, struct event_spec *out)
{
	return find_type(word, out) || find_cache_event(word, out) ||
	       find_raw(word, out);
}

/* Takes :u, :k or :uk off the end of WORD. */
static void
take_modifiers(char *word, struct event_spec *out)
{
	char *colon = strrchr(word, ':');
	bool user, kernel;

	if (!colon || !colon[1] || colon[1 + strspn(colon + 1, "uk")])
		return;
	user = strchr(colon, 'u');
	kernel = strchr(colon, 'k');
	out->exclude_user = !user;
	out->exclude_kernel = !kernel;
	*colon = '\0';
}

/* Something else behind the colon of an event that is known, or behind a
 * tracepoint's second one. */
static bool
has_wrong_modifier(const char *word)
{
	const char *colon = strrchr(word, ':');
	struct event_spec known;
	char *front;
	bool wrong;

	if (!colon)
		return false;
	front = xmemdup0(word, (size_t)(colon - word));
	wrong = strchr(front, ':') || find_word(front, &known);
	free(front);
	return wrong;
}

bool
event_parse(const char *name, struct event_spec *out, struct buf *why)
{
	char *word = xstrdup(name);
	bool found;

	*out = (struct event_spec){ .unit = "count" };
	take_modifiers(word, out);
	found = find_word(word, out);
	if (!found && has_wrong_modifier(word)) {
		buf_printf(why,
			   "'%s' is no modifier: there are :u and :k, which "
			   "leave the kernel or the program out",
			   strrchr(word, ':'));
	} else if (!found && strchr(word, ':')) {
		out->type = PERF_TYPE_TRACEPOINT;
		found = tracepoint_find(word, &out->config, why);
		if (found && out->exclude_kernel) {
			buf_printf(why,
				   "'%s' leaves the kernel out, where "
				   "tracepoints lie",
				   name);
			found = false;
		}
	} else if (!found) {
		buf_printf(why, "there is no event '%s'; '-e list' shows all",
			   name);
	}
	free(word);
	if (found)
		out->name = xstrdup(name);
	return found;
}

/* ---- the kernel ---- */

int
event_open(const struct perf_event_attr *attr, pid_t tid, int cpu)
{
	return (int)syscall(SYS_perf_event_open, attr, tid, cpu, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

static bool
is_available(uint32_t type, uint64_t config)
{
	struct perf_event_attr attr = { .size = sizeof attr,
					.type = type,
					.config = config,
					.sample_period = 1000003,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1 };
	int fd = event_open(&attr, 0, -1);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void
list_event(const char *name, bool available, const char *what, const char *more)
{
	printf("%-26s %-13s %s%s\n", name,
	       available ? "available" : "not available", what, more);
}

static void
list_cache_event(unsigned cache, unsigned op, bool misses)
{
	char name[64];

	snprintf(name, sizeof name, "%s-%s", caches[cache].name,
		 misses ? cache_ops[op].misses : cache_ops[op].accesses);
	list_event(name,
		   is_available(PERF_TYPE_HW_CACHE,
				cache_config(cache, op, misses)),
		   caches[cache].what, misses ? ": misses" : "");
}

void
event_list(void)
{
	const struct event_type *e;
	unsigned cache, op;

	for (e = event_types; e < event_types + N_TYPES; e++)
		list_event(e->name, is_available(e->type, e->config), e->what,
			   "");
	for (cache = 0; cache < N_CACHES; cache++)
		for (op = 0; op < N_OPS; op++) {
			list_cache_event(cache, op, false);
			list_cache_event(cache, op, true);
		}
	tracepoint_list();
}
