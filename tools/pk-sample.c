/* SPDX-License-Identifier: MIT */
/* Samples a command, or processes that run: perf events in, a capture
 * (pk-capture(5)) out. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/option.h"
#include "base/xalloc.h"
#include "record/command.h"
#include "record/record.h"
#include "record/signals.h"

static struct options {
	struct record_options record;
	const char *output;
	bool gzip, no_wait;
	double duration; /* seconds, 0: no limit */
	unsigned keep;	 /* files, 0: all */
	struct ids {
		int *list;
		size_t n, cap;
	} pids, tids, cpus;
	struct event_spec *events;
	size_t n_events, cap_events;
	char **command;
} opt = { .record = { .frequency = 999,
		      .unwind = RECORD_CFI,
		      .stack_size = RECORD_STACK_MAX } };

static const char help[] =
	"Usage: pk-sample [OPTION]... COMMAND [ARGUMENT]...\n"
	"       pk-sample [OPTION]... -p PID[,PID]... | -t TID[,TID]... | -a\n"
	"Sample what COMMAND and all it starts, or others do on the "
	"processors, "
	"and write\n"
	"a capture for pk-fold. Options end at COMMAND.\n"
	"\n"
	"  -p, --pid PID[,PID]...  processes that run already\n"
	"  -t, --tid TID[,TID]...  single threads, without what they start\n"
	"  -a, --all               everything; with COMMAND, until that ends\n"
	"  -C, --cpu LIST          on these processors only, as 0-3,8\n"
	"  -e, --event EVENT[,...] cycles, else cpu-clock; 'list' shows all\n"
	"  -F, --frequency HZ      samples a second and processor (999)\n"
	"  -c, --period N          a sample every N events instead\n"
	"      --off-cpu           how long threads wait, and where\n"
	"      --wall              that and cpu-clock, as one\n"
	"      --no-kernel         leave the kernel out\n"
	"      --per-cpu           watch processors, for short processes, "
	"or threads:\n"
	"      --per-thread        without either, what suits and is allowed\n"
	"      --unwind HOW        stacks by cfi (default), fp (frame "
	"pointers), "
	"none\n"
	"      --stack-size BYTES  of the stack to copy for cfi (65528)\n"
	"      --delay SECONDS     begin later\n"
	"  -d, --duration SECONDS  end the recording then; COMMAND runs on\n"
	"      --no-wait           end with COMMAND, not with all it started\n"
	"  -o, --output FILE       write the capture there; without it, it "
	"goes "
	"to\n"
	"                          standard output, and COMMAND's own to "
	"standard error\n"
	"      --rotate SECONDS    a new FILE each time, -o for strftime(3), "
	"UTC\n"
	"      --keep N            of those, only the last N\n"
	"      --embed             all symbols, for another machine\n"
	"  -z, --gzip              compress the capture\n"
	"  -h, --help              show this help\n"
	"  -V, --version           show the version\n"
	"\n"
	"Ends with COMMAND's status; 125 trouble, 126 or 127 COMMAND cannot "
	"run.\n"
	"Example: pk-sample ./server --bench | pk-fold | pk-flamesvg -o "
	"cpu.svg\n";

enum {
	OPT_UNWIND = 256,
	OPT_STACK_SIZE,
	OPT_NO_WAIT,
	OPT_OFF_CPU,
	OPT_WALL,
	OPT_NO_KERNEL,
	OPT_PER_CPU,
	OPT_PER_THREAD,
	OPT_DELAY,
	OPT_ROTATE,
	OPT_KEEP,
	OPT_EMBED,
};

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "tid", required_argument, NULL, 't' },
	{ "all", no_argument, NULL, 'a' },
	{ "cpu", required_argument, NULL, 'C' },
	{ "event", required_argument, NULL, 'e' },
	{ "frequency", required_argument, NULL, 'F' },
	{ "period", required_argument, NULL, 'c' },
	{ "off-cpu", no_argument, NULL, OPT_OFF_CPU },
	{ "wall", no_argument, NULL, OPT_WALL },
	{ "no-kernel", no_argument, NULL, OPT_NO_KERNEL },
	{ "per-cpu", no_argument, NULL, OPT_PER_CPU },
	{ "per-thread", no_argument, NULL, OPT_PER_THREAD },
	{ "unwind", required_argument, NULL, OPT_UNWIND },
	{ "stack-size", required_argument, NULL, OPT_STACK_SIZE },
	{ "delay", required_argument, NULL, OPT_DELAY },
	{ "duration", required_argument, NULL, 'd' },
	{ "no-wait", no_argument, NULL, OPT_NO_WAIT },
	{ "output", required_argument, NULL, 'o' },
	{ "rotate", required_argument, NULL, OPT_ROTATE },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "embed", no_argument, NULL, OPT_EMBED },
	{ "gzip", no_argument, NULL, 'z' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* ---- options ---- */

static void
add_id(struct ids *ids, uint64_t id)
{
	GROW(ids->list, ids->cap, ids->n + 1);
	ids->list[ids->n++] = (int)id;
}

static void
add_ids(struct ids *ids, const char *option, const char *list)
{
	struct slice rest = slice_str(list);

	while (rest.ptr) {
		struct slice word = slice_cut(&rest, ',');
		uint64_t id;

		if (!parse_u64(word, &id) || !id || id > INT32_MAX)
			die_usage("%s: '%s' is not a list of numbers from 1 "
				  "on",
				  option, list);
		add_id(ids, id);
	}
}

static void
add_cpus(const char *list)
{
	struct slice rest = slice_str(list);

	while (rest.ptr) {
		struct slice word = slice_cut(&rest, ','), last = word;
		struct slice first = slice_cut(&last, '-');
		uint64_t from, to;

		if (!last.ptr)
			last = first;
		if (!parse_u64(first, &from) || !parse_u64(last, &to) ||
		    from > to || to >= 1 << 14)
			die_usage("-C: '%s' is not a list of processors such "
				  "as 0-3,8",
				  list);
		for (; from <= to; from++)
			add_id(&opt.cpus, from);
	}
}

static void
add_event(const char *name)
{
	struct buf why = { 0 };

	GROW(opt.events, opt.cap_events, opt.n_events + 1);
	if (!event_parse(name, &opt.events[opt.n_events], &why))
		die_usage("-e: %s", why.ptr);
	opt.n_events++;
}

static void
add_events(char *list)
{
	char *name, *rest = list;

	if (!strcmp(list, "list")) {
		event_list();
		option_print("");
	}
	while ((name = strsep(&rest, ",")))
		add_event(name);
}

static void
set_record_option(int c)
{
	static const char *const unwinds[] = { "cfi", "fp", "none", NULL };
	struct record_options *r = &opt.record;

	switch (c) {
	case 'F':
		r->frequency = option_u64("-F", optarg, 1, 1000000);
		r->frequency_given = true;
		break;
	case 'c':
		r->period = option_u64("-c", optarg, 1, INT64_MAX);
		break;
	case OPT_OFF_CPU:
		r->off_cpu = true;
		break;
	case OPT_WALL:
		r->wall = true;
		break;
	case OPT_NO_KERNEL:
		r->no_kernel = true;
		break;
	case OPT_PER_CPU:
		r->scope = RECORD_PER_CPU;
		break;
	case OPT_PER_THREAD:
		r->scope = RECORD_PER_THREAD;
		break;
	case OPT_UNWIND:
		r->unwind = (enum record_unwind)option_choice("--unwind",
							      optarg, unwinds);
		break;
	case OPT_STACK_SIZE:
		r->stack_size = (uint32_t)option_u64("--stack-size", optarg,
						     1024, RECORD_STACK_MAX) &
				~7u;
		break;
	case OPT_DELAY:
		r->delay_ns =
			(uint64_t)(option_double("--delay", optarg, 0, 1e9) *
				   1e9);
		break;
	case OPT_ROTATE:
		r->rotate_ns =
			(uint64_t)(option_double("--rotate", optarg, 1, 1e9) *
				   1e9);
		break;
	case OPT_EMBED:
		r->embed = true;
		break;
	}
}

static void
set_option(int c)
{
	switch (c) {
	case 'p':
		add_ids(&opt.pids, "-p", optarg);
		break;
	case 't':
		add_ids(&opt.tids, "-t", optarg);
		break;
	case 'a':
		opt.record.everything = true;
		break;
	case 'C':
		add_cpus(optarg);
		break;
	case 'e':
		add_events(optarg);
		break;
	case 'd':
		opt.duration = option_double("-d", optarg, 0.001, 1e9);
		break;
	case OPT_NO_WAIT:
		opt.no_wait = true;
		break;
	case OPT_KEEP:
		opt.keep = (unsigned)option_u64("--keep", optarg, 1, 1000000);
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
	default:
		set_record_option(c);
	}
}

/* One kind of target, which -C alone makes everything. */
static void
check_targets(void)
{
	struct record_options *r = &opt.record;
	int kinds = !!opt.command + !!opt.pids.n + !!opt.tids.n;

	if (!kinds && opt.cpus.n)
		r->everything = true;
	if (!kinds && !r->everything)
		die_usage("what is to be sampled? Give a command, -p PID, or "
			  "-a for everything");
	if (kinds > 1 || (r->everything && (opt.pids.n || opt.tids.n)))
		die_usage("give a command, -p, -t or -a; only -a goes with a "
			  "command");
	if (opt.tids.n && r->scope == RECORD_PER_CPU)
		die_usage("--per-cpu cannot tell threads apart: use it without "
			  "-t, and pk-fold --only-tid");
	if (r->everything && r->scope == RECORD_PER_THREAD)
		die_usage("-a is of processors: --per-thread does not go with "
			  "it");
}

/* Seconds from file to file. */
static double
rotation(void)
{
	return (double)opt.record.rotate_ns / 1e9;
}

static void
check_combinations(void)
{
	struct record_options *r = &opt.record;
	size_t i;

	if (r->period && r->frequency_given)
		die_usage("give -F or -c, not both");
	for (i = 0; i < opt.n_events; i++)
		if (opt.events[i].exclude_user && r->no_kernel)
			die_usage("-e %s is of the kernel only, which "
				  "--no-kernel leaves out",
				  opt.events[i].name);
	if (r->wall && r->off_cpu)
		die_usage("--wall has --off-cpu in it: give one of them");
	if (r->off_cpu && !opt.n_events && (r->period || r->frequency_given))
		die_usage("--off-cpu records each wait: give -F or -c with -e");
	if (r->wall && opt.n_events)
		die_usage("--wall has an event of its own: give it without -e");
	if (r->rotate_ns && (!opt.output || !strchr(opt.output, '%')))
		die_usage("--rotate needs -o with a pattern for each file's "
			  "name, such as -o cpu-%%H%%M%%S.pkc");
	if (opt.keep && !r->rotate_ns)
		die_usage("--keep goes with --rotate");
	if (r->rotate_ns && !sink_pattern_differs(opt.output, rotation()))
		die_usage("-o: '%s' names files alike that are %g s apart",
			  opt.output, rotation());
}

static void
parse_options(int argc, char **argv)
{
	int c;

	while ((c = option_next(argc, argv, "+p:t:aC:e:F:c:d:o:zhV",
				long_options)) != -1)
		set_option(c);
	if (optind < argc)
		opt.command = argv + optind;
	check_targets();
	check_combinations();
	opt.record.events = opt.events;
	opt.record.n_events = opt.n_events;
	opt.record.cpus = opt.cpus.list;
	opt.record.n_cpus = opt.cpus.n;
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
	double end = start + (double)opt.record.delay_ns / 1e9 + opt.duration;
	bool terminal = isatty(STDERR_FILENO), going = true, stopped = false;

	while (going && !stopped && sink_is_alive(sink)) {
		double left = opt.duration ? end - now() : 1;
		int timeout = left > 0.2 ? 200
			      : left > 0 ? (int)(left * 1e3)
					 : 0;

		going = record_poll(r, &extra, 1, timeout);
		stopped = !signals_take(signals, &command, true) ||
			  (command.ended && opt.no_wait) ||
			  (opt.duration && now() >= end);
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
	static struct buf line;
	size_t i;

	if (command.pid)
		record_attach_command(r, command.pid);
	for (i = 0; i < opt.pids.n; i++)
		record_attach_process(r, opt.pids.list[i]);
	for (i = 0; i < opt.tids.n; i++)
		record_attach_thread(r, opt.tids.list[i]);
	if (opt.record.everything && !command.pid)
		record_attach_everything(r);
	add_command_line(&line);
	record_begin(r, buf_get(&line));
}

/* The capture's end is worth an interrupt or two; but when whatever takes it
 * has stopped, a request to end is one. */
static int
close_sink(struct sink *sink, int signals, char **failed_name)
{
	double start = now();

	while (!sink_finish(sink, 200))
		if (!signals_take(signals, &command, false) &&
		    now() - start > 1)
			die("given up: the capture could not be written in "
			    "full");
	return sink_close(sink, failed_name);
}

/* Whether a command that used the processor must have left samples. */
static bool
expects_samples(void)
{
	size_t i;

	for (i = 0; i < opt.n_events; i++)
		if (!strstr(opt.events[i].name, "clock") &&
		    strcmp(opt.events[i].name, "cycles"))
			return false;
	return command.pid && !opt.record.everything && !opt.record.delay_ns &&
	       !opt.record.period && !opt.cpus.n && !opt.record.off_cpu &&
	       !opt.duration;
}

static void
report_few_samples(struct record_counts c)
{
	if (c.samples)
		return;
	if (!c.began)
		warning("no samples: the recording ended before --delay was "
			"over");
	if (c.unsampled_ns)
		warning("no samples of its %.2f s of processor time: the "
			"kernel keeps programs that are set-user-ID or not "
			"readable from this user, and processes shorter than "
			"%g ms leave none",
			(double)c.unsampled_ns / 1e9,
			1000.0 / (double)opt.record.frequency);
	else if (expects_samples())
		note("no samples: it used less processor time than one takes "
		     "(%g ms)",
		     1000.0 / (double)opt.record.frequency);
}

static void
report(struct record_counts c, int failed, const char *failed_name)
{
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
		trouble_errno("%s: write failed", failed_name);
	}
	report_few_samples(c);
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

static struct sink *
open_sink(void)
{
	const struct sink_rotation several = { opt.output, rotation(),
					       opt.keep };

	return opt.record.rotate_ns
		       ? sink_open_rotated(&several, opt.gzip, time(NULL))
		       : sink_open(opt.output, opt.gzip);
}

/* Without a reader there is nothing to record any more, and still a command
 * to wait for. */
static int
run(const sigset_t *old_signals, int signals)
{
	struct sink *sink = open_sink();
	struct record_counts counts;
	char *failed_name = NULL;
	struct recorder *r;
	int failed, status;
	bool wait;

	if (opt.command) {
		command_start(&command, opt.command, old_signals, !opt.output);
		signals_pass_on(&command);
	}
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
		signals_wait(signals, &command);
	command_reap(&command, false);
	counts = record_end(r, command.user_ns, command.system_ns);
	failed = close_sink(sink, signals, &failed_name);
	report(counts, failed, failed_name);
	free(failed_name);
	if (wait)
		signals_wait(signals, &command);
	return msg_status() ? msg_status() : command_status(&command);
}

int
main(int argc, char **argv)
{
	sigset_t old;
	int signals;

	msg_init("pk-sample", COMMAND_TROUBLE);
	parse_options(argc, argv);
	signals = signals_open(&old);
	return run(&old, signals);
}
