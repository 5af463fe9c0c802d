/* SPDX-License-Identifier: MIT */
/*
 * Reading DWARF's numbers from a section, bounded.
 *
 * A cursor that runs out, or meets something it cannot read, becomes `bad`,
 * stays at its end and gives zeros: callers check once, after a group.
 */
#ifndef PK_UNWIND_CURSOR_H
#define PK_UNWIND_CURSOR_H

#include "unwind/unwind.h"

struct cursor {
	const struct unwind_section *section;
	size_t pos, end; /* offsets in the section; end <= section->size */
	bool bad;
};

/* DW_EH_PE_*, LSB Core 10.5: how .eh_frame writes a pointer. */
enum {
	PE_ABSPTR = 0x00,
	PE_ULEB = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORMAT = 0x0f,
	PE_PCREL = 0x10,
	PE_DATAREL = 0x30,
	PE_BASE = 0x70,
	PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

/* A cursor over [pos, end), which is cut to the section. */
static inline struct cursor
cursor_at(const struct unwind_section *section, uint64_t pos, uint64_t end)
{
	struct cursor c = { section, 0, section->size, false };

	if (end < c.end)
		c.end = (size_t)end;
	c.bad = pos > c.end;
	c.pos = c.bad ? c.end : (size_t)pos;
	return c;
}

static inline uint64_t
cursor_fail(struct cursor *c)
{
	c->bad = true;
	c->pos = c->end;
	return 0;
}

static inline void
cursor_skip(struct cursor *c, uint64_t n)
{
	if (n > c->end - c->pos)
		cursor_fail(c);
	else
		c->pos += (size_t)n;
}

/* A little-endian number of N bytes, 1 to 8. */
static inline uint64_t
cursor_fixed(struct cursor *c, unsigned n)
{
	uint64_t v = 0;

	if (n > c->end - c->pos)
		return cursor_fail(c);
	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)c->section->bytes[c->pos + i] << (8 * i);
	c->pos += n;
	return v;
}

static inline int64_t
cursor_signed(struct cursor *c, unsigned n)
{
	unsigned unused = 64 - 8 * n;

	return (int64_t)(cursor_fixed(c, n) << unused) >> unused;
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
	if (c->pos == c->end)
		return (uint8_t)cursor_fail(c);
	return c->section->bytes[c->pos++];
}

uint64_t unwind_cursor_uleb(struct cursor *c);
int64_t unwind_cursor_sleb(struct cursor *c);

/* A pointer in encoding ENC; DATAREL counts from DATA. Encodings that need
 * memory of the running program, or more context, make the cursor bad. */
uint64_t unwind_cursor_pointer(struct cursor *c, uint8_t enc, uint64_t data);

#endif
