/* SPDX-License-Identifier: MIT */
/*
 * perf.data, as perf record writes it to a file, a pipe or a directory: its
 * records decoded and put in order. What they mean for processes and stacks is
 * the affair of perf_data.c.
 *
 * Sources: linux/perf_event.h; tools/perf/Documentation/perf.data-file-format
 * as far as it describes files; and what perf writes. Every count and size in
 * a file is checked against what the file holds.
 */
#ifndef PK_IMPORT_MACHINE_PERF_H
#define PK_IMPORT_MACHINE_PERF_H

#include <linux/perf_event.h>
#include "base/input.h"
#include "base/output.h"
#include "base/slice.h"

/* An event of the recording: an attr, with what the feature sections tell. */
struct perf_event {
	struct perf_event_attr attr; /* zero-extended, native byte order */
	struct slice name;	     /* "cycles:u"; made up where not stored */
	bool tracks_only;	     /* a dummy: no samples */
};

/* A record's own time and whose it is, as far as it says: from a sample's
 * fields, or from the trailer of sample_id_all. */
struct perf_origin {
	uint64_t time;		/* ns; UINT64_MAX: unknown */
	uint32_t pid, tid, cpu; /* UINT32_MAX: unknown */
};

/* A sample's parts, in native byte order; what an event does not have is 0,
 * NULL, and for times and ids as in perf_origin. */
struct perf_sample {
	const struct perf_event *event;
	struct perf_origin origin;
	uint64_t ip, addr;
	uint64_t period;       /* its own, or the event's fixed one */
	uint8_t cpumode;       /* PERF_RECORD_MISC_KERNEL, _USER... */
	const uint64_t *chain; /* with PERF_CONTEXT_* marks */
	uint64_t n_chain;
	struct perf_branch { /* newest first */
		uint64_t from, to, flags;
	} const *branches;
	uint64_t n_branches;
	bool branches_are_calls; /* PERF_SAMPLE_BRANCH_CALL_STACK */
	uint64_t regs_abi, regs_mask;
	const uint64_t *regs; /* in the order of the mask's bits */
	uint64_t n_regs;
	const unsigned char *stack; /* what was really copied */
	size_t stack_size, stack_asked;
	struct slice raw; /* a tracepoint's fields, in the file's byte order */
};

/* Records other than samples that change what addresses mean. */
struct perf_mmap {
	struct perf_origin origin;
	uint32_t pid, tid; /* pid UINT32_MAX: the kernel */
	uint64_t addr, len, pgoff;
	uint32_t maj, min, prot, flags;
	uint64_t ino, generation;
	struct slice build_id; /* bytes; empty: unknown */
	struct slice path;
	bool executable;
	uint8_t cpumode;
};

struct perf_task { /* FORK, EXIT */
	struct perf_origin origin;
	uint32_t pid, ppid, tid, ptid;
};

struct perf_comm {
	struct perf_origin origin;
	uint32_t pid, tid;
	bool exec;
	struct slice name;
};

struct perf_ksymbol {
	struct perf_origin origin;
	uint64_t addr;
	uint32_t len;
	bool unregister, is_bpf;
	struct slice name;
};

struct perf_lost {
	struct perf_origin origin;
	uint64_t count;
	bool samples; /* LOST_SAMPLES: of samples only */
};

/* What is called, in order of time; records without one first, in the order
 * of the file. All pointers are good until the function returns. NULL: not
 * wanted. */
struct perf_handler {
	void (*sample)(void *ctx, const struct perf_sample *s);
	void (*mmap)(void *ctx, const struct perf_mmap *m);
	void (*comm)(void *ctx, const struct perf_comm *c);
	void (*fork)(void *ctx, const struct perf_task *t);
	void (*exit)(void *ctx, const struct perf_task *t);
	void (*ksymbol)(void *ctx, const struct perf_ksymbol *k);
	void (*lost)(void *ctx, const struct perf_lost *l);
	void (*throttle)(void *ctx, const struct perf_origin *o, bool begins);
	/* of another TYPE (PERF_RECORD_SWITCH...), which changes nothing here
	 */
	void (*other)(void *ctx, uint32_t type, const struct perf_origin *o);
};

/* The recording's header, from the feature sections. Absent strings are
 * empty. */
struct perf_header {
	struct slice hostname, os_release, version, arch, cmdline, cpu_desc;
	uint32_t cpus_online, cpus_available;
	uint64_t memory;		    /* bytes */
	uint64_t first_sample, last_sample; /* SAMPLE_TIME; 0: unknown */
	uint32_t clock_id;		    /* UINT32_MAX: perf's own */
	uint64_t clock_resolution;
	uint64_t wall_clock, clock_at_wall; /* CLOCK_DATA, ns; 0: unknown */
	bool foreign_endian, pipe_mode, compressed;
	struct perf_build_id { /* by path */
		int32_t pid;
		uint16_t misc;
		struct slice id; /* bytes */
		struct slice path;
	} * build_ids;
	size_t n_build_ids;
	uint64_t features[4]; /* the flags of the file */
};

struct perf_file;

/* Whether a file that begins with HEAD is one. */
bool perf_is_recording(struct slice head);
/* An input_folder_fn: perf record writes a folder when it is told --threads or
 * --kcore; the file `data` in it is the recording. */
struct input *perf_open_folder(const char *path);
/*
 * Opens a recording, which IN must outlive, as it must all that was handed
 * over. The files of a folder (perf record --threads) are looked for beside
 * what IN was opened from. What is no perf.data, or one that nothing can be
 * read of, is trouble() and NULL. Of a pipe, header and events fill while
 * records are read, and events may move.
 */
struct perf_file *perf_open(struct input *in);
const char *perf_name(const struct perf_file *f); /* for messages */
const struct perf_header *perf_header(const struct perf_file *f);
const struct perf_event *perf_events(const struct perf_file *f, size_t *n);
/*
 * Hands over all records. Memory is bounded: by the recording's rounds
 * (FINISHED_ROUND) where there are some, else by an index of the records and
 * what the file system caches. A file that is cut off is read as far as it
 * goes; then, and for every record that is damaged, a count is said once at
 * the end. False when nothing could be read at all, which has been said.
 */
bool perf_read(struct perf_file *f, const struct perf_handler *h, void *ctx);
void perf_close(struct perf_file *f);

/* The header as text for people, `KEY: VALUE` a line. Of a pipe, after
 * perf_read. */
void perf_print_header(const struct perf_file *f, struct output *out);

#endif
