/* SPDX-License-Identifier: MIT */
/* Samples a command, or processes that run: perf events in, a capture
 * (pk-capture(5)) out. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/option.h"
#include "base/xalloc.h"
#include "record/command.h"
#include "record/record.h"

static struct options {
	struct record_options record;
	const char *output;
	bool gzip, no_wait;
	double duration; /* seconds, 0: no limit */
	pid_t *pids;
	size_t n_pids, cap_pids;
	char **command;
} opt = { .record = { NULL, 999, RECORD_CFI, RECORD_STACK_MAX } };

static const char help[] =
	"Usage: pk-sample [OPTION]... COMMAND [ARGUMENT]...\n"
	"       pk-sample [OPTION]... -p PID[,PID]...\n"
	"Sample what COMMAND and all it starts, or the processes, do on the\n"
	"processors, and write a capture for pk-fold. Options end at COMMAND.\n"
	"\n"
	"  -p, --pid PID[,PID]...  sample processes that run already\n"
	"  -F, --frequency HZ      samples a second and processor (999)\n"
	"  -e, --event EVENT       what to sample: cycles, else cpu-clock; "
	"'list'\n"
	"                          shows all\n"
	"      --unwind HOW        stacks by cfi (the default), fp (frame "
	"pointers) or\n"
	"                          none\n"
	"      --stack-size BYTES  of the stack to copy for cfi (65528)\n"
	"  -d, --duration SECONDS  end the recording then; the command runs "
	"on\n"
	"      --no-wait           end with COMMAND, not with all it started\n"
	"  -o, --output FILE       write the capture there; without it, the "
	"capture goes\n"
	"                          to standard output and COMMAND's own output "
	"to\n"
	"                          standard error\n"
	"  -z, --gzip              compress the capture\n"
	"  -h, --help              show this help\n"
	"  -V, --version           show the version\n"
	"\n"
	"Ends with COMMAND's status; 125 trouble, 126 or 127 COMMAND cannot "
	"run.\n"
	"Example: pk-sample ./server --bench | pk-fold | pk-flamesvg -o "
	"cpu.svg\n";

enum { OPT_UNWIND = 256, OPT_STACK_SIZE, OPT_NO_WAIT };

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "frequency", required_argument, NULL, 'F' },
	{ "event", required_argument, NULL, 'e' },
	{ "unwind", required_argument, NULL, OPT_UNWIND },
	{ "stack-size", required_argument, NULL, OPT_STACK_SIZE },
	{ "duration", required_argument, NULL, 'd' },
	{ "no-wait", no_argument, NULL, OPT_NO_WAIT },
	{ "output", required_argument, NULL, 'o' },
	{ "gzip", no_argument, NULL, 'z' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* ---- options ---- */

static void
add_pids(const char *list)
{
	struct slice rest = slice_str(list);

	while (rest.ptr) {
		struct slice word = slice_cut(&rest, ',');
		uint64_t pid;

		if (!parse_u64(word, &pid) || !pid || pid > INT32_MAX)
			die_usage("-p: '%s' is not a list of process ids",
				  list);
		GROW(opt.pids, opt.cap_pids, opt.n_pids + 1);
		opt.pids[opt.n_pids++] = (pid_t)pid;
	}
}

static void
set_event(const char *name)
{
	if (!strcmp(name, "list")) {
		event_list();
		option_print("");
	}
	opt.record.event = event_find(name);
	if (!opt.record.event)
		die_usage("-e: there is no event '%s'; '-e list' shows all",
			  name);
}

static void
set_option(int c)
{
	static const char *const unwinds[] = { "cfi", "fp", "none", NULL };

	switch (c) {
	case 'p':
		add_pids(optarg);
		break;
	case 'F':
		opt.record.frequency = option_u64("-F", optarg, 1, 1000000);
		break;
	case 'e':
		set_event(optarg);
		break;
	case OPT_UNWIND:
		opt.record.unwind = (enum record_unwind)option_choice(
			"--unwind", optarg, unwinds);
		break;
	case OPT_STACK_SIZE:
		opt.record.stack_size =
			(uint32_t)option_u64("--stack-size", optarg, 1024,
					     RECORD_STACK_MAX) &
			~7u;
		break;
	case 'd':
		opt.duration = option_double("-d", optarg, 0.001, 1e9);
		break;
	case OPT_NO_WAIT:
		opt.no_wait = true;
		break;
	case 'o':
		opt.output = strcmp(optarg, "-") ? optarg : NULL;
		break;
	case 'z':
		opt.gzip = true;
		break;
	case 'h':
		option_print(help);
	case 'V':
		option_print("pk-sample (profkit) " VERSION "\n");
	}
}

static void
parse_options(int argc, char **argv)
{
	int c;

	while ((c = option_next(argc, argv, "+p:F:e:d:o:zhV", long_options)) !=
	       -1)
		set_option(c);
	if (optind < argc)
		opt.command = argv + optind;
	if (!opt.command && !opt.n_pids)
		die_usage("what is to be sampled? Give a command, or -p PID");
	if (opt.command && opt.n_pids)
		die_usage("give a command or -p PID, not both");
}

/* ---- the recording ---- */

static struct command command;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Signals come through a descriptor. The first interrupt or request to end
 * is the command's own affair: from the terminal it has reached it already,
 * others are passed on. The second ends the recording; so does the first, where
 * there is no command or RECORDING is over. */
static bool
take_signals(int fd, bool recording)
{
	static int requests;
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD) {
			command_reap(&command, false);
			continue;
		}
		if (!command.pid || command.ended || !recording || requests++)
			return false;
		if (info.ssi_signo != SIGINT || info.ssi_code != SI_KERNEL)
			kill(command.pid, (int)info.ssi_signo);
	}
	return true;
}

static void
wait_for_command(int signals)
{
	struct pollfd fd = { .fd = signals, .events = POLLIN };

	command_reap(&command, false);
	while (command.pid && !command.ended) {
		poll(&fd, 1, -1);
		if (!take_signals(signals, true))
			return;
	}
}

static void
show_progress(const struct recorder *r, double seconds)
{
	struct record_counts c = record_counts(r);

	fprintf(stderr, "\rpk-sample: %.0f s, %llu samples, %llu lost\033[K\r",
		seconds, (unsigned long long)c.samples,
		(unsigned long long)(c.lost + c.dropped));
}

/* Ends when all targets have, the time is up, the reader went away or the
 * user wants no more; true when the command is worth waiting for then. */
static bool
record_targets(struct recorder *r, struct sink *sink, int signals)
{
	struct pollfd extra = { .fd = signals, .events = POLLIN };
	double start = now(), shown = start, t;
	bool terminal = isatty(STDERR_FILENO), going = true, stopped = false;

	while (going && !stopped && sink_is_alive(sink)) {
		double left = opt.duration ? start + opt.duration - now() : 1;
		int timeout = left > 0.2 ? 200
			      : left > 0 ? (int)(left * 1e3)
					 : 0;

		going = record_poll(r, &extra, 1, timeout);
		stopped = !take_signals(signals, true) ||
			  (command.ended && opt.no_wait) ||
			  (opt.duration && now() >= start + opt.duration);
		t = now();
		if (terminal && t - shown >= 1) {
			show_progress(r, t - start);
			shown = t;
		}
	}
	if (shown != start)
		fputs("\r\033[K", stderr);
	return !stopped;
}

static void
add_command_line(struct buf *b)
{
	char **word;

	for (word = opt.command; word && *word; word++) {
		if (word != opt.command)
			buf_char(b, ' ');
		buf_str(b, *word);
	}
}

static void
begin(struct recorder *r)
{
	struct buf line = { 0 };
	size_t i;

	if (command.pid)
		record_attach_command(r, command.pid);
	for (i = 0; i < opt.n_pids; i++)
		record_attach_process(r, opt.pids[i]);
	add_command_line(&line);
	record_begin(r, buf_get(&line));
	buf_free(&line);
}

/* The capture's end is worth an interrupt or two; but when whatever takes it
 * has stopped, a request to end is one. */
static int
close_sink(struct sink *sink, int signals)
{
	double start = now();

	while (!sink_finish(sink, 200))
		if (!take_signals(signals, false) && now() - start > 1)
			die("given up: the capture could not be written in "
			    "full");
	return sink_close(sink);
}

static void
report(struct record_counts c, int failed)
{
	const struct event_type *e = opt.record.event;
	bool is_clock =
		!e || strstr(e->name, "clock") || !strcmp(e->name, "cycles");

	if (c.lost)
		warning("%llu records were lost, most of them samples: lower "
			"-F or --stack-size, or "
			"give the machine a free processor",
			(unsigned long long)c.lost);
	if (c.dropped)
		warning("%llu samples were left out: what reads the capture "
			"is too slow",
			(unsigned long long)c.dropped);
	if (failed && failed != EPIPE) {
		errno = failed;
		trouble_errno("%s: write failed",
			      opt.output ? opt.output : "standard output");
	}
	if (!c.samples && c.unsampled_ns)
		warning("no samples of its %.2f s of processor time: the "
			"kernel keeps programs that are set-user-ID or not "
			"readable from this user, and processes shorter than "
			"%g ms leave none",
			(double)c.unsampled_ns / 1e9,
			1000.0 / (double)opt.record.frequency);
	else if (!c.samples && command.pid && is_clock)
		note("no samples: it used less processor time than one takes "
		     "(%g ms)",
		     1000.0 / (double)opt.record.frequency);
}

/* 0, or the status to end with when the command cannot be executed. */
static int
release(struct sink *sink)
{
	int err = command.pid ? command_release(&command) : 0;

	if (!err)
		return 0;
	sink_abandon(sink);
	errno = err;
	trouble_errno("cannot run '%s'", opt.command[0]);
	return err == ENOENT ? COMMAND_MISSING : COMMAND_REFUSED;
}

/* Without a reader there is nothing to record any more, and still a command
 * to wait for. */
static int
run(const sigset_t *old_signals, int signals)
{
	struct sink *sink = sink_open(opt.output, opt.gzip);
	struct record_counts counts;
	struct recorder *r;
	int failed, status;
	bool wait;

	if (opt.command)
		command_start(&command, opt.command, old_signals, !opt.output);
	signal(SIGPIPE, SIG_IGN);
	sink_start(sink);
	r = record_new(&opt.record, sink);
	begin(r);
	status = release(sink);
	if (status) {
		record_abandon(r);
		return status;
	}
	wait = record_targets(r, sink, signals);
	if (wait && sink_is_alive(sink))
		wait_for_command(signals);
	command_reap(&command, false);
	counts = record_end(r, command.user_ns, command.system_ns);
	failed = close_sink(sink, signals);
	report(counts, failed);
	if (wait)
		wait_for_command(signals);
	return msg_status() ? msg_status() : command_status(&command);
}

/* What is ignored stays so: nohup(1) protects a recording, too. */
static void
handle(sigset_t *set, int sig)
{
	struct sigaction act;

	if (!sigaction(sig, NULL, &act) && act.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

int
main(int argc, char **argv)
{
	sigset_t handled, old;

	msg_init("pk-sample", COMMAND_TROUBLE);
	parse_options(argc, argv);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&handled);
	handle(&handled, SIGCHLD);
	handle(&handled, SIGINT);
	handle(&handled, SIGTERM);
	handle(&handled, SIGHUP);
	sigprocmask(SIG_BLOCK, &handled, &old);
	return run(&old, signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
}
