/* SPDX-License-Identifier: MIT */
/*
 * Formats that hold addresses: they become a capture in memory, and lib/symbol
 * names them as it names a recorder's. A new one is a file that defines
 * machine_guess_NAME, machine_read_NAME and
 * machine_header_NAME, and a line here.
 */
#ifndef PK_IMPORT_MACHINE_FORMATS_H
#define PK_IMPORT_MACHINE_FORMATS_H

#include "base/output.h"
#include "capture/capture.h"
#include "symbol/symbol.h"

/* clang-format off */
#define IMPORT_MACHINE_FORMATS(F) \
	F(capture, "pk-capture(5), as pk-sample writes it") \
	F(perf_data, "perf.data, as perf record writes it")
/* clang-format on */

/* Writes what the recording IN says of itself, `KEY: VALUE` a line. False when
 * it is none after all, which has been said. */
typedef bool machine_header_fn(struct input *in, struct output *out);

/*
 * Reads IN into C and hands each sample to FN, as capture_read does and with
 * its return value. OPT says where files are looked for when stacks have to be
 * unwound.
 */
typedef bool machine_read_fn(struct capture *c, struct input *in,
			     const struct symbol_options *opt,
			     capture_sample_fn *fn, void *ctx);

#define DECLARE(name, description)                   \
	int machine_guess_##name(struct slice head); \
	machine_read_fn machine_read_##name;         \
	machine_header_fn machine_header_##name;
IMPORT_MACHINE_FORMATS(DECLARE)
#undef DECLARE

#endif
