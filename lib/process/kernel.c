/* SPDX-License-Identifier: MIT */
#include "process/kernel.h"

#include <elf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/xalloc.h"

/* From a file of ELF notes, as text; "" when there is none. */
static void
read_build_id(const char *path, char out[129])
{
	unsigned char notes[4096];
	size_t n, at = 0, i;
	FILE *f = fopen(path, "re");

	out[0] = '\0';
	n = f ? fread(notes, 1, sizeof notes, f) : 0;
	if (f)
		fclose(f);
	while (n - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		size_t name, desc;

		memcpy(&h, notes + at, sizeof h);
		at += sizeof h;
		name = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
		if (name > n - at || desc > n - at - name)
			return;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 &&
		    !memcmp(notes + at, "GNU", 4) && h.n_descsz <= 64) {
			for (i = 0; i < h.n_descsz; i++)
				sprintf(out + 2 * i, "%02x",
					notes[at + name + i]);
			return;
		}
		at += name + desc;
	}
}

struct kernel_part *
kernel_add_part(struct kernel *k, struct slice name, uint64_t start,
		uint64_t end)
{
	struct kernel_part *p;
	size_t at = k->n;

	GROW(k->parts, k->cap, k->n + 1);
	for (; at > 1 && k->parts[at - 1].start > start; at--)
		k->parts[at] = k->parts[at - 1];
	k->n++;
	p = &k->parts[at];
	*p = (struct kernel_part){ .start = start, .end = end };
	if (name.len > sizeof p->name - 1)
		name.len = sizeof p->name - 1;
	memcpy(p->name, name.ptr, name.len);
	return p;
}

/* It stands near the top of a long list. */
uint64_t
kernel_text_start(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512], name[128];
	uint64_t addr, start = 0;

	while (f && !start && fgets(line, sizeof line, f))
		if (sscanf(line, "%" SCNx64 " %*c %127s", &addr, name) == 2 &&
		    (!strcmp(name, "_stext") || !strcmp(name, "_text")))
			start = addr;
	if (f)
		fclose(f);
	return start;
}

void
kernel_running_build(char id[129])
{
	read_build_id("/sys/kernel/notes", id);
}

static void
find_kernel(struct kernel *k)
{
	uint64_t start = kernel_text_start("/proc/kallsyms");

	k->hidden = !start;
	kernel_running_build(
		kernel_add_part(k, SLICE_LIT("[kernel]"), start, UINT64_MAX)
			->build_id);
}

static void
find_modules(struct kernel *k)
{
	FILE *f = fopen("/proc/modules", "re");
	char line[1024], name[64], shown[64], path[128];
	uint64_t size, start;

	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%60s %" SCNu64 " %*s %*s %*s 0x%" SCNx64,
			   name, &size, &start) != 3 ||
		    !start)
			continue;
		snprintf(path, sizeof path,
			 "/sys/module/%s/notes/.note.gnu.build-id", name);
		snprintf(shown, sizeof shown, "[%.60s]", name);
		read_build_id(path, kernel_add_part(k, slice_str(shown), start,
						    start + size)
					    ->build_id);
	}
	if (f)
		fclose(f);
}

/* In a thread: that takes the kernel longer than many a program runs. */
static void *
read_symbols(void *ctx)
{
	struct kernel *k = ctx;

	if (k->text_only)
		symbol_table_read_kallsyms_text(&k->symbols, k->path);
	else
		symbol_table_read_kallsyms(&k->symbols, k->path);
	return NULL;
}

void
kernel_read_symbols(struct kernel *k, const char *path)
{
	sigset_t all, old;

	k->path = xstrdup(path);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	k->reading = !pthread_create(&k->reader, NULL, read_symbols, k);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void
kernel_read_running(struct kernel *k)
{
	find_kernel(k);
	find_modules(k);
	if (!k->hidden)
		kernel_read_symbols(k, "/proc/kallsyms");
}

struct kernel_part *
kernel_find(struct kernel *k, uint64_t addr)
{
	size_t lo = 1, hi;

	for (hi = k->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->parts[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < k->n && k->parts[lo].start <= addr)
		return &k->parts[lo];
	return &k->parts[0];
}

struct symbol_table *
kernel_symbols(struct kernel *k)
{
	if (k->reading)
		pthread_join(k->reader, NULL);
	k->reading = false;
	return &k->symbols;
}

void
kernel_free(struct kernel *k)
{
	kernel_symbols(k);
	symbol_table_free(&k->symbols);
	free(k->path);
	free(k->parts);
	*k = (struct kernel){ 0 };
}
