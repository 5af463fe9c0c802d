/* SPDX-License-Identifier: MIT */
#include "symbol/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <elfutils/libdwelf.h>
#include "base/buf.h"
#include "base/number.h"
#include "base/xalloc.h"

enum { MAX_BUILD_ID = 64 };

enum symbol_problem
elf_file_open(struct elf_file *f, const char *path)
{
	struct stat st;

	*f = (struct elf_file){ .fd = -1 };
	/* Opening a device can already do something. */
	if (stat(path, &st))
		return SYMBOL_NO_FILE;
	if (!S_ISREG(st.st_mode))
		return SYMBOL_NOT_ELF;
	/* Without blocking: the path may lead to a fifo. */
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0)
		return SYMBOL_NO_FILE;
	f->path = xstrdup(path);
	if (!fstat(f->fd, &st) && S_ISREG(st.st_mode))
		f->elf = elf_begin(f->fd, ELF_C_READ_MMAP, NULL);
	if (f->elf && elf_kind(f->elf) == ELF_K_ELF)
		return SYMBOL_OK;
	elf_file_close(f);
	return SYMBOL_NOT_ELF;
}

void
elf_file_close(struct elf_file *f)
{
	elf_end(f->elf);
	if (f->elf || f->path)
		close(f->fd);
	free(f->path);
	free(f->memory);
	*f = (struct elf_file){ .fd = -1 };
}

static size_t
file_build_id(Elf *elf, const unsigned char **id)
{
	const void *p = NULL;
	ssize_t len = dwelf_elf_gnu_build_id(elf, &p);

	*id = p;
	return len > 0 ? (size_t)len : 0;
}

/* BUILD_ID's bytes, or 0 when it is not hexadecimal or too long. */
static size_t
parse_build_id(struct slice text, unsigned char id[MAX_BUILD_ID])
{
	size_t i;
	uint64_t byte;

	if (text.len % 2 || text.len / 2 > MAX_BUILD_ID)
		return 0;
	for (i = 0; i < text.len / 2; i++) {
		struct slice digits = { text.ptr + 2 * i, 2 };

		if (!parse_hex(digits, &byte))
			return 0;
		id[i] = (unsigned char)byte;
	}
	return text.len / 2;
}

static bool
has_build_id(const struct elf_file *f, const unsigned char *want, size_t len)
{
	const unsigned char *id;

	return file_build_id(f->elf, &id) == len && !memcmp(id, want, len);
}

/* SIZE:MTIME against the file. */
static bool
has_stamp(const struct elf_file *f, struct slice stamp)
{
	struct slice size_text = slice_cut(&stamp, ':');
	uint64_t size, mtime, seconds, nanoseconds;
	struct stat st;

	if (!parse_u64(size_text, &size) || !parse_u64(stamp, &mtime) ||
	    fstat(f->fd, &st))
		return false;
	seconds = (uint64_t)st.st_mtim.tv_sec;
	nanoseconds = seconds * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	return (uint64_t)st.st_size == size &&
	       (mtime == seconds || mtime == nanoseconds);
}

static bool
is_module(const struct elf_file *f, struct slice build_id)
{
	unsigned char id[MAX_BUILD_ID];
	size_t len;

	if (!build_id.len)
		return true;
	if (memchr(build_id.ptr, ':', build_id.len))
		return has_stamp(f, build_id);
	len = parse_build_id(build_id, id);
	return len && has_build_id(f, id, len);
}

static bool
is_path(struct slice path)
{
	return path.len && path.ptr[0] == '/' &&
	       !memchr(path.ptr, '\0', path.len);
}

static bool
is_hexadecimal(struct slice build_id)
{
	unsigned char id[MAX_BUILD_ID];

	return parse_build_id(build_id, id) > 0;
}

static enum symbol_problem
try_module(struct elf_file *f, const char *root, struct slice path,
	   struct slice build_id)
{
	enum symbol_problem problem;
	struct buf full = { 0 };

	buf_str(&full, root);
	buf_slice(&full, path);
	problem = elf_file_open(f, full.ptr);
	buf_free(&full);
	if (!problem && !is_module(f, build_id)) {
		elf_file_close(f);
		problem = SYMBOL_MISMATCH;
	}
	return problem;
}

/* What says most about a file that was looked for in several places. */
static enum symbol_problem
worse(enum symbol_problem a, enum symbol_problem b)
{
	if (a == SYMBOL_MISMATCH || b == SYMBOL_MISMATCH)
		return SYMBOL_MISMATCH;
	return a == SYMBOL_NO_FILE ? b : a;
}

/* This machine's own file may only be taken when it is known to be the one. */
static enum symbol_problem
find_below_sysroot(struct elf_file *f, const char *sysroot, struct slice path,
		   struct slice build_id)
{
	enum symbol_problem problem = try_module(f, sysroot, path, build_id);
	struct slice name = slice_basename(path);

	if (problem && name.len) {
		name.ptr--; /* with its slash */
		name.len++;
		problem =
			worse(problem, try_module(f, sysroot, name, build_id));
	}
	if (!f->elf && is_hexadecimal(build_id))
		problem = worse(problem, try_module(f, "", path, build_id));
	return f->elf ? SYMBOL_OK : problem;
}

char *
perf_cache_path(struct slice build_id, const char *name)
{
	const char *home = getenv("HOME");

	if (!home || build_id.len < 3 || !is_hexadecimal(build_id))
		return NULL;
	return xasprintf("%s/.debug/.build-id/%.2s/%.*s/%s", home, build_id.ptr,
			 (int)build_id.len - 2, build_id.ptr + 2, name);
}

static bool
find_in_perf_cache(struct elf_file *f, struct slice build_id)
{
	char *path = perf_cache_path(build_id, "elf");
	bool found = path && !elf_file_open(f, path);

	free(path);
	if (found && !is_module(f, build_id)) {
		elf_file_close(f);
		found = false;
	}
	return found;
}

enum symbol_problem
find_module_file(struct elf_file *f, const struct symbol_options *opt,
		 struct slice path, struct slice build_id)
{
	enum symbol_problem problem;

	*f = (struct elf_file){ .fd = -1 };
	if (!is_path(path))
		return SYMBOL_NO_FILE;
	problem = opt->sysroot
			  ? find_below_sysroot(f, opt->sysroot, path, build_id)
			  : try_module(f, "", path, build_id);
	if (problem && find_in_perf_cache(f, build_id))
		problem = SYMBOL_OK;
	return problem;
}

/* The directories to search: TRY is called with each until it says true. */
typedef bool try_dir(const char *dir, void *arg);

static bool
each_debug_dir(const struct symbol_options *opt, try_dir *try, void *arg)
{
	const char *const *dir;
	bool found = false;
	char *rooted;

	for (dir = opt->debug_dirs; dir && *dir; dir++)
		if (try(*dir, arg))
			return true;
	if (opt->sysroot) {
		rooted = xasprintf("%s/usr/lib/debug", opt->sysroot);
		found = try(rooted, arg);
		free(rooted);
	}
	return found || try("/usr/lib/debug", arg);
}

struct id_search {
	struct elf_file *f;
	const unsigned char *id;
	size_t len;
};

static bool
try_build_id(const char *dir, void *arg)
{
	struct id_search *search = arg;
	struct buf path = { 0 };
	enum symbol_problem problem;
	size_t i;

	buf_str(&path, dir);
	buf_str(&path, "/.build-id/");
	for (i = 0; i < search->len; i++)
		buf_printf(&path, "%s%02x", i == 1 ? "/" : "", search->id[i]);
	buf_str(&path, ".debug");
	problem = elf_file_open(search->f, path.ptr);
	buf_free(&path);
	if (problem)
		return false;
	if (has_build_id(search->f, search->id, search->len))
		return true;
	elf_file_close(search->f);
	return false;
}

static bool
find_by_build_id(struct elf_file *f, const struct symbol_options *opt,
		 const unsigned char *id, size_t len)
{
	struct id_search search = { f, id, len };

	return len > 1 && each_debug_dir(opt, try_build_id, &search);
}

static bool
fetch_by_build_id(struct elf_file *f, struct fetcher *net,
		  const unsigned char *id, size_t len, struct slice module)
{
	char *path = len > 1 ? fetch_debug_file(net, id, len, module) : NULL;
	bool found = path && !elf_file_open(f, path);

	if (found && !has_build_id(f, id, len)) {
		elf_file_close(f);
		found = false;
	}
	if (path && !found)
		fetch_refuse(net, path);
	free(path);
	return found;
}

static bool
try_shared_file(struct elf_file *f, const char *path, const unsigned char *id,
		size_t len)
{
	if (elf_file_open(f, path))
		return false;
	if (has_build_id(f, id, len))
		return true;
	elf_file_close(f);
	return false;
}

bool
find_shared_file(struct elf_file *f, const struct symbol_options *opt,
		 struct fetcher *net, const struct elf_file *from,
		 const char *name, const unsigned char *id, size_t len)
{
	struct slice dir = slice_str(from->path ? from->path : "");
	struct buf path = { 0 };
	bool found;

	dir.len -= slice_basename(dir).len;
	if (name[0] == '/')
		buf_str(&path, opt->sysroot ? opt->sysroot : "");
	else
		buf_slice(&path, dir);
	buf_str(&path, name);
	found = try_shared_file(f, path.ptr, id, len) ||
		(name[0] == '/' && try_shared_file(f, name, id, len));
	buf_free(&path);
	if (found)
		return true;
	return len <= MAX_BUILD_ID &&
	       (find_by_build_id(f, opt, id, len) ||
		fetch_by_build_id(f, net, id, len, slice_str(name)));
}

enum { CHECKSUM_MAX = 2040 << 20 };

/* The checksum that debug links carry: CRC-32 of the whole file. */
static bool
has_checksum(const struct elf_file *f, uint32_t want)
{
	uLong crc = crc32(0, NULL, 0);
	unsigned char block[64 * 1024];
	struct stat st;
	off_t at = 0;
	ssize_t got;

	/* Real ones of this size have a build id; reading takes a while. */
	if (fstat(f->fd, &st) || st.st_size > CHECKSUM_MAX)
		return false;
	while ((got = pread(f->fd, block, sizeof block, at)) > 0) {
		crc = crc32(crc, block, (uInt)got);
		at += got;
	}
	return got == 0 && (uint32_t)crc == want;
}

struct link_search {
	struct elf_file *f;
	const struct elf_file *main;
	const char *name;
	struct slice dir; /* of the module's path */
	uint32_t crc;
};

/* A build id says more than a checksum and is there at once. */
static bool
is_linked(const struct link_search *search)
{
	const unsigned char *id;
	size_t len = file_build_id(search->main->elf, &id);
	struct stat a, b;

	if (fstat(search->main->fd, &a) || fstat(search->f->fd, &b) ||
	    (a.st_dev == b.st_dev && a.st_ino == b.st_ino))
		return false;
	if (len)
		return has_build_id(search->f, id, len);
	return has_checksum(search->f, search->crc);
}

static bool
try_link(const char *prefix, struct slice dir, const char *infix,
	 struct link_search *search)
{
	enum symbol_problem problem;
	struct buf path = { 0 };

	buf_str(&path, prefix);
	buf_slice(&path, dir);
	buf_str(&path, infix);
	buf_str(&path, search->name);
	problem = elf_file_open(search->f, path.ptr);
	buf_free(&path);
	if (problem)
		return false;
	if (is_linked(search))
		return true;
	elf_file_close(search->f);
	return false;
}

static bool
try_link_dir(const char *dir, void *arg)
{
	struct link_search *search = arg;

	return try_link(dir, search->dir, "/", search);
}

static bool
find_by_link(struct elf_file *f, const struct symbol_options *opt,
	     struct slice path, const struct elf_file *main)
{
	struct link_search search = { .f = f, .main = main };
	struct slice base = slice_basename(path), beside;
	GElf_Word crc;

	search.name = dwelf_elf_gnu_debuglink(main->elf, &crc);
	if (!search.name || !*search.name || strchr(search.name, '/'))
		return false;
	beside = slice_str(main->path);
	beside.len -= slice_basename(beside).len + 1;
	search.crc = crc;
	search.dir = (struct slice){ path.ptr, path.len - base.len };
	if (search.dir.len)
		search.dir.len--;
	return try_link("", beside, "/", &search) ||
	       try_link("", beside, "/.debug/", &search) ||
	       each_debug_dir(opt, try_link_dir, &search);
}

bool
find_debug_file(struct elf_file *f, const struct symbol_options *opt,
		struct fetcher *net, struct slice path, struct slice build_id,
		const struct elf_file *main)
{
	unsigned char id[MAX_BUILD_ID];
	const unsigned char *own;
	size_t len = parse_build_id(build_id, id);

	*f = (struct elf_file){ .fd = -1 };
	if (!len && main->elf) {
		len = file_build_id(main->elf, &own);
		if (len > MAX_BUILD_ID)
			len = 0;
		else if (len)
			memcpy(id, own, len);
	}
	return find_by_build_id(f, opt, id, len) ||
	       (main->elf && find_by_link(f, opt, path, main)) ||
	       fetch_by_build_id(f, net, id, len, path);
}
