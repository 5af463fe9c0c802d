/* SPDX-License-Identifier: MIT */
#include "record/kernel.h"

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

static struct kernel_part *
add_part(struct kernel *k, const char *name, uint64_t start, uint64_t end)
{
	struct kernel_part *p;

	GROW(k->parts, k->cap, k->n + 1);
	p = &k->parts[k->n++];
	*p = (struct kernel_part){ .start = start, .end = end };
	snprintf(p->name, sizeof p->name, "[%.60s]", name);
	return p;
}

/* The text's start stands near the top of a long list. */
static void
find_kernel(struct kernel *k)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], name[128];
	uint64_t addr, start = 0;
	struct kernel_part *p;

	while (f && !start && fgets(line, sizeof line, f))
		if (sscanf(line, "%" SCNx64 " %*c %127s", &addr, name) == 2 &&
		    (!strcmp(name, "_stext") || !strcmp(name, "_text")))
			start = addr;
	if (f)
		fclose(f);
	k->hidden = !start;
	p = add_part(k, "kernel", start, UINT64_MAX);
	read_build_id("/sys/kernel/notes", p->build_id);
}

static int
compare_parts(const void *pa, const void *pb)
{
	const struct kernel_part *a = pa, *b = pb;

	return (a->start > b->start) - (a->start < b->start);
}

static void
find_modules(struct kernel *k)
{
	FILE *f = fopen("/proc/modules", "re");
	char line[1024], name[64], path[128];
	uint64_t size, start;

	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%60s %" SCNu64 " %*s %*s %*s 0x%" SCNx64,
			   name, &size, &start) != 3 ||
		    !start)
			continue;
		snprintf(path, sizeof path,
			 "/sys/module/%s/notes/.note.gnu.build-id", name);
		read_build_id(path,
			      add_part(k, name, start, start + size)->build_id);
	}
	if (f)
		fclose(f);
	if (k->n > 1)
		qsort(k->parts + 1, k->n - 1, sizeof *k->parts, compare_parts);
}

static void *
read_symbols(void *ctx)
{
	struct kernel *k = ctx;

	symbol_table_read_kallsyms(&k->symbols, "/proc/kallsyms");
	return NULL;
}

static void
start_reading(struct kernel *k)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	k->reading = !k->hidden &&
		     !pthread_create(&k->reader, NULL, read_symbols, k);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct kernel_part *
kernel_find(struct kernel *k, uint64_t addr)
{
	size_t lo = 1, hi;

	if (!k->n) {
		find_kernel(k);
		find_modules(k);
		start_reading(k);
	}
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

const struct symbol_table *
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
	free(k->parts);
	*k = (struct kernel){ 0 };
}
