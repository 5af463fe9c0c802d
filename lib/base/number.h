/* SPDX-License-Identifier: MIT */
/* Numbers in text. The parsers take the whole slice or fail, check the
 * range, and know no locale. */
#ifndef PK_BASE_NUMBER_H
#define PK_BASE_NUMBER_H

#include <stdint.h>
#include "base/slice.h"

bool parse_u64(struct slice s, uint64_t *out);
bool parse_hex(struct slice s, uint64_t *out); /* without 0x */
/* Decimal, fraction and exponent; finite values only. A sign is allowed. */
bool parse_double(struct slice s, double *out);

/* Option values: die with the option's name when TEXT is no number or lies
 * outside MIN..MAX. */
uint64_t option_u64(const char *option, const char *text, uint64_t min,
		    uint64_t max);
double option_double(const char *option, const char *text, double min,
		     double max);

/* Room for any number that number_format writes, with its NUL. */
#define NUMBER_MAX 32
/* Whole numbers up to 2^53 without fraction, others with at most 15
 * significant digits and no trailing zeros; never an exponent below 1e15.
 * Returns the length. */
size_t number_format(char out[NUMBER_MAX], double v);

/* Parsed as folded values are: a whole number in digits only takes the fast
 * way, all else parse_double. */
bool parse_value(struct slice s, double *out);

#endif
