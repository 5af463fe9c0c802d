/* SPDX-License-Identifier: MIT */
#include "record/debugfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include "base/buf.h"
#include "base/xalloc.h"
#include "process/debugframe.h"
#include "process/file.h"

enum {
	LINK_MAX = 256,
	/* Checksums of more would hold up the recorder: of a file, of all. */
	CHECKED_MAX = 64 << 20,
	CHECKED_TOTAL = 256 << 20,
};

struct search {
	const struct unwind_elf *elf; /* of the module */
	struct slice dir;	      /* the module's, without the last "/" */
	char link[LINK_MAX];	      /* a name without "/", or "" */
	uint32_t crc;
	struct unwind_section *out;
};

/* .gnu_debuglink: a name, its NUL, up to 3 bytes, the checksum. */
static void
read_link(int fd, struct search *s)
{
	const struct unwind_range *range = &s->elf->debug_link;
	char bytes[LINK_MAX + 4 + sizeof s->crc];
	size_t len, crc_at;

	s->link[0] = '\0';
	if (range->size > sizeof bytes ||
	    !file_read(&fd, range->offset, bytes, range->size))
		return;
	len = strnlen(bytes, range->size);
	crc_at = (len + 1 + 3) & ~(size_t)3;
	if (len >= LINK_MAX || crc_at + sizeof s->crc > range->size ||
	    memchr(bytes, '/', len))
		return;
	memcpy(s->link, bytes, len + 1);
	memcpy(&s->crc, bytes + crc_at, sizeof s->crc);
}

/* False when it cannot be read whole. */
static bool
make_checksum(int fd, off_t size, uint32_t *crc)
{
	static unsigned char block[1 << 16];
	uLong sum = crc32(0, NULL, 0);
	ssize_t n;
	off_t at;

	for (at = 0; at < size; at += n) {
		n = pread(fd, block, sizeof block, at);
		if (n <= 0)
			return false;
		sum = crc32(sum, block, (uInt)n);
	}
	*crc = (uint32_t)sum;
	return size > 0;
}

struct checked {
	struct stat st;
	uint32_t crc;
};

/* Whether ST is the file, unchanged, that C's checksum is of. */
static bool
is_checked(const struct checked *c, const struct stat *st)
{
	return c->st.st_dev == st->st_dev && c->st.st_ino == st->st_ino &&
	       c->st.st_size == st->st_size &&
	       c->st.st_mtim.tv_sec == st->st_mtim.tv_sec &&
	       c->st.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

/* The last files are remembered: two modules may have one, and each is looked
 * for under two roots, which are mostly the same. */
static bool
has_checksum(int fd, const struct stat *st, uint32_t wanted)
{
	enum { REMEMBERED = 16 };
	static struct checked last[REMEMBERED];
	static size_t next;
	static off_t total;
	struct checked new = { .st = *st };
	size_t i;

	for (i = 0; i < REMEMBERED; i++)
		if (is_checked(&last[i], st))
			return last[i].crc == wanted;
	if (st->st_size > CHECKED_MAX || total + st->st_size > CHECKED_TOTAL)
		return false;
	total += st->st_size;
	if (!make_checksum(fd, st->st_size, &new.crc))
		return false;
	last[next] = new;
	next = (next + 1) % REMEMBERED;
	return new.crc == wanted;
}

static bool
belongs(const struct search *s, const struct unwind_elf *elf, int fd,
	const struct stat *st, bool linked)
{
	if (s->elf->build_id_size && elf->build_id_size)
		return elf->build_id_size == s->elf->build_id_size &&
		       !memcmp(elf->build_id, s->elf->build_id,
			       elf->build_id_size);
	return linked && has_checksum(fd, st, s->crc);
}

/* Takes PATH's memory. */
static void *
try_file(const struct search *s, char *path, bool linked)
{
	struct unwind_elf elf;
	struct stat st;
	int fd = file_open_regular(path, &st);
	void *bytes = NULL;

	free(path);
	if (fd < 0)
		return NULL;
	if (unwind_elf_read(file_read, &fd, &elf) && elf.debug_frame.size &&
	    belongs(s, &elf, fd, &st, linked))
		bytes = debug_frame_read(file_read, &fd, &elf, s->out);
	close(fd);
	return bytes;
}

static char *
build_id_path(const struct search *s, const char *root)
{
	struct buf path = { 0 };
	unsigned i;

	buf_printf(&path, "%s/usr/lib/debug/.build-id/", root);
	for (i = 0; i < s->elf->build_id_size; i++)
		buf_printf(&path, i == 1 ? "/%02x" : "%02x",
			   s->elf->build_id[i]);
	buf_str(&path, ".debug");
	return path.ptr;
}

static void *
search_under(const struct search *s, const char *root)
{
	/* around the module's folder */
	static const struct {
		const char *before, *behind;
	} places[] = { { "", "" },
		       { "", "/.debug" },
		       { "/usr/lib/debug", "" } };
	void *bytes = NULL;
	size_t i;

	if (s->elf->build_id_size > 1)
		bytes = try_file(s, build_id_path(s, root), false);
	for (i = 0; s->link[0] && !bytes && i < 3; i++)
		bytes = try_file(s,
				 xasprintf("%s%s%.*s%s/%s", root,
					   places[i].before, (int)s->dir.len,
					   s->dir.ptr, places[i].behind,
					   s->link),
				 true);
	return bytes;
}

void *
debug_frame_find(const struct unwind_elf *elf, int fd, pid_t pid,
		 struct slice path, struct unwind_section *out)
{
	struct search s = { .elf = elf, .dir = path, .out = out };
	char root[64];
	void *bytes;

	s.dir.len -= slice_basename(path).len + 1;
	read_link(fd, &s);
	snprintf(root, sizeof root, "/proc/%d/root", (int)pid);
	bytes = search_under(&s, root);
	return bytes ? bytes : search_under(&s, "");
}
