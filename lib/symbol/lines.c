/* SPDX-License-Identifier: MIT */
#include "symbol/lines.h"

/* The last row at or before ADDR, unless a sequence ends there. */
static Dwarf_Line *
line_at(Dwarf_Lines *lines, size_t n, uint64_t addr)
{
	size_t low = 0, high = n;
	Dwarf_Line *line;
	Dwarf_Addr at;
	bool end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (dwarf_lineaddr(dwarf_onesrcline(lines, mid), &at))
			return NULL;
		if (at <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	line = low ? dwarf_onesrcline(lines, low - 1) : NULL;
	if (!line || dwarf_lineendsequence(line, &end) || end)
		return NULL;
	return line;
}

void
line_find(Dwarf_Die *unit, uint64_t addr, struct symbol_frame *frame)
{
	Dwarf_Lines *lines;
	Dwarf_Line *line;
	size_t n;
	const char *file;
	int number;

	if (dwarf_getsrclines(unit, &lines, &n))
		return;
	line = line_at(lines, n, addr);
	if (!line)
		return;
	file = dwarf_linesrc(line, NULL, NULL);
	frame->file = file ? slice_str(file) : (struct slice){ NULL, 0 };
	if (!dwarf_lineno(line, &number) && number > 0)
		frame->line = (uint32_t)number;
}
