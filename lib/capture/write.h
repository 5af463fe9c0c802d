/* SPDX-License-Identifier: MIT */
/*
 * Writing a capture, pk-capture(5): records are appended to a buffer that
 * the caller empties. Modules, frames and names are written at first use.
 * Times are nanoseconds since the capture's start.
 */
#ifndef PK_CAPTURE_WRITE_H
#define PK_CAPTURE_WRITE_H

#include <stdint.h>
#include "base/buf.h"
#include "capture/nodes.h"

struct capture_writer {
	struct buf out;	    /* complete lines, to be taken away */
	struct nodes nodes; /* the stack tree; modules are ids */
	uint32_t n_modules, n_events;
};

void capture_write_start(struct capture_writer *w);
void capture_write_meta(struct capture_writer *w, const char *key,
			struct slice value);
/* Returns the event's id. */
uint32_t capture_write_event(struct capture_writer *w, const char *unit,
			     uint64_t period, struct slice name);
void capture_write_proc(struct capture_writer *w, uint64_t time, uint32_t pid,
			uint32_t ppid, const char *how, struct slice name);
void capture_write_name(struct capture_writer *w, uint64_t time, uint32_t pid,
			uint32_t tid, struct slice name);
/* BUILD_ID as text, empty where unknown. Returns the module's id. */
uint32_t capture_write_module(struct capture_writer *w, struct slice build_id,
			      char base, struct slice path);
/* The id of the node, which is written when it is new. */
uint32_t capture_write_frame(struct capture_writer *w, uint32_t parent,
			     uint32_t module, uint64_t addr);
void capture_write_sample(struct capture_writer *w, uint64_t time, uint32_t pid,
			  uint32_t tid, uint32_t cpu, uint32_t event,
			  uint64_t weight, uint32_t stack);
void capture_write_symbol(struct capture_writer *w, uint64_t time,
			  uint32_t module, uint64_t addr, uint64_t size,
			  struct slice name);
void capture_write_lack(struct capture_writer *w, const char *what,
			uint64_t count);
void capture_write_end(struct capture_writer *w);
void capture_writer_free(struct capture_writer *w);

#endif
