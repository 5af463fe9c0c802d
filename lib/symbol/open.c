/* SPDX-License-Identifier: MIT */
#include "symbol/open.h"

#include <fcntl.h>
#include "symbol/files.h"

/* F is closed, but for the descriptor that is returned. */
static int
keep_descriptor(struct elf_file *f)
{
	int fd = f->elf ? fcntl(f->fd, F_DUPFD_CLOEXEC, 0) : -1;

	elf_file_close(f);
	return fd;
}

int
symbol_open_module(const struct symbol_options *opt, struct slice path,
		   struct slice build_id, enum symbol_problem *why)
{
	struct elf_file f;

	elf_version(EV_CURRENT);
	*why = find_module_file(&f, opt, path, build_id);
	return *why ? -1 : keep_descriptor(&f);
}

int
symbol_open_debug(const struct symbol_options *opt, struct slice path,
		  struct slice build_id)
{
	struct fetcher *nobody = fetcher_new(false);
	struct elf_file f, module;
	int fd = -1;

	elf_version(EV_CURRENT);
	find_module_file(&module, opt, path, build_id);
	if (find_debug_file(&f, opt, nobody, path, build_id, &module))
		fd = keep_descriptor(&f);
	elf_file_close(&module);
	fetcher_free(nobody);
	return fd;
}
