/* SPDX-License-Identifier: MIT */
/*
 * A library whose stepped() goes through the shapes of frames that compilers
 * make, to be walked at every instruction: leaves, recursion, many saved
 * registers, variable-size and realigned frames, tail calls, calls through
 * the PLT (bound when first used), callbacks out of libc, varargs, the vdso.
 * call_back() calls its argument from four frames deep.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void stepped(void);
void call_back(void (*fn)(void));
void outer(void (*fn)(void), unsigned n);
void middle(void (*fn)(void), unsigned n);
void inner(void (*fn)(void), unsigned n);

static volatile unsigned sink;

__attribute__((noinline)) static unsigned
leaf(unsigned n)
{
	return n * 2654435761u >> 3;
}

__attribute__((noinline)) static unsigned
recurse(unsigned n)
{
	if (n < 2)
		return leaf(n);
	return recurse(n - 1) + recurse(n - 2);
}

/* More values live across calls than registers to keep them in. */
__attribute__((noinline)) static unsigned
many(unsigned a, unsigned b, unsigned c, unsigned d)
{
	unsigned e = leaf(a), f = leaf(b), g = leaf(c), h = leaf(d);
	unsigned i = leaf(e), j = leaf(f), k = leaf(g), l = leaf(h);

	sink += leaf(i + j);
	return a + b + c + d + e + f + g + h + i + j + k + l;
}

__attribute__((noinline)) static unsigned
variable(unsigned n)
{
	char *p = __builtin_alloca(n);

	memset(p, (int)n, n);
	sink += leaf((unsigned)p[n / 2]);
	return (unsigned)p[n - 1];
}

__attribute__((noinline)) static unsigned
realigned(unsigned n)
{
	__attribute__((aligned(128))) volatile char p[256];

	p[n % sizeof p] = (char)leaf(n);
	sink += (unsigned)((uintptr_t)p % 128) + leaf(n + 1);
	return (unsigned)p[n % sizeof p];
}

/* Stack arguments as well: gcc then keeps their address in another register. */
__attribute__((noinline)) static unsigned
realigned_args(unsigned a, unsigned b, unsigned c, unsigned d, unsigned e,
	       unsigned f, unsigned g, unsigned h, unsigned n)
{
	__attribute__((aligned(64))) volatile char p[64];
	char *q = __builtin_alloca(n);

	q[0] = (char)leaf(g);
	p[h % sizeof p] = q[0];
	sink += many(a, b, c, d) + leaf(e) + leaf(f) + variable(n);
	return (unsigned)p[h % sizeof p] + n;
}

__attribute__((noinline)) static unsigned
tail(unsigned n)
{
	sink += leaf(n);
	return recurse(n % 4);
}

__attribute__((noinline)) static unsigned
arguments(unsigned n, ...)
{
	unsigned sum = 0;
	va_list ap;

	va_start(ap, n);
	while (n--)
		sum += (unsigned)va_arg(ap, double) + va_arg(ap, unsigned);
	va_end(ap);
	return sum;
}

__attribute__((noinline)) static int
compare(const void *a, const void *b)
{
	unsigned x = leaf(*(const unsigned *)a), y = leaf(*(const unsigned *)b);

	return x < y ? -1 : x > y;
}

__attribute__((noinline)) static unsigned
choose(unsigned n)
{
	switch (n) {
	case 0:
		return leaf(1);
	case 1:
		return many(n, 2, 3, 4);
	case 2:
		return variable(9);
	case 3:
		return realigned(n);
	case 4:
		return tail(n);
	}
	return 0;
}

void
stepped(void)
{
	unsigned values[24];
	struct timespec t;
	char text[64];

	for (unsigned i = 0; i < 24; i++)
		values[i] = i * 7919 % 24;
	for (unsigned i = 0; i < 6; i++)
		sink += choose(i);
	sink += recurse(6) + realigned_args(1, 2, 3, 4, 5, 6, 7, 8, 40);
	sink += arguments(3, 1.0, 2, 3.0, 4, 5.0, 6);
	qsort(values, 24, sizeof values[0], compare);
	snprintf(text, sizeof text, "%u %s %.3f", values[3], "text", 2.5);
	sink += (unsigned)strtoul(text, NULL, 10) + (unsigned)strlen(text);
	clock_gettime(CLOCK_MONOTONIC, &t);
	free(malloc(values[1] * 64 + 32));
	sink += (unsigned)t.tv_nsec;
}

__attribute__((noinline)) void
inner(void (*fn)(void), unsigned n)
{
	sink += leaf(n);
	fn();
	sink += n;
}

__attribute__((noinline)) void
middle(void (*fn)(void), unsigned n)
{
	char *p = __builtin_alloca(n);

	memset(p, 1, n);
	inner(fn, n + (unsigned)p[n - 1]);
	sink += (unsigned)p[0];
}

__attribute__((noinline)) void
outer(void (*fn)(void), unsigned n)
{
	middle(fn, n + 1);
	sink += n;
}

void
call_back(void (*fn)(void))
{
	outer(fn, sink + 40);
	sink++;
}
