/* SPDX-License-Identifier: MIT */
/*
 * Reading perf script's text, a block of lines at a time.
 *
 * The same frames come again and again, so each distinct line is parsed once
 * and then known by its text; and so is each distinct run of lines, which is
 * what the callers of the innermost frame are. A sample that was met before is
 * an event line, two looks into tables, and an addition.
 */
#ifndef PK_IMPORT_TEXT_PERF_SCRIPT_H
#define PK_IMPORT_TEXT_PERF_SCRIPT_H

#include "import/text/perf_cache.h"
#include "import/text/perf_line.h"
#include "import/text/text.h"

/* Symbols of a line, or of the lines of a stack but the first, innermost
 * first. */
struct perf_span {
	uint32_t first, n; /* of met */
	uint32_t lines;	   /* with the first; 0: not all of them are frames */
};

/* A stack of the profile by the parts it was met with. */
struct perf_known {
	uint32_t chain; /* its value; 0: empty */
	uint32_t line;	/* its value */
	uint32_t root;	/* symbol */
	uint32_t stack;
};

struct perf_reader {
	struct import *im;
	uint64_t lines; /* that were read */

	/* The sample in the making. */
	bool in_sample, wanted, java;
	bool began;    /* by the last line */
	uint32_t root; /* the outermost frame's symbol */
	double value;
	uint32_t *ids; /* symbols, innermost first */
	size_t n_ids, cap_ids;

	/* The event line before: most are like it. */
	struct buf last_comm;
	uint64_t last_pid, last_tid;
	bool has_last;
	struct slice last_event; /* in im->events */
	uint32_t last_event_id;

	/* What was met before. */
	struct perf_table lines_met;  /* symbol + 1, or span + SPAN */
	struct perf_table chains_met; /* span + SPAN */
	struct perf_span *spans;
	size_t n_spans, cap_spans;
	uint32_t *met; /* the spans' symbols */
	size_t n_met, cap_met;
	struct perf_known *known;
	size_t known_mask, n_unknown;

	uint32_t *stack; /* scratch: outermost first */
	size_t cap_stack;
	uint32_t *made; /* scratch: the symbols of one frame */
	size_t n_made, cap_made;
	struct buf text, name; /* scratch */
};

void perf_reader_init(struct perf_reader *r, struct import *im);
/* Reads whole lines with their newlines; 64 bytes behind them may be read. */
void perf_reader_block(struct perf_reader *r, struct slice block);
/* Makes r->root the outermost frame of E's thread, as the view wants it. */
void perf_reader_thread(struct perf_reader *r, const struct perf_event *e);
/* Ends the last sample and frees all but what IM holds. */
void perf_reader_finish(struct perf_reader *r);

/*
 * Reads all of im->in, which has been peeked into, with several threads where
 * that helps. The result is the same, to the last bit, as if one had read it.
 */
void perf_read_all(struct import *im);

/* Appends the symbols of frame F, innermost first, to r->made: none, one, or
 * several where inlined calls are joined by `->`. */
void perf_frame_symbols(struct perf_reader *r, const struct perf_frame *f);

#endif
