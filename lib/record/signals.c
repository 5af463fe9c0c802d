/* SPDX-License-Identifier: MIT */
#include "record/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "base/msg.h"

static const int requests[] = { SIGINT, SIGTERM, SIGHUP };
enum { N_REQUESTS = sizeof requests / sizeof *requests };

static void
add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction act;

	if (!sigaction(sig, NULL, &act) && act.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

int
signals_open(sigset_t *old)
{
	sigset_t handled;
	size_t i;
	int fd;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&handled);
	sigaddset(&handled, SIGCHLD);
	for (i = 0; i < N_REQUESTS; i++)
		add_unless_ignored(&handled, requests[i]);
	sigprocmask(SIG_BLOCK, &handled, old);
	fd = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die_errno("cannot wait for signals");
	return fd;
}

void
signals_pass_on(const struct command *c)
{
	struct timespec no_time = { 0 };
	sigset_t set;
	size_t i;
	int sig;

	sigemptyset(&set);
	for (i = 0; i < N_REQUESTS; i++)
		sigaddset(&set, requests[i]);
	while ((sig = sigtimedwait(&set, NULL, &no_time)) > 0)
		kill(c->pid, sig);
}

bool
signals_take(int fd, struct command *c, bool recording)
{
	static int n_requests;
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD) {
			command_reap(c, false);
			continue;
		}
		if (!c->pid || c->ended || !recording || n_requests++)
			return false;
		if (info.ssi_signo != SIGINT || info.ssi_code != SI_KERNEL)
			kill(c->pid, (int)info.ssi_signo);
	}
	return true;
}

void
signals_wait(int fd, struct command *c)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	command_reap(c, false);
	while (c->pid && !c->ended) {
		poll(&poll_fd, 1, -1);
		if (!signals_take(fd, c, true))
			return;
	}
}
