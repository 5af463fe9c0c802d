/* SPDX-License-Identifier: MIT */
/*
 * What readers of text formats share: lines in, stacks of names out.
 *
 * A reader takes lines, hands over the frames of a stack, says whose sample it
 * is as far as the format tells, and adds it. What it cannot read it counts
 * with import_skip; the caller of the reader says that once at the end.
 */
#ifndef PK_IMPORT_TEXT_TEXT_H
#define PK_IMPORT_TEXT_TEXT_H

#include "base/buf.h"
#include "base/input.h"
#include "profile/profile.h"
#include "profile/view.h"

/* How sure a guess is; the highest one wins, and the earlier format of equals.
 * In between is how strong the evidence is: a marker that only this format has
 * is worth more than a shape that others share. */
enum { IMPORT_NO = 0, IMPORT_MAYBE = 50, IMPORT_YES = 100 };
/* Guesses see this much of the input at most. */
enum { IMPORT_HEAD = 64 * 1024 };

/* What a format can tell of a sample, so that filters apply. */
enum {
	IMPORT_COMM = 1,
	IMPORT_PID = 2,
	IMPORT_TID = 4,
	IMPORT_TIME = 8,
	IMPORT_EVENT = 16,
	/* What the format's values always are, if that is known. */
	IMPORT_BYTES = 32,
	IMPORT_US = 64,
	IMPORT_NS = 128,
	IMPORT_STACKS = 256, /* as many as there were */
	IMPORT_UNITS = IMPORT_BYTES | IMPORT_US | IMPORT_NS | IMPORT_STACKS,
};

struct import {
	struct input *in;
	struct profile *p;
	const struct view *view;
	unsigned knows; /* IMPORT_COMM...: of the format */

	/* The stack in the making, as symbol ids in the order they came. */
	uint32_t *ids;
	size_t n_ids, cap_ids;
	/* The order they come in; a format sets it once. */
	bool outermost_first;
	struct buf text; /* scratch of import_frame */

	/* The sample that the stack belongs to; a reader fills in what it
	 * knows before import_add, which leaves it as it is. TIME: ns. */
	struct import_origin {
		struct slice comm;
		uint64_t pid, tid, time; /* UINT64_MAX: unknown */
	} origin;
	uint64_t first_time; /* of the file's first sample, UINT64_MAX: none */

	/* Events: see import_wants_event. */
	struct intern events;
	uint64_t *event_samples; /* by id */
	size_t cap_event_samples;
	uint32_t event; /* the one that counts; UINT32_MAX: none yet */

	bool refused;		/* a reader has said what is wrong */
	unsigned unsettled_by;	/* IMPORT_PID...: what they do not tell */
	uint64_t unsettled;	/* samples that filters cannot judge */
	uint64_t samples;	/* that were read, wanted or not */
	uint64_t skipped;	/* lines that could not be read */
	uint64_t first_skipped; /* the first one's number; 0: none */
};

/* The next line, without its newline and carriage return; valid until the
 * next call. */
bool import_line(struct import *im, struct slice *line);
/* The last line is none of this format's. */
void import_skip(struct import *im);

/* The next frame of the stack; NAME is any bytes, and is made fit for folded
 * text here. */
void import_frame(struct import *im, struct slice name);
/* The same for text that already is folded: known to hold no ';' and no
 * control bytes. */
void import_frame_clean(struct import *im, struct slice name);
/* A frame at the outermost end, whatever the order; any number of them, the
 * last call's is outermost. */
void import_root(struct import *im, struct slice name);

/* Whether the view wants the sample that origin speaks of. import_add asks by
 * itself; once for each sample, in the file's order, since the first one's
 * time is the start. */
bool import_wants_sample(struct import *im);
/* Counts the stack in the making with VALUE if the view wants the sample, and
 * empties it. A stack without frames counts, too, if VALUE is not 0: the
 * reader gives it a name. */
void import_add(struct import *im, double value);
/* Empties the stack in the making: the sample is not one after all. */
void import_drop(struct import *im);

/*
 * Whether a sample of EVENT counts: the view's event does, or else the first
 * one in the file. Counts the others; they are named once at the end. EVENT
 * without modifiers matches a view's event that has none.
 */
bool import_wants_event(struct import *im, struct slice event);

/*
 * Where the parameter list of a C++ function's name begins, in bytes from its
 * start: the first parenthesis outside of <> and of other parentheses that is
 * no part of the name itself, as those of operator(), `(anonymous namespace)`,
 * `{lambda(int)#1}`, decltype(...) and Go's `pkg.(*T).method` are. The length
 * of NAME where there is none.
 */
size_t import_parameters(struct slice name);

/* Runs READ over IN and says what it skipped; a file that held no sample at
 * all is trouble(). NAME is the format's, and KNOWS. */
void import_run(void (*read)(struct import *im), const char *name,
		unsigned knows, struct input *in, struct profile *p,
		const struct view *view);

#endif
