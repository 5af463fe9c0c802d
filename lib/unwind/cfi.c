/* SPDX-License-Identifier: MIT */
/*
 * Finding the FDE of an address: .eh_frame_hdr's search table, or an index
 * made of all FDEs.
 */
#include "unwind/cursor.h"
#include "unwind/row.h"

/* A CIE or FDE; its body follows the id field. */
struct entry {
	size_t id_at, end;
	uint64_t id; /* 0 in .eh_frame, all ones in .debug_frame: a CIE */
	struct cursor body;
	bool is_cie;
};

/* Reads the entry at AT. False at the end, at .eh_frame's terminator, and when
 * its size does not fit the section. */
static bool
read_entry(const struct unwind_cfi *cfi, uint64_t at, struct entry *out)
{
	struct cursor c = cursor_at(&cfi->frame, at, cfi->frame.size);
	uint64_t length = cursor_fixed(&c, 4);
	bool wide = length == UINT32_MAX;
	unsigned id_size = wide && cfi->debug_frame ? 8 : 4;

	if (wide)
		length = cursor_fixed(&c, 8);
	if (c.bad || length > c.end - c.pos || length < id_size)
		return false;
	c.end = c.pos + (size_t)length;
	out->id_at = c.pos;
	out->end = c.end;
	out->id = cursor_fixed(&c, id_size);
	out->is_cie = out->id == (!cfi->debug_frame ? 0
				  : wide	    ? UINT64_MAX
						    : UINT32_MAX);
	out->body = c;
	return true;
}

static void
skip_personality(struct cursor *c)
{
	uint8_t enc = cursor_u8(c);

	if ((enc & PE_BASE) > PE_DATAREL)
		cursor_fail(c);
	else
		unwind_cursor_pointer(c, enc & PE_FORMAT, 0);
}

/* Reads what the letters of a CIE's augmentation announce. */
static void
read_augmentation(struct cursor *letters, struct cursor *c,
		  struct unwind_fde *fde)
{
	uint64_t size = unwind_cursor_uleb(c);
	struct cursor data = *c;

	cursor_skip(c, size);
	data.end = c->pos;
	for (uint8_t letter; (letter = cursor_u8(letters)) && !c->bad;) {
		if (letter == 'R')
			fde->encoding = cursor_u8(&data);
		else if (letter == 'S')
			fde->signal = true;
		else if (letter == 'L')
			cursor_u8(&data);
		else if (letter == 'P') /* its address matters to nobody */
			skip_personality(&data);
		else if (letter != 'B') /* aarch64's; harmless */
			cursor_fail(c);
	}
	c->bad |= data.bad | letters->bad;
}

/* Capped, because every FDE reads its CIE again. */
static void
skip_string(struct cursor *c)
{
	for (int i = 0; i < 16; i++)
		if (!cursor_u8(c))
			return;
	cursor_fail(c);
}

static bool
read_cie(const struct unwind_cfi *cfi, uint64_t at, struct unwind_fde *out)
{
	struct entry e;
	struct cursor c, letters;
	uint8_t version, letter;

	if (!read_entry(cfi, at, &e) || !e.is_cie)
		return false;
	c = e.body;
	version = cursor_u8(&c);
	letters = c;
	skip_string(&c);
	if (version == 4 && cursor_fixed(&c, 2) != 8)
		return false; /* address size 8, segment selector size 0 */
	out->code_align = unwind_cursor_uleb(&c);
	out->data_align = unwind_cursor_sleb(&c);
	if ((version == 1 ? cursor_u8(&c) : unwind_cursor_uleb(&c)) !=
	    UNWIND_RIP)
		return false;
	out->encoding = PE_ABSPTR;
	out->signal = false;
	letter = cursor_u8(&letters);
	out->augmented = letter == 'z';
	if (out->augmented)
		read_augmentation(&letters, &c, out);
	else if (letter)
		return false;
	out->first_ops = c.pos;
	out->first_end = e.end;
	return !c.bad && (version == 1 || version == 3 || version == 4);
}

/* Where the CIE of FDE E lies. */
static uint64_t
cie_offset(const struct unwind_cfi *cfi, const struct entry *e)
{
	return cfi->debug_frame ? e->id : e->id_at - e->id;
}

/* Reads the FDE at AT; false when it is damaged or none. */
static bool
read_fde(const struct unwind_cfi *cfi, uint64_t at, struct unwind_fde *out)
{
	struct entry e;
	struct cursor c;

	if (!read_entry(cfi, at, &e) || e.is_cie ||
	    !read_cie(cfi, cie_offset(cfi, &e), out))
		return false;
	if ((out->encoding & PE_BASE) > PE_PCREL)
		return false; /* relative to what only the program knows */
	c = e.body;
	out->cfi = cfi;
	out->start = unwind_cursor_pointer(&c, out->encoding, 0);
	out->end = out->start +
		   unwind_cursor_pointer(&c, out->encoding & PE_FORMAT, 0);
	if (out->augmented)
		cursor_skip(&c, unwind_cursor_uleb(&c));
	out->ops = c.pos;
	out->ops_end = e.end;
	return !c.bad && out->end > out->start;
}

/* ---- the search table ---- */

enum { TABLE_ENTRY = 8 };

/* Finds the table of pairs (address, FDE), both relative to the header. */
static bool
find_table(const struct unwind_cfi *cfi, size_t *at, size_t *n)
{
	const struct unwind_section *hdr = &cfi->hdr;
	struct cursor c = cursor_at(hdr, 4, hdr->size);
	uint64_t count;

	if (c.bad || hdr->bytes[0] != 1 ||
	    hdr->bytes[3] != (PE_DATAREL | PE_SDATA4))
		return false;
	unwind_cursor_pointer(&c, hdr->bytes[1], hdr->addr);
	count = unwind_cursor_pointer(&c, hdr->bytes[2], hdr->addr);
	*at = c.pos;
	*n = (size_t)count;
	return !c.bad && count && count <= (c.end - c.pos) / TABLE_ENTRY;
}

bool
unwind_has_table(const struct unwind_cfi *cfi)
{
	size_t at, n;

	return find_table(cfi, &at, &n);
}

static uint64_t
table_field(const struct unwind_section *hdr, size_t at)
{
	struct cursor c = { hdr, at, hdr->size, false };

	return hdr->addr + (uint64_t)cursor_signed(&c, 4);
}

/* The offset in `frame` of the last FDE that starts at or before PC. */
static bool
search_table(const struct unwind_cfi *cfi, size_t at, size_t n, uint64_t pc,
	     uint64_t *fde)
{
	const struct unwind_section *hdr = &cfi->hdr;
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table_field(hdr, at + mid * TABLE_ENTRY) <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	*fde = table_field(hdr, at + (low - 1) * TABLE_ENTRY + 4) -
	       cfi->frame.addr;
	return true;
}

static bool
search_index(const struct unwind_cfi *cfi, uint64_t pc, uint64_t *fde)
{
	size_t low = 0, high = cfi->n_index;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cfi->index[mid].start <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	*fde = cfi->index[low - 1].fde;
	return true;
}

enum unwind_found
unwind_find_fde(const struct unwind_cfi *cfi, uint64_t pc,
		struct unwind_fde *out)
{
	size_t at, n;
	uint64_t fde;
	bool found;

	if (cfi->n_index)
		found = search_index(cfi, pc, &fde);
	else
		found = find_table(cfi, &at, &n) &&
			search_table(cfi, at, n, pc, &fde);
	if (!found)
		return UNWIND_MISSING;
	if (!read_fde(cfi, fde, out))
		return UNWIND_DAMAGED;
	return pc >= out->start && pc < out->end ? UNWIND_FOUND
						 : UNWIND_MISSING;
}

/* ---- the index ---- */

static void
swap(struct unwind_index *a, struct unwind_index *b)
{
	struct unwind_index t = *a;

	*a = *b;
	*b = t;
}

static void
sift_down(struct unwind_index *v, size_t root, size_t n)
{
	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n && v[child].start < v[child + 1].start)
			child++;
		if (v[root].start >= v[child].start)
			return;
		swap(&v[root], &v[child]);
	}
}

/* Heap sort: no recursion, no memory, no bad case. */
static void
sort_index(struct unwind_index *v, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift_down(v, i, n);
	while (n > 1) {
		swap(&v[0], &v[--n]);
		sift_down(v, 0, n);
	}
}

size_t
unwind_build_index(const struct unwind_cfi *cfi, struct unwind_index *out,
		   size_t max)
{
	struct unwind_fde fde;
	struct entry e;
	size_t n = 0;

	for (size_t at = 0; read_entry(cfi, at, &e); at = e.end) {
		/* Address 0: a function that the linker threw away. */
		if (e.is_cie || !read_fde(cfi, at, &fde) || !fde.start)
			continue;
		if (n < max) {
			out[n].start = fde.start;
			out[n].fde = at;
		}
		n++;
	}
	if (n <= max)
		sort_index(out, n);
	return n;
}
