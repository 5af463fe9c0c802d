/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/event.h"
#include "record/ring.h"
#include "unwind_capture.h"

enum { MAX_CPUS = 64, RING = 16 << 20, N_REGS = 17 };

/* As lib/record/sample.c: the mask's bits in ascending order. */
static const uint8_t reg_order[N_REGS] = { 0, 3, 2,  1,	 4,  5,	 6,  7, 16,
					   8, 9, 10, 11, 12, 13, 14, 15 };
#define REG_MASK 0xff01ffull

static void
fail(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- the program ---- */

/* Its execve waits for a byte on the pipe returned. */
static int
start(struct capture *c, char **command)
{
	int go[2], null;
	char byte;

	if (pipe2(go, O_CLOEXEC) < 0 || (c->pid = fork()) < 0)
		fail("fork");
	if (c->pid) {
		close(go[0]);
		return go[1];
	}
	close(go[1]);
	null = open("/dev/null", O_RDWR);
	dup2(null, STDOUT_FILENO);
	if (read(go[0], &byte, 1) == 1)
		execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

static int
open_event(int pid, int cpu, unsigned frequency)
{
	struct perf_event_attr attr = {
		.size = sizeof attr,
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_freq = frequency,
		.freq = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_REGS_USER |
			       PERF_SAMPLE_STACK_USER,
		.sample_regs_user = REG_MASK,
		.sample_stack_user = CAPTURE_STACK,
		.disabled = 1,
		.enable_on_exec = 1,
		.inherit = 1,
		.mmap = 1,
		.mmap2 = 1,
	};
	int fd = event_open(&attr, pid, cpu);

	if (fd < 0)
		fail("perf_event_open");
	return fd;
}

/* ---- records ---- */

static void
add_map(struct capture *c, const struct perf_event_header *h)
{
	/* pid, tid, start, size, offset; 24 bytes of inode; flags; path */
	const uint64_t *word = (const void *)(h + 1);
	const char *path = (const char *)(word + 8);
	struct capture_map *m = &c->maps[c->n_maps];

	if ((int)(uint32_t)word[0] != c->pid)
		return;
	if (c->n_maps == CAPTURE_MAPS) {
		fprintf(stderr, "more mappings than there is room for\n");
		exit(2);
	}
	m->start = word[1];
	m->end = word[1] + word[2];
	m->offset = word[3];
	snprintf(m->path, sizeof m->path, "%s", path);
	for (unsigned i = 0; i < c->n_maps; i++)
		if (m->start < c->maps[i].end && c->maps[i].start < m->end) {
			fprintf(stderr, "%s lies where %s was\n", path,
				c->maps[i].path);
			exit(2);
		}
	c->n_maps++;
}

static void
add_sample(struct capture *c, const struct perf_event_header *h)
{
	/* pid and tid; abi, registers; size, bytes, how many are true */
	const uint64_t *word = (const void *)(h + 1);
	struct capture_sample *s = &c->samples[c->n];
	uint64_t size;

	if ((int)(uint32_t)word[0] != c->pid || word[1] != 2 || c->n == c->max)
		return;
	for (unsigned i = 0; i < N_REGS; i++)
		s->regs.reg[reg_order[i]] = word[2 + i];
	s->regs.known = (1u << UNWIND_NREGS) - 1;
	word += 2 + N_REGS;
	size = word[0];
	s->stack.size = size ? word[1 + size / 8] : 0;
	if (!s->stack.size) /* in the middle of its end */
		return;
	s->stack.addr = s->regs.reg[UNWIND_RSP];
	s->stack.bytes = memcpy(malloc(s->stack.size), word + 1, s->stack.size);
	c->n++;
}

static void
drain(struct capture *c, struct ring *ring)
{
	const struct perf_event_header *h;

	ring_refresh(ring);
	while ((h = ring_peek(ring))) {
		if (h->type == PERF_RECORD_MMAP2)
			add_map(c, h);
		else if (h->type == PERF_RECORD_SAMPLE)
			add_sample(c, h);
		ring_consume(ring, h);
	}
}

/* ---- modules ---- */

static uint32_t
find_module(struct capture *c, const char *path)
{
	struct test_module *m = &c->modules[c->n_modules];

	if (path[0] != '/' && strcmp(path, "[vdso]") != 0)
		return TEST_JIT;
	if (strncmp(path, "//", 2) == 0)
		return TEST_JIT;
	for (uint32_t i = 0; i < c->n_modules; i++)
		if (strcmp(c->modules[i].path, path) == 0)
			return i;
	if (path[0] == '[')
		test_module_open_vdso(m);
	else
		test_module_open(m, path);
	return c->n_modules++;
}

static void
find_modules(struct capture *c)
{
	for (unsigned i = 0; i < c->n_maps; i++) {
		struct capture_map *map = &c->maps[i];
		uint64_t addr;

		map->module = find_module(c, map->path);
		if (map->module != TEST_JIT &&
		    unwind_elf_offset_to_addr(&c->modules[map->module].elf,
					      map->offset, &addr))
			map->bias = map->start - addr;
	}
}

bool
capture_lookup(void *ctx, uint64_t pc, struct unwind_code *code)
{
	const struct capture *c = ctx;

	for (unsigned i = 0; i < c->n_maps; i++) {
		const struct capture_map *m = &c->maps[i];

		if (pc < m->start || pc >= m->end)
			continue;
		code->cfi = m->module == TEST_JIT ? NULL
						  : &c->modules[m->module].cfi;
		code->bias = m->bias;
		code->module = m->module;
		return true;
	}
	return false;
}

void
capture_program(struct capture *c, char **command, size_t max,
		unsigned frequency)
{
	int n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), go, i;
	struct ring rings[MAX_CPUS];
	int fds[MAX_CPUS];
	bool ended = false;

	memset(c, 0, sizeof *c);
	c->max = max;
	c->samples = calloc(max, sizeof *c->samples);
	go = start(c, command);
	for (i = 0; i < n_cpus && i < MAX_CPUS; i++) {
		fds[i] = open_event(c->pid, i, frequency);
		if (!ring_open(&rings[i], fds[i], RING))
			fail("mmap");
	}
	n_cpus = i;
	if (write(go, "", 1) != 1)
		fail("write");
	close(go);
	while (!ended) {
		ended = waitpid(c->pid, NULL, WNOHANG) == c->pid;
		for (i = 0; i < n_cpus; i++)
			drain(c, &rings[i]);
		if (!ended && c->n == max)
			kill(c->pid, SIGKILL);
		poll(NULL, 0, 5);
	}
	for (i = 0; i < n_cpus; i++) {
		ring_close(&rings[i]);
		close(fds[i]);
	}
	find_modules(c);
}
