/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "unwind_process.h"

struct test_module test_modules[64];
unsigned test_n_modules;
uint64_t test_jit;

static void
fail(const char *path)
{
	perror(path);
	exit(2);
}

static bool
read_memory(void *ctx, uint64_t offset, void *to, size_t n)
{
	const struct test_module *m = ctx;

	if (offset > m->size || n > m->size - offset)
		return false;
	memcpy(to, m->bytes + offset, n);
	return true;
}

static struct unwind_section
section(const struct test_module *m, const struct unwind_range *r)
{
	struct unwind_section s = { NULL, 0, r->addr };

	if (r->offset <= m->size && r->size <= m->size - r->offset) {
		s.bytes = m->bytes + r->offset;
		s.size = r->size;
	}
	return s;
}

static void
index_fdes(struct unwind_cfi *cfi)
{
	size_t n = unwind_build_index(cfi, NULL, 0);
	struct unwind_index *index = calloc(n + 1, sizeof *index);

	cfi->n_index = unwind_build_index(cfi, index, n);
	cfi->index = index;
}

static void
load_cfi(struct test_module *m)
{
	if (!unwind_elf_read(read_memory, m, &m->elf)) {
		fprintf(stderr, "%s: not an x86-64 ELF file\n", m->path);
		exit(2);
	}
	m->cfi.hdr = section(m, &m->elf.hdr);
	m->cfi.frame = section(m, &m->elf.frame);
	if (!unwind_has_table(&m->cfi))
		index_fdes(&m->cfi);
	if (!m->elf.debug_frame.size || m->elf.debug_frame_packed)
		return;
	m->debug.frame = section(m, &m->elf.debug_frame);
	m->debug.debug_frame = true;
	index_fdes(&m->debug);
	m->cfi.next = &m->debug;
}

void
test_module_open(struct test_module *m, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;

	memset(m, 0, sizeof *m);
	snprintf(m->path, sizeof m->path, "%s", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		fail(path);
	m->size = (size_t)st.st_size;
	bytes = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		fail(path);
	close(fd);
	m->bytes = bytes;
	load_cfi(m);
}

void
test_module_close(struct test_module *m)
{
	free((void *)m->cfi.index);
	free((void *)m->debug.index);
	munmap((void *)m->bytes, m->size);
}

void
test_module_open_vdso(struct test_module *m)
{
	/* The image ends with the section headers. */
	const ElfW(Ehdr) *eh = (const void *)getauxval(AT_SYSINFO_EHDR);

	memset(m, 0, sizeof *m);
	strcpy(m->path, "[vdso]");
	m->bytes = (const void *)eh;
	m->size = eh->e_shoff + (size_t)eh->e_shnum * eh->e_shentsize;
	load_cfi(m);
}

static int
add_module(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct test_module *m = &test_modules[test_n_modules++];
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	const char *name = info->dlpi_name;

	(void)size;
	(void)ctx;
	if (info->dlpi_addr == vdso)
		test_module_open_vdso(m);
	else
		test_module_open(m, *name ? name : "/proc/self/exe");
	m->bias = info->dlpi_addr;
	return 0;
}

void
test_find_modules(void)
{
	test_n_modules = 0;
	dl_iterate_phdr(add_module, NULL);
}

static bool
is_code(const struct test_module *m, uint64_t addr)
{
	for (unsigned i = 0; i < m->elf.n_load; i++) {
		const struct unwind_segment *s = &m->elf.load[i];

		if (s->flags & PF_X && addr - s->addr < s->memsz)
			return true;
	}
	return false;
}

bool
test_lookup(void *ctx, uint64_t pc, struct unwind_code *code)
{
	(void)ctx;
	for (unsigned i = 0; i < test_n_modules; i++) {
		const struct test_module *m = &test_modules[i];

		if (!is_code(m, pc - m->bias))
			continue;
		code->cfi = &m->cfi;
		code->bias = m->bias;
		code->module = i;
		return true;
	}
	*code = (struct unwind_code){ .cfi = NULL, .module = TEST_JIT };
	return test_jit && pc - test_jit < 4096;
}

uint64_t
test_end_of_stack(uint64_t sp)
{
	static uint64_t end;
	char line[512];
	FILE *f;
	unsigned long low, high;

	if (end)
		return end;
	f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%lx-%lx", &low, &high) == 2 && sp >= low &&
		    sp < high)
			end = high;
	if (f)
		fclose(f);
	return end;
}

void
test_regs_of_context(const ucontext_t *uc, struct unwind_regs *regs)
{
	static const uint8_t order[] = UNWIND_UC_ORDER;

	regs->known = 0;
	for (unsigned i = 0; i < sizeof order; i++) {
		regs->reg[order[i]] = (uint64_t)uc->uc_mcontext.gregs[i];
		regs->known |= 1u << order[i];
	}
}

void
test_use_stack(void *stack, size_t size)
{
	stack_t ss = { .ss_sp = stack, .ss_size = size };

	sigaltstack(&ss, NULL);
}

void
test_handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn,
				.sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &sa, NULL);
}
