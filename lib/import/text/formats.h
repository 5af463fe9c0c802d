/* SPDX-License-Identifier: MIT */
/*
 * The text formats. A new one is a file that defines import_guess_NAME and
 * import_read_NAME, and a line here:
 *
 *	F(name, what it can tell of a sample, "description")
 *
 * A guess sees the first IMPORT_HEAD bytes and returns how sure it is
 * (text.h); it never reads the file's name.
 */
#ifndef PK_IMPORT_TEXT_FORMATS_H
#define PK_IMPORT_TEXT_FORMATS_H

#include "import/text/text.h"

/* clang-format off */
#define IMPORT_TEXT_FORMATS(F) \
	F(folded, 0, "folded stacks") \
	F(perf_sched, IMPORT_COMM | IMPORT_PID | IMPORT_TID | IMPORT_TIME | IMPORT_US, \
	  "perf script of scheduler events, as time off the processor") \
	F(perf_script, IMPORT_COMM | IMPORT_PID | IMPORT_TID | IMPORT_TIME | \
			       IMPORT_EVENT, "perf script") \
	F(bpftrace, IMPORT_EVENT, "bpftrace's maps of stacks") \
	F(dtrace, 0, "DTrace's stacks") \
	F(stap, 0, "SystemTap's stacks") \
	F(gdb, IMPORT_COMM | IMPORT_TID | IMPORT_STACKS, "gdb's backtraces") \
	F(eu_stack, IMPORT_PID | IMPORT_TID | IMPORT_STACKS, "eu-stack's backtraces") \
	F(macos_sample, IMPORT_COMM | IMPORT_PID, "reports of macOS' sample") \
	F(pmcstat, IMPORT_EVENT, "callgraphs of pmcstat -G") \
	F(procstack, IMPORT_COMM | IMPORT_PID | IMPORT_TID | IMPORT_STACKS, \
	  "backtraces of AIX' procstack") \
	F(ljp, 0, "traces of the lightweight Java profiler") \
	F(wall_clock, 0, "stacks of the wall-clock profiler") \
	F(faulthandler, IMPORT_STACKS, "tracebacks of Python's faulthandler") \
	F(java_exceptions, IMPORT_STACKS, "stack traces of Java exceptions") \
	F(javacore, IMPORT_COMM | IMPORT_PID | IMPORT_TID | IMPORT_STACKS, \
	  "Java dumps of OpenJ9, javacore.txt") \
	F(jstack, IMPORT_COMM | IMPORT_PID | IMPORT_TID | IMPORT_STACKS, \
	  "thread dumps of Java, as jstack writes them") \
	F(lsan, IMPORT_PID | IMPORT_BYTES, "reports of LeakSanitizer") \
	F(memcheck, IMPORT_COMM | IMPORT_PID | IMPORT_BYTES, \
	  "leaks in reports of valgrind's memcheck") \
	F(pprof_raw, IMPORT_EVENT, "what go tool pprof -raw prints") \
	F(xdebug, IMPORT_TIME | IMPORT_US, "traces of xdebug in computerized format")
/* clang-format on */

#define DECLARE(name, knows, description)           \
	int import_guess_##name(struct slice head); \
	void import_read_##name(struct import *im);
IMPORT_TEXT_FORMATS(DECLARE)
#undef DECLARE

#endif
