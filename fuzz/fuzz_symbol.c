/* SPDX-License-Identifier: MIT */
/*
 * Names, lines and inlined calls from hostile ELF files and DWARF, through
 * libelf and libdw. An input: four addresses to ask for, u32 little-endian
 * each; the rest is the file. libdw is not instrumented, but what it is given
 * is what our checks let through.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/msg.h"
#include "symbol/symbol.h"

enum { N_ADDRESSES = 4, HEADER = 4 * N_ADDRESSES, MAX_FRAMES = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct symbol_frame *frames, size_t n, size_t max)
{
	volatile char sink = 0;

	if (!n || n > max || frames[n - 1].inlined)
		abort();
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < frames[i].name.len; k++)
			sink ^= frames[i].name.ptr[k];
		for (size_t k = 0; k < frames[i].file.len; k++)
			sink ^= frames[i].file.ptr[k];
	}
	(void)sink;
}

static void
look_up(struct symbol_module *m, const uint8_t *data)
{
	struct symbol_frame frames[MAX_FRAMES];
	uint32_t addr;

	for (unsigned i = 0; i < N_ADDRESSES; i++) {
		memcpy(&addr, data + sizeof addr * i, sizeof addr);
		check(frames, symbol_lookup(m, addr, frames, MAX_FRAMES),
		      MAX_FRAMES);
		check(frames, symbol_lookup(m, addr, frames, 1), 1);
	}
	symbol_module_problem(m);
	symbol_module_gap(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbol_options opt = { .inlines = true,
				      .lines = true,
				      .no_debuginfod = true };
	struct symbolizer *s;
	char path[64];
	int fd;

	msg_mute();
	if (size < HEADER)
		return 0;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 ||
	    write(fd, data + HEADER, size - HEADER) != (ssize_t)(size - HEADER))
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	s = symbolizer_new(&opt);
	look_up(symbolizer_module(s, slice_str(path), (struct slice){ "", 0 },
				  SYMBOL_BASE_VADDR),
		data);
	look_up(symbolizer_module(s, slice_str(path), (struct slice){ "", 0 },
				  SYMBOL_BASE_OFFSET),
		data);
	symbolizer_free(s);
	close(fd);
	return 0;
}
