/* SPDX-License-Identifier: MIT */
#include "record/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/msg.h"

static void __attribute__((noreturn))
execute(char **argv, int go, int failed, const sigset_t *signals,
	bool output_to_error)
{
	char byte;

	/* Waits to be released; the parent's death is an end, too. */
	if (read(go, &byte, 1) != 1)
		_exit(COMMAND_TROUBLE);
	sigprocmask(SIG_SETMASK, signals, NULL);
	signal(SIGXFSZ, SIG_DFL); /* msg_init ignores it */
	if (output_to_error && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(COMMAND_TROUBLE);
	execvp(argv[0], argv);
	if (write(failed, &errno, sizeof errno) < 0)
		_exit(COMMAND_REFUSED);
	_exit(errno == ENOENT ? COMMAND_MISSING : COMMAND_REFUSED);
}

void
command_start(struct command *c, char **argv, const sigset_t *signals,
	      bool output_to_error)
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		die_errno("cannot make a pipe");
	*c = (struct command){ .pid = fork() };
	if (c->pid < 0)
		die_errno("cannot fork");
	if (!c->pid) {
		close(go[1]);
		close(failed[0]);
		execute(argv, go[0], failed[1], signals, output_to_error);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
}

int
command_release(struct command *c)
{
	int err = 0;

	if (write(c->go, "", 1) != 1)
		err = errno;
	close(c->go);
	while (!err && read(c->failed, &err, sizeof err) < 0 && errno == EINTR)
		;
	close(c->failed);
	return err;
}

static uint64_t
timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

void
command_reap(struct command *c, bool wait)
{
	struct rusage usage;

	if (!c->pid || c->ended)
		return;
	if (wait4(c->pid, &c->status, wait ? 0 : WNOHANG, &usage) != c->pid)
		return;
	c->ended = true;
	c->user_ns = timeval_ns(usage.ru_utime);
	c->system_ns = timeval_ns(usage.ru_stime);
}

int
command_status(const struct command *c)
{
	if (!c->ended)
		return 0;
	return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status)
				      : WEXITSTATUS(c->status);
}
