/* SPDX-License-Identifier: MIT */
/* Turns captures (pk-capture(5)) into folded stacks (pk-folded(5)), and
 * merges folded stacks. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/limit.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/option.h"
#include "base/output.h"
#include "base/xalloc.h"
#include "fold/fold.h"
#include "import/import.h"

static struct options {
	struct view view;
	struct symbol_options symbol;
	const struct import_format *format; /* NULL: by content */
	const char *output;
	const char **debug_dirs; /* NULL-ended */
	size_t n_debug_dirs, cap_debug_dirs;
} opt = { .view = { .only_pid = UINT64_MAX,
		    .only_tid = UINT64_MAX,
		    .until = UINT64_MAX } };

static const char help[] =
	"Usage: pk-fold [OPTION]... [FILE]...\n"
	"Turn captures, or folded stacks, into one set of folded stacks.\n"
	"\n"
	"The outermost frame:\n"
	"      --comm              the thread's name (the default)\n"
	"      --pid, --tid        NAME-PID, NAME-PID/TID\n"
	"Which samples:\n"
	"      --only-pid PID, --only-tid TID, --only-comm NAME\n"
	"  -e, --event NAME        of this event (the first one defined)\n"
	"      --since SECONDS, --until SECONDS\n"
	"                          from the capture's start\n"
	"      --value WHAT        samples, weight (the event's unit), or "
	"auto: "
	"weight\n"
	"                          of time that varies (the default)\n"
	"Frames:\n"
	"      --names KIND        short, full (with parameters) or raw "
	"(mangled)\n"
	"      --no-inline         leave inlined calls out\n"
	"      --modules           module`name\n"
	"      --lines             name:file:line\n"
	"      --addrs             [module+0xoffset] where there is no name\n"
	"      --kernel, --jit     mark such frames with _[k], _[j]\n"
	"      --annotate, --all   these two, and inlined frames with _[i]\n"
	"Files:\n"
	"      --debug-dir DIR     look for debug files there, too\n"
	"      --sysroot DIR       look for recorded files there first\n"
	"      --no-debuginfod     do not ask the servers in DEBUGINFOD_URLS\n"
	"  -o, --output FILE       write there, not to standard output\n"
	"  -h, --help, -V, --version\n"
	"\n"
	"Example: pk-sample make | pk-fold --pid | pk-flamesvg -o make.svg\n";

enum {
	OPT_COMM = 256,
	OPT_PID,
	OPT_TID,
	OPT_ONLY_PID,
	OPT_ONLY_TID,
	OPT_ONLY_COMM,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_VALUE,
	OPT_NAMES,
	OPT_NO_INLINE,
	OPT_MODULES,
	OPT_LINES,
	OPT_ADDRS,
	OPT_KERNEL,
	OPT_JIT,
	OPT_ANNOTATE,
	OPT_DEBUG_DIR,
	OPT_SYSROOT,
	OPT_NO_DEBUGINFOD,
};

static const struct option long_options[] = {
	{ "comm", no_argument, NULL, OPT_COMM },
	{ "pid", no_argument, NULL, OPT_PID },
	{ "tid", no_argument, NULL, OPT_TID },
	{ "only-pid", required_argument, NULL, OPT_ONLY_PID },
	{ "only-tid", required_argument, NULL, OPT_ONLY_TID },
	{ "only-comm", required_argument, NULL, OPT_ONLY_COMM },
	{ "event", required_argument, NULL, 'e' },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "value", required_argument, NULL, OPT_VALUE },
	{ "names", required_argument, NULL, OPT_NAMES },
	{ "no-inline", no_argument, NULL, OPT_NO_INLINE },
	{ "modules", no_argument, NULL, OPT_MODULES },
	{ "lines", no_argument, NULL, OPT_LINES },
	{ "addrs", no_argument, NULL, OPT_ADDRS },
	{ "kernel", no_argument, NULL, OPT_KERNEL },
	{ "jit", no_argument, NULL, OPT_JIT },
	{ "annotate", no_argument, NULL, OPT_ANNOTATE },
	{ "all", no_argument, NULL, OPT_ANNOTATE },
	{ "debug-dir", required_argument, NULL, OPT_DEBUG_DIR },
	{ "sysroot", required_argument, NULL, OPT_SYSROOT },
	{ "no-debuginfod", no_argument, NULL, OPT_NO_DEBUGINFOD },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static uint64_t
seconds_to_ns(const char *option)
{
	return (uint64_t)(option_double(option, optarg, 0, 1e9) * 1e9);
}

static void
need_dir(const char *option, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) || access(dir, R_OK | X_OK))
		die_errno("%s %s", option, dir);
	if (!S_ISDIR(st.st_mode))
		die("%s %s: is no directory", option, dir);
}

static void
add_debug_dir(const char *dir)
{
	GROW(opt.debug_dirs, opt.cap_debug_dirs, opt.n_debug_dirs + 2);
	need_dir("--debug-dir", dir);
	opt.debug_dirs[opt.n_debug_dirs++] = dir;
	opt.debug_dirs[opt.n_debug_dirs] = NULL;
	opt.symbol.debug_dirs = opt.debug_dirs;
}

static void
set_frame_option(int c)
{
	static const char *const names[] = { "short", "full", "raw", NULL };
	struct view *o = &opt.view;

	switch (c) {
	case OPT_NAMES:
		o->names = (enum view_names)option_choice("--names", optarg,
							  names);
		break;
	case OPT_NO_INLINE:
		o->no_inlines = true;
		break;
	case OPT_MODULES:
		o->modules = true;
		break;
	case OPT_LINES:
		o->lines = true;
		break;
	case OPT_ADDRS:
		o->addrs = true;
		break;
	case OPT_KERNEL:
		o->suffixes |= VIEW_KERNEL;
		break;
	case OPT_JIT:
		o->suffixes |= VIEW_JIT;
		break;
	case OPT_ANNOTATE:
		o->suffixes = VIEW_KERNEL | VIEW_JIT | VIEW_INLINED;
		break;
	}
}

static void
set_option(int c)
{
	static const char *const values[] = { "auto", "samples", "weight",
					      NULL };
	struct view *o = &opt.view;

	switch (c) {
	case OPT_COMM:
	case OPT_PID:
	case OPT_TID:
		o->root = (enum view_root)(VIEW_COMM + (c - OPT_COMM));
		break;
	case OPT_ONLY_PID:
		o->only_pid = option_u64("--only-pid", optarg, 0, UINT32_MAX);
		break;
	case OPT_ONLY_TID:
		o->only_tid = option_u64("--only-tid", optarg, 0, UINT32_MAX);
		break;
	case OPT_ONLY_COMM:
		o->only_comm = optarg;
		break;
	case 'e':
		o->event = optarg;
		break;
	case OPT_SINCE:
		o->since = seconds_to_ns("--since");
		break;
	case OPT_UNTIL:
		o->until = seconds_to_ns("--until");
		break;
	case OPT_VALUE:
		o->value = (enum view_value)option_choice("--value", optarg,
							  values);
		break;
	case OPT_DEBUG_DIR:
		add_debug_dir(optarg);
		break;
	case OPT_SYSROOT:
		need_dir("--sysroot", optarg);
		opt.symbol.sysroot = optarg;
		break;
	case OPT_NO_DEBUGINFOD:
		opt.symbol.no_debuginfod = true;
		break;
	case 'o':
		opt.output = optarg;
		break;
	case 'h':
		option_print(help);
	case 'V':
		option_print("pk-fold (profkit) " VERSION "\n");
	default:
		set_frame_option(c);
	}
}

/* Of the filters that were asked for, those that FORMAT knows nothing of. */
static void
report_filters(const char *file, const struct import_format *format)
{
	static const struct import_format *said;
	const struct view *v = &opt.view;
	unsigned lacks = ~format->knows;
	struct buf names = { 0 };

	if (v->event && lacks & IMPORT_EVENT)
		buf_str(&names, ", -e");
	if (v->only_pid != UINT64_MAX && lacks & IMPORT_PID)
		buf_str(&names, ", --only-pid");
	if (v->only_tid != UINT64_MAX && lacks & IMPORT_TID)
		buf_str(&names, ", --only-tid");
	if (v->only_comm && lacks & IMPORT_COMM)
		buf_str(&names, ", --only-comm");
	if (v->since && lacks & IMPORT_TIME)
		buf_str(&names, ", --since");
	if (v->until != UINT64_MAX && lacks & IMPORT_TIME)
		buf_str(&names, ", --until");
	if (names.len && said != format)
		warning("%s holds %s: %s %s not apply to it", file,
			format->description, names.ptr + 2,
			strchr(names.ptr + 2, ',') ? "do" : "does");
	said = format;
	buf_free(&names);
}

static bool
read_format(const struct import_format *format, struct input *in,
	    struct folder *f, struct profile *p)
{
	if (format->read_capture)
		return format->read_capture(folder_capture(f), in, &opt.symbol,
					    folder_sample, f);
	report_filters(input_name(in), format);
	import_run(format->read, format->description, in, p, &opt.view);
	return true;
}

static void
read_file(const char *path, bool several, struct folder *f, struct profile *p)
{
	struct input *in = input_open(path, "a capture or folded stacks");
	struct slice head = input_peek(in);
	const struct import_format *format = opt.format;
	bool good = true;

	if (!head.len && several)
		warning("%s: is empty", input_name(in));
	if (head.len && !format)
		format = import_guess(head);
	if (head.len && format)
		good = read_format(format, in, f, p);
	else if (head.len)
		trouble("%s: this is no format that pk-fold knows; -i list "
			"shows all, -i NAME chooses one",
			input_name(in));
	input_close(in);
	if (!good)
		exit(msg_status());
}

int
main(int argc, char **argv)
{
	struct profile p = { 0 };
	struct folder *f;
	struct output *out;
	bool several;
	int c;

	msg_init("pk-fold", 2);
	while ((c = option_next(argc, argv, "e:o:hV", long_options)) != -1)
		set_option(c);
	if (opt.view.since > opt.view.until)
		die_usage("--since lies behind --until");
	out = output_open(opt.output, 0, "folded stacks");
	raise_file_limit();
	f = folder_new(&(struct fold_options){ &opt.view, opt.symbol });
	if (optind == argc)
		read_file("-", false, f, &p);
	several = optind + 1 < argc;
	for (; optind < argc; optind++)
		read_file(argv[optind], several, f, &p);
	if (!folder_has_captures(f) && !p.lines && msg_status())
		exit(msg_status());
	if (!folder_has_captures(f) && !p.lines)
		die("the input is empty: there is nothing to fold");
	if (!isfinite(p.magnitude))
		die("the values add up to more than a number can hold");
	folder_finish(f, &p);
	profile_write(&p, out);
	output_close(out);
	profile_free(&p);
	free(opt.debug_dirs);
	return msg_status();
}
