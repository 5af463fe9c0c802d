/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that spends its time in stepped.c's frames (build
 * it with that file): called from main, from a signal's handler on the same
 * stack, and from one on another stack.
 *
 *   signals SECONDS
 */
#include <signal.h>
#include <stdlib.h>

#include "busy.h"

void stepped(void);
void on_same_stack(int sig);
void on_other_stack(int sig);

static void
work(int rounds)
{
	for (int i = 0; i < rounds; i++)
		stepped();
}

void
on_same_stack(int sig)
{
	work(50);
	if (sig == SIGUSR1)
		raise(SIGUSR2);
}

void
on_other_stack(int sig)
{
	(void)sig;
	work(50);
}

static void
handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

int
main(int argc, char **argv)
{
	static char other_stack[64 << 10];
	stack_t ss = { .ss_sp = other_stack, .ss_size = sizeof other_stack };
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;

	sigaltstack(&ss, NULL);
	handle(SIGUSR1, on_same_stack, 0);
	handle(SIGUSR2, on_same_stack, 0);
	handle(SIGHUP, on_other_stack, SA_ONSTACK);
	while (thread_seconds() < seconds) {
		work(50);
		raise(SIGUSR1);
		raise(SIGHUP);
	}
	return 0;
}
