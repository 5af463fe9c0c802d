/* SPDX-License-Identifier: MIT */
/* A growing string of bytes. A zeroed struct is an empty one; ptr may then
 * be NULL. After any buf_ call that adds, ptr[len] is NUL. */
#ifndef PK_BASE_BUF_H
#define PK_BASE_BUF_H

#include <stdint.h>
#include "base/slice.h"

struct buf {
	char *ptr;
	size_t len, cap;
};

void buf_reserve(struct buf *b, size_t extra);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_slice(struct buf *b, struct slice s);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t v);
void buf_hex(struct buf *b, uint64_t v);
/* A number as folded stacks write it: see number_format. */
void buf_number(struct buf *b, double v);
void buf_clear(struct buf *b); /* keeps the memory */
void buf_free(struct buf *b);

static inline struct slice
buf_get(const struct buf *b)
{
	return (struct slice){ b->ptr, b->len };
}

#endif
