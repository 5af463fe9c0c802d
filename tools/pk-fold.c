/* SPDX-License-Identifier: MIT */
/* Turns captures (pk-capture(5)) and what other tools record into folded
 * stacks (pk-folded(5)), and merges folded stacks. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/limit.h"
#include "base/msg.h"
#include "base/option.h"
#include "base/output.h"
#include "base/xalloc.h"
#include "capture/copy.h"
#include "fold/fold.h"
#include "import/import.h"
#include "profile/edit.h"

static struct options {
	struct view view;
	struct symbol_options symbol;
	struct profile_edits edits;
	const struct import_format *format; /* NULL: by content */
	bool list;			    /* formats */
	bool to_capture, header;
	const char *output;
	const char **debug_dirs; /* NULL-ended */
	size_t n_debug_dirs, cap_debug_dirs;
} opt = { .view = VIEW_DEFAULT };
static const struct view default_view = VIEW_DEFAULT;

static const char help[] =
	"Usage: pk-fold [OPTION]... [FILE]...\n"
	"Turn captures and other tools' recordings into folded stacks.\n"
	"\n"
	"  -i, --input-format NAME what FILE is; `list` shows all (by "
	"content)\n"
	"The outermost frame:\n"
	"      --comm, --pid, --tid\n"
	"                          NAME (the default), NAME-PID, NAME-PID/TID\n"
	"Which samples:\n"
	"      --only-pid PID, --only-tid TID, --only-comm NAME\n"
	"  -e, --event NAME        of this event (the first one defined);\n"
	"      --event-filter NAME the same\n"
	"      --since SECONDS, --until SECONDS\n"
	"                          from the recording's start\n"
	"      --value WHAT        samples, weight (the event's unit), or "
	"auto\n"
	"Which stacks (REGEX: extended, may be repeated):\n"
	"      --focus REGEX, --ignore REGEX\n"
	"                          with, or without, such a frame\n"
	"      --hide REGEX        leave such frames out\n"
	"      --skip-after NAME   leave out what called NAME\n"
	"      --collapse-recursion\n"
	"                          equal neighbours become one frame\n"
	"      --time-order        a line for each run of equal stacks\n"
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
	"      --header            show what recordings say of themselves\n"
	"      --to-capture        write a capture with all samples, not "
	"folded\n"
	"  -o, --output FILE       write there, not to standard output\n"
	"  -h, --help, -V, --version\n"
	"\n"
	"Example: perf script | pk-fold --kernel | pk-flamesvg -o cpu.svg\n";

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
add_debug_dir(const char *option, const char *dir)
{
	GROW(opt.debug_dirs, opt.cap_debug_dirs, opt.n_debug_dirs + 2);
	need_dir(option, dir);
	opt.debug_dirs[opt.n_debug_dirs++] = dir;
	opt.debug_dirs[opt.n_debug_dirs] = NULL;
	opt.symbol.debug_dirs = opt.debug_dirs;
}

static void
set_sysroot(const char *option, const char *dir)
{
	need_dir(option, dir);
	opt.symbol.sysroot = dir;
}

static void
set_format(const char *option, const char *name)
{
	opt.list = !strcmp(name, "list");
	opt.format = import_find(name);
	if (!opt.format && !opt.list)
		die_usage("%s: there is no format '%s'; `-i list` shows all",
			  option, name);
}

static void
add_stack_option(const char *option, const char *word)
{
	struct profile_edits *e = &opt.edits;

	if (!strcmp(option, "--skip-after"))
		edit_add_name(&e->skip_after, word);
	else
		edit_add_regex(!strcmp(option, "--focus")    ? &e->focus
			       : !strcmp(option, "--ignore") ? &e->ignore
							     : &e->hide,
			       option, word);
}

static const char *const name_kinds[] = { "short", "full", "raw", NULL };
static const char *const values[] = { "auto", "samples", "weight", NULL };
static const char *const help_text[] = { help };
static const char *const version[] = { "pk-fold (profkit) " VERSION "\n" };

static const struct option_rule rules[] = {
	{ "input-format", 'i', OPTION_CALL, .call = set_format },
	{ "comm", 0, OPTION_SET, .to = &opt.view.root, .value = VIEW_COMM },
	{ "pid", 0, OPTION_SET, .to = &opt.view.root, .value = VIEW_PID },
	{ "tid", 0, OPTION_SET, .to = &opt.view.root, .value = VIEW_TID },
	{ "only-pid", 0, OPTION_NUMBER, .to = &opt.view.only_pid },
	{ "only-tid", 0, OPTION_NUMBER, .to = &opt.view.only_tid },
	{ "only-comm", 0, OPTION_STRING, .to = &opt.view.only_comm },
	{ "event", 'e', OPTION_STRING, .to = &opt.view.event },
	{ "event-filter", 0, OPTION_STRING, .to = &opt.view.event },
	{ "since", 0, OPTION_SECONDS, .to = &opt.view.since },
	{ "until", 0, OPTION_SECONDS, .to = &opt.view.until },
	{ "value", 0, OPTION_CHOICE, .to = &opt.view.value, .words = values },
	{ "focus", 0, OPTION_CALL, .call = add_stack_option },
	{ "ignore", 0, OPTION_CALL, .call = add_stack_option },
	{ "hide", 0, OPTION_CALL, .call = add_stack_option },
	{ "skip-after", 0, OPTION_CALL, .call = add_stack_option },
	{ "collapse-recursion", 0, OPTION_TRUE,
	  .to = &opt.edits.collapse_recursion },
	{ "time-order", 0, OPTION_TRUE, .to = &opt.view.time_order },
	{ "names", 0, OPTION_CHOICE, .to = &opt.view.names,
	  .words = name_kinds },
	{ "no-inline", 0, OPTION_TRUE, .to = &opt.view.no_inlines },
	{ "modules", 0, OPTION_TRUE, .to = &opt.view.modules },
	{ "lines", 0, OPTION_TRUE, .to = &opt.view.lines },
	{ "addrs", 0, OPTION_TRUE, .to = &opt.view.addrs },
	{ "kernel", 0, OPTION_BITS, .to = &opt.view.suffixes,
	  .value = VIEW_KERNEL },
	{ "jit", 0, OPTION_BITS, .to = &opt.view.suffixes, .value = VIEW_JIT },
	{ "annotate", 0, OPTION_BITS, .to = &opt.view.suffixes,
	  .value = VIEW_KERNEL | VIEW_JIT | VIEW_INLINED },
	{ "all", 0, OPTION_BITS, .to = &opt.view.suffixes,
	  .value = VIEW_KERNEL | VIEW_JIT | VIEW_INLINED },
	{ "debug-dir", 0, OPTION_CALL, .call = add_debug_dir },
	{ "sysroot", 0, OPTION_CALL, .call = set_sysroot },
	{ "no-debuginfod", 0, OPTION_TRUE, .to = &opt.symbol.no_debuginfod },
	{ "header", 0, OPTION_TRUE, .to = &opt.header },
	{ "to-capture", 0, OPTION_TRUE, .to = &opt.to_capture },
	{ "output", 'o', OPTION_STRING, .to = &opt.output },
	{ "help", 'h', OPTION_PRINT, .words = help_text },
	{ "version", 'V', OPTION_PRINT, .words = version },
	{ .name = NULL },
};

/* Of the filters that were asked for, those that FORMAT knows nothing of. */
static void
report_filters(const char *file, const struct import_format *format)
{
	static const struct import_format *said;
	const struct view *v = &opt.view;
	unsigned lacks = ~format->knows;
	struct buf names = { 0 };

	if (v->root == VIEW_PID && lacks & IMPORT_PID)
		buf_str(&names, ", --pid");
	if (v->root == VIEW_TID && lacks & IMPORT_TID)
		buf_str(&names, ", --tid");
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

/* ---- files ---- */

struct folding {
	struct folder *captures;
	struct capture_copy *copy; /* with --to-capture, else NULL */
	struct profile p;	   /* of what is no capture */
	bool any;		   /* something was read */
	unsigned units;		   /* IMPORT_BYTES...: of what was read */
};

static const struct import_format *
find_format(struct input *in)
{
	struct slice head = input_peek_some(in, IMPORT_HEAD);

	return opt.format || !head.len ? opt.format : import_guess(head);
}

/* The outermost frame of what knows threads is no function. */
static void
read_text(const struct import_format *format, struct input *in,
	  struct profile *p)
{
	struct profile file = { .in_order = p->in_order };
	bool direct = edits_are_none(&opt.edits);

	report_filters(input_name(in), format);
	import_run(format->read, format->description, format->knows, in,
		   direct ? p : &file, &opt.view);
	if (direct)
		return;
	profile_edit(&file, &opt.edits, format->knows & IMPORT_COMM);
	profile_merge(p, &file);
}

static bool
read_format(const struct import_format *format, struct input *in,
	    struct folding *f)
{
	if (format->read_capture)
		return format->read_capture(
			folder_capture(f->captures), in, &opt.symbol,
			f->copy ? capture_copy_sample : folder_sample,
			f->copy ? (void *)f->copy : f->captures);
	if (f->copy)
		die("%s holds %s: without addresses there is no capture to "
		    "make of it",
		    input_name(in), format->description);
	read_text(format, in, &f->p);
	if (opt.view.value != VIEW_SAMPLES)
		f->units |= format->knows & IMPORT_UNITS;
	return true;
}

static void
read_file(const char *path, bool several, struct folding *f)
{
	struct input *in = import_open(path, "a recording or folded stacks");
	const struct import_format *format = find_format(in);
	bool empty = !input_peek_some(in, 1).len, good = true;

	if (empty && several)
		warning("%s: is empty", input_name(in));
	if (import_lone_returns(input_peek_some(in, IMPORT_HEAD)))
		die("%s: its lines end in carriage returns alone: "
		    "`tr '\\r' '\\n'` makes newlines of them",
		    input_name(in));
	f->any = f->any || (!empty && format);
	if (!empty && format)
		good = read_format(format, in, f);
	else if (!empty)
		trouble("%s: %s", input_name(in),
			import_refusal(input_peek_some(in, IMPORT_HEAD)));
	input_close(in);
	if (!good)
		exit(msg_status());
}

/* --to-capture is of all samples: what chooses and shows comes when the
 * capture is folded. Both are static, so that what lies between members is
 * equal. */
static void
check_to_capture(void)
{
	if (memcmp(&opt.view, &default_view, sizeof opt.view) ||
	    !edits_are_none(&opt.edits) || opt.list || opt.header)
		die_usage("--to-capture writes all samples as they are: other "
			  "options go where the capture is folded");
}

/* Values that mean different things are added all the same: people know what
 * they add, once they know what it is. */
static void
report_units(const struct folding *f)
{
	unsigned units = f->units;

	if (folder_has_captures(f->captures) && folder_unit_is_ns(f->captures))
		units |= IMPORT_NS;
	if (units & (units - 1))
		warning("values of different kinds are added up:%s%s%s%s; "
			"fold the files one by one",
			units & IMPORT_NS ? " nanoseconds" : "",
			units & IMPORT_US ? " microseconds" : "",
			units & IMPORT_BYTES ? " bytes" : "",
			units & IMPORT_STACKS ? " stacks" : "");
}

static void
report_nothing(const struct folding *f)
{
	size_t i;

	if (f->copy || msg_status())
		return;
	for (i = 0; i < f->p.n_stacks; i++)
		if (f->p.stacks[i].value[0] != 0 ||
		    f->p.stacks[i].value[1] != 0)
			return;
	if (f->p.n_stacks)
		warning("all values are 0: there is nothing to write");
	else if (!edits_are_none(&opt.edits))
		warning("no stack passes --focus and --ignore");
}

static void
finish(struct folding *f)
{
	struct profile captured = { .in_order = f->p.in_order };
	bool any = folder_has_captures(f->captures) || f->p.lines;

	if (!any && msg_status())
		exit(msg_status());
	if (!f->any)
		die("the input is empty: there is nothing to fold");
	report_units(f);
	if (f->copy) {
		capture_copy_finish(f->copy);
		folder_free(f->captures);
	} else if (edits_are_none(&opt.edits)) {
		folder_finish(f->captures, &f->p);
	} else {
		folder_finish(f->captures, &captured);
		profile_edit(&captured, &opt.edits, true);
		profile_merge(&f->p, &captured);
	}
	if (!isfinite(f->p.magnitude))
		die("the values add up to more than a number can hold");
	report_nothing(f);
}

/* ---- -i list ---- */

/* The table, or what each operand is. */
static void
list_formats(char **paths, struct output *out)
{
	const struct import_format *format;
	struct buf b = { 0 };
	struct input *in;

	if (!*paths)
		import_list(out);
	for (; *paths; paths++) {
		if (strcmp(*paths, "-") && access(*paths, R_OK)) {
			trouble_errno("%s", *paths);
			continue;
		}
		in = import_open(*paths, "a recording or folded stacks");
		format = find_format(in);
		if (format)
			import_name(format, &b);
		else
			buf_str(&b, "unknown");
		buf_printf(&b, "\t%s\n", *paths);
		input_close(in);
	}
	output_slice(out, buf_get(&b));
	buf_free(&b);
}

/* ---- --header ---- */

static void
show_header(const char *path, struct output *out)
{
	struct input *in = import_open(path, "a recording");
	const struct import_format *format = find_format(in);

	if (!format || !format->header)
		trouble("%s: --header shows what captures and perf.data say of "
			"themselves, and this is neither",
			input_name(in));
	else
		format->header(in, out);
	input_close(in);
}

static void
show_headers(char **paths, struct output *out)
{
	if (!*paths)
		show_header("-", out);
	for (; *paths; paths++)
		show_header(*paths, out);
}

int
main(int argc, char **argv)
{
	struct folding f = { 0 };
	struct output *out;
	bool several;
	int i;

	msg_init("pk-fold", 2);
	i = option_parse(argc, argv, rules);
	if (opt.view.since > opt.view.until)
		die_usage("--since lies behind --until");
	if (opt.to_capture)
		check_to_capture();
	out = output_open(opt.output, opt.to_capture ? OUTPUT_NO_TERMINAL : 0,
			  opt.to_capture ? "a capture" : "folded stacks");
	raise_file_limit();
	if (opt.list || opt.header) {
		(opt.list ? list_formats : show_headers)(argv + i, out);
		output_close(out);
		return msg_status();
	}
	f.p.in_order = opt.view.time_order;
	f.captures =
		folder_new(&(struct fold_options){ &opt.view, opt.symbol });
	if (opt.to_capture)
		f.copy = capture_copy_new(folder_capture(f.captures), out);
	several = i + 1 < argc;
	if (i == argc)
		read_file("-", false, &f);
	for (; i < argc; i++)
		read_file(argv[i], several, &f);
	finish(&f);
	if (!opt.to_capture)
		profile_write(&f.p, out);
	output_close(out);
	profile_free(&f.p);
	edits_free(&opt.edits);
	free(opt.debug_dirs);
	return msg_status();
}
