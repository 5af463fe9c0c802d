/* SPDX-License-Identifier: MIT */
/*
 * A folded profile in memory: the distinct stacks, each a row of symbol ids
 * from the outermost frame inwards, with one or two values. Memory follows
 * the number of distinct stacks, not of lines. A zeroed struct is empty.
 */
#ifndef PK_PROFILE_PROFILE_H
#define PK_PROFILE_PROFILE_H

#include <stdint.h>
#include "base/input.h"
#include "base/intern.h"
#include "base/output.h"

struct profile_stack {
	uint64_t first; /* index of its outermost frame in profile.frames */
	uint32_t depth;
	uint32_t tag;	 /* the hash's lower half; for the table's own use */
	double value[2]; /* the second is 0 in one-column profiles */
};

struct profile {
	struct intern symbols;
	uint32_t *frames; /* symbol ids of all stacks, end to end */
	size_t n_frames, cap_frames;
	struct profile_stack *stacks; /* in order of first sight */
	size_t n_stacks, cap_stacks;
	uint64_t *slots; /* hash table over stacks */
	size_t mask;
	int columns; /* 1 or 2; 0 while nothing was read */
	double total[2];
	/* Set in an empty profile: runs of equal stacks are kept in the order
	 * in which they are added, and written in it, for flame charts. */
	bool in_order;
	struct profile_run {
		uint32_t stack;
		double value[2];
	} * runs;
	size_t n_runs, cap_runs;
	double magnitude;	/* sum of all values without their signs */
	bool inexact;		/* a value was no whole number */
	uint64_t lines;		/* that held a stack */
	uint64_t skipped_lines; /* that did not; see profile_read */
};

/* Folded text of about BYTES is to come: an empty profile's arrays get the
 * address space to grow in place. Only a hint. */
void profile_reserve(struct profile *p, uint64_t bytes);

/* Adds VALUE to the stack of these frames; equal stacks are one. */
void profile_add(struct profile *p, const uint32_t *frames, size_t depth,
		 double value0, double value1);

/* The same in two steps, so that memory has time to answer in between: the
 * first returns the stack's hash for the second. */
uint64_t profile_prepare(const struct profile *p, const uint32_t *frames,
			 size_t depth);
void profile_add_prepared(struct profile *p, const uint32_t *frames,
			  size_t depth, uint64_t hash, double value0,
			  double value1);

/* The same for who meets a stack again and again: its index, which stays; a
 * new one has no value yet. And then the adding alone. */
uint32_t profile_find(struct profile *p, const uint32_t *frames, size_t depth);
void profile_count(struct profile *p, uint32_t stack, double value0,
		   double value1);

/* Adds all of FROM, in its order of first sight or of its runs, and frees it.
 * Both keep runs, or neither does. */
void profile_merge(struct profile *p, struct profile *from);

/*
 * Reads folded stacks, `outermost;...;innermost VALUE [VALUE]`. A file is one-
 * or two-column as a whole, judged by all complete lines of its first
 * mebibyte. Files of one column that follow a two-column one fill the second.
 * Blank lines are ignored; lines without a value are skipped, and their number
 * is said; a file that has nothing but such lines is trouble(). Large plain
 * files are read by several threads; the profile is the same, to the last bit,
 * as if one had read them.
 */
void profile_read(struct profile *p, struct input *in);

enum profile_order {
	/* Bytewise order of the folded text: what files are written in. */
	PROFILE_BY_TEXT,
	/* Frame by frame: stacks with a common outer part are neighbours. */
	PROFILE_BY_FRAME,
};

/* The stacks' indices in that order: n_stacks of them, to be freed. */
uint32_t *profile_sort(const struct profile *p, enum profile_order order);

/* Writes all stacks, sorted bytewise, in as many columns as there are; or all
 * runs in their order. Stacks whose values are all 0 are left out. */
void profile_write(const struct profile *p, struct output *out);

void profile_free(struct profile *p);

#endif
