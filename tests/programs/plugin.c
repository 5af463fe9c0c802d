/* SPDX-License-Identifier: MIT */
/* What dlopener loads. Build it with -shared -fPIC -DPLUGIN=name, and the
 * function that is busy is called name_work; -DROOM=n makes its frame larger,
 * and two that need four bytes to say how large are the same code otherwise. */
#include "busy.h"

#ifndef PLUGIN
#define PLUGIN plugin
#endif
#ifndef ROOM
#define ROOM 1
#endif
#define JOIN(a, b) a##b
#define NAME(a, b) JOIN(a, b)

__attribute__((noinline)) static void
NAME(PLUGIN, _work)(double seconds)
{
	volatile char room[ROOM];

	room[0] = 1;
	be_busy(seconds);
}

void plugin_run(double seconds);

void
plugin_run(double seconds)
{
	NAME(PLUGIN, _work)(seconds);
	__asm__ volatile("" ::: "memory");
}
