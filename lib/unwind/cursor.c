/* SPDX-License-Identifier: MIT */
#include "unwind/cursor.h"

uint64_t
unwind_cursor_uleb(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t byte = cursor_u8(c);

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	return cursor_fail(c);
}

int64_t
unwind_cursor_sleb(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t byte = cursor_u8(c);

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte & 0x40 && shift < 57)
			v |= ~(uint64_t)0 << (shift + 7);
		return (int64_t)v;
	}
	return (int64_t)cursor_fail(c);
}

static uint64_t
read_format(struct cursor *c, uint8_t enc)
{
	switch (enc & PE_FORMAT) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return cursor_fixed(c, 8);
	case PE_ULEB:
		return unwind_cursor_uleb(c);
	case PE_UDATA2:
		return cursor_fixed(c, 2);
	case PE_UDATA4:
		return cursor_fixed(c, 4);
	case PE_SLEB:
		return (uint64_t)unwind_cursor_sleb(c);
	case PE_SDATA2:
		return (uint64_t)cursor_signed(c, 2);
	case PE_SDATA4:
		return (uint64_t)cursor_signed(c, 4);
	}
	return cursor_fail(c);
}

uint64_t
unwind_cursor_pointer(struct cursor *c, uint8_t enc, uint64_t data)
{
	uint64_t here = c->section->addr + c->pos;
	uint64_t v;

	if (enc & PE_INDIRECT)
		return cursor_fail(c);
	v = read_format(c, enc);
	switch (enc & PE_BASE) {
	case PE_ABSPTR:
		return v;
	case PE_PCREL:
		return v + here;
	case PE_DATAREL:
		return v + data;
	}
	return cursor_fail(c);
}
