/* SPDX-License-Identifier: MIT */
#include "process/process.h"

#include <stdlib.h>
#include "base/msg.h"
#include "base/xalloc.h"

struct process *
process_find(const struct processes *t, pid_t pid)
{
	uint32_t *index = map_find(&t->by_pid, (uint32_t)pid);

	return index && !t->list[*index]->stranger ? t->list[*index] : NULL;
}

static uint64_t
thread_key(const struct process *p, pid_t tid)
{
	return (uint64_t)(uint32_t)p->pid << 32 | (uint32_t)tid;
}

static void
new_space(struct processes *t, struct process *p)
{
	p->space = ++t->last_space;
}

/* ---- the memory of mappings ---- */

static void
unmap_all(struct processes *t, struct process *p)
{
	if (!p->sharers || !--*p->sharers) {
		t->n_maps -= p->cap_maps;
		free(p->maps);
		free(p->sharers);
	}
	p->sharers = NULL;
	p->maps = NULL;
	p->n_maps = p->cap_maps = 0;
}

/* Said once. */
static bool
leave_out(struct processes *t, const struct process *p)
{
	if (t->full)
		return false;
	t->full = true;
	if (t->n_maps < PROCESSES_MAX_MAPS)
		warning("process %d has more than %d executable mappings: "
			"functions in those beyond have no names",
			(int)p->pid, PROCESS_MAX_MAPS);
	else
		warning("the processes have more than %d executable mappings: "
			"functions in those beyond have no names",
			PROCESSES_MAX_MAPS);
	return false;
}

/* Room in P's own memory for MORE than it has; false when that is too much. */
static bool
make_room(struct processes *t, struct process *p, size_t more)
{
	size_t cap = p->cap_maps;

	if (p->n_maps + more > PROCESS_MAX_MAPS ||
	    (p->n_maps + more > cap && t->n_maps >= PROCESSES_MAX_MAPS))
		return leave_out(t, p);
	GROW(p->maps, p->cap_maps, p->n_maps + more);
	t->n_maps += p->cap_maps - cap;
	return true;
}

/* P's mappings are nobody else's from here on. Where there is no room for a
 * copy, it has none. */
static bool
own_mappings(struct processes *t, struct process *p)
{
	const struct mapping *shared = p->maps;
	size_t n = p->n_maps;

	if (!p->sharers || *p->sharers == 1)
		return true;
	unmap_all(t, p);
	if (!make_room(t, p, n))
		return false;
	memcpy(p->maps, shared, n * sizeof *shared);
	p->n_maps = n;
	return true;
}

/* ---- processes ---- */

struct process *
process_start(struct processes *t, pid_t pid, pid_t ppid, struct slice name)
{
	bool added;
	uint32_t *index = map_put(&t->by_pid, (uint32_t)pid, &added);
	struct process *p;

	if (added) {
		GROW(t->list, t->cap, t->n + 1);
		t->list[t->n] = xcalloc(1, sizeof *p);
		*index = (uint32_t)t->n++;
	}
	p = t->list[*index];
	p->pid = pid;
	p->ppid = ppid;
	p->started = p->stranger = false;
	unmap_all(t, p);
	process_exec(t, p, name);
	return p;
}

/* Both have the same mappings until one of them maps something, or is told
 * that it has another image. */
static void
share_mappings(struct process *p, struct process *parent)
{
	if (!parent->n_maps)
		return;
	if (!parent->sharers) {
		parent->sharers = xcalloc(1, sizeof *parent->sharers);
		*parent->sharers = 1;
	}
	++*parent->sharers;
	p->sharers = parent->sharers;
	p->maps = parent->maps;
	p->n_maps = parent->n_maps;
	p->cap_maps = parent->cap_maps;
}

struct process *
process_fork(struct processes *t, struct process *parent, pid_t tid,
	     pid_t child)
{
	struct slice name =
		intern_get(&t->names, process_thread_name(t, parent, tid));
	struct process *p;

	/* as only a damaged recording says */
	if (parent->pid == child)
		return parent;
	p = process_start(t, child, parent->pid, name);
	/* CLONE_VM aside, a copy; until one of them maps something, both may
	 * share what the unwinder's cache knows. */
	share_mappings(p, parent);
	p->execs = parent->execs;
	p->space = parent->space;
	return p;
}

void
process_forget(struct processes *t, pid_t pid)
{
	struct process *p = process_find(t, pid);

	if (!p)
		return;
	unmap_all(t, p);
	p->threads = 0;
	p->stranger = true;
}

/* Those mappings that are not the last image's. */
static void
drop_older_image(struct processes *t, struct process *p)
{
	size_t i, kept = 0;

	for (i = 0; i < p->n_maps && p->maps[i].execs == p->execs; i++)
		;
	if (i == p->n_maps || !own_mappings(t, p))
		return;
	for (i = 0; i < p->n_maps; i++)
		if (p->maps[i].execs == p->execs)
			p->maps[kept++] = p->maps[i];
	p->n_maps = kept;
}

void
process_exec(struct processes *t, struct process *p, struct slice name)
{
	p->name = intern_add(&t->names, name);
	drop_older_image(t, p);
	p->execs++;
	p->image = ++t->last_image;
	p->threads = 0;
	process_add_thread(t, p, p->pid);
	new_space(t, p);
	process_forget_thread(t, p, p->pid);
}

/* ---- mappings ---- */

static size_t
first_ending_behind(const struct process *p, uint64_t addr)
{
	size_t lo = 0, hi = p->n_maps;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->maps[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Moves the mappings from FROM on to TO. */
static void
shift_mappings(struct process *p, size_t to, size_t from)
{
	if (p->n_maps > from)
		memmove(p->maps + to, p->maps + from,
			(p->n_maps - from) * sizeof *p->maps);
	p->n_maps += to - from;
}

/* There is room. */
static void
insert_mapping(struct process *p, size_t at, struct mapping m)
{
	shift_mappings(p, at + 1, at);
	p->maps[at] = m;
}

/* Removes START to END from what is mapped; returns where a mapping of that
 * range belongs. */
static size_t
punch_hole(struct process *p, uint64_t start, uint64_t end)
{
	size_t at = first_ending_behind(p, start), last;

	if (at < p->n_maps && p->maps[at].start < start) {
		struct mapping tail = p->maps[at];

		p->maps[at].end = start;
		at++;
		if (tail.end > end) {
			tail.offset += end - tail.start;
			tail.start = end;
			insert_mapping(p, at, tail);
		}
	}
	for (last = at; last < p->n_maps && p->maps[last].end <= end; last++)
		;
	shift_mappings(p, at, last);
	if (at < p->n_maps && p->maps[at].start < end) {
		p->maps[at].offset += end - p->maps[at].start;
		p->maps[at].start = end;
	}
	return at;
}

enum { ENDED_KEPT = 256 };

void
process_end(struct processes *t, const struct process *p)
{
	struct process *old;

	if (t->n_ended < ENDED_KEPT) {
		GROW(t->ended, t->cap_ended, ENDED_KEPT);
		t->ended[t->n_ended++] = p->pid;
		return;
	}
	old = process_find(t, t->ended[t->next_ended]);
	if (old && !old->threads)
		unmap_all(t, old);
	t->ended[t->next_ended] = p->pid;
	t->next_ended = (t->next_ended + 1) % ENDED_KEPT;
}

/* Anonymous executable memory holds code made at run time; so does what is
 * mapped from a memory file or a shared anonymous mapping. */
static bool
is_anonymous(struct slice path)
{
	return !path.len || slice_starts(path, "//anon") ||
	       slice_starts(path, "/anon_hugepage") ||
	       slice_starts(path, "/dev/zero") ||
	       slice_starts(path, "/memfd:") || slice_starts(path, "/SYSV") ||
	       path.ptr[0] != '/';
}

static uint32_t
mapped_module(struct processes *t, const struct process *p,
	      const struct module_key *key)
{
	if (slice_is(key->path, "[vdso]"))
		return module_find_vdso(&t->modules);
	if (is_anonymous(key->path))
		return module_find_jit(&t->modules, p->pid, p->image);
	return module_find_file(&t->modules, key);
}

void
process_map(struct processes *t, struct process *p, uint64_t start,
	    uint64_t size, uint64_t offset, const struct module_key *key)
{
	struct mapping m = { start, start + size, offset, 0, p->execs };

	if (m.end <= start)
		return;
	own_mappings(t, p);
	/* itself, and the rest of what it may lie amidst */
	if (!make_room(t, p, 2))
		return;
	m.module = mapped_module(t, p, key);
	insert_mapping(p, punch_hole(p, start, m.end), m);
	new_space(t, p);
}

const struct mapping *
process_find_mapping(const struct process *p, uint64_t addr)
{
	size_t at = first_ending_behind(p, addr);

	if (at == p->n_maps || p->maps[at].start > addr)
		return NULL;
	return &p->maps[at];
}

/* ---- threads and their names ---- */

bool
process_add_thread(struct processes *t, struct process *p, pid_t tid)
{
	uint32_t *image = map_put(&t->alive, thread_key(p, tid), NULL);

	if (*image == p->image)
		return false;
	*image = p->image;
	p->threads++;
	return true;
}

bool
process_has_thread(const struct processes *t, const struct process *p,
		   pid_t tid)
{
	uint32_t *image = map_find(&t->alive, thread_key(p, tid));

	return image && *image == p->image;
}

bool
process_end_thread(struct processes *t, struct process *p, pid_t tid)
{
	bool had = process_has_thread(t, p, tid);

	map_remove(&t->alive, thread_key(p, tid));
	p->threads -= had;
	return had;
}

uint32_t
process_thread_name(const struct processes *t, const struct process *p,
		    pid_t tid)
{
	uint32_t *name = map_find(&t->threads, thread_key(p, tid));

	return name ? *name : p->name;
}

void
process_name_thread(struct processes *t, const struct process *p, pid_t tid,
		    uint32_t name)
{
	*map_put(&t->threads, thread_key(p, tid), NULL) = name;
}

void
process_forget_thread(struct processes *t, const struct process *p, pid_t tid)
{
	map_remove(&t->threads, thread_key(p, tid));
}

void
processes_forget_names(struct processes *t)
{
	struct intern old = t->names;
	size_t i;

	t->names = (struct intern){ 0 };
	for (i = 0; i < t->n; i++)
		t->list[i]->name = intern_add(
			&t->names, intern_get(&old, t->list[i]->name));
	for (i = 0; t->threads.n && i <= t->threads.mask; i++) {
		struct map_entry *e = &t->threads.entries[i];

		if (e->used)
			e->value = intern_add(&t->names,
					      intern_get(&old, e->value));
	}
	intern_free(&old);
}

void
processes_free(struct processes *t)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		unmap_all(t, t->list[i]);
		free(t->list[i]);
	}
	free(t->list);
	free(t->ended);
	map_free(&t->by_pid);
	map_free(&t->threads);
	map_free(&t->alive);
	intern_free(&t->names);
	modules_free(&t->modules);
	*t = (struct processes){ 0 };
}
