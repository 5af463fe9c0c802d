/* SPDX-License-Identifier: MIT */
/* What a recording says of itself, as text: `KEY: VALUE` a line. */
#include "import/machine/perf_internal.h"

#include <inttypes.h>
#include <time.h>
#include "base/buf.h"
#include "base/text.h"
#include "import/machine/formats.h"

static void
put_text(struct buf *b, const char *key, struct slice text)
{
	if (!text.len)
		return;
	buf_printf(b, "%s: ", key);
	text_show(b, text);
	buf_char(b, '\n');
}

static void
put_machine(struct buf *b, const struct perf_header *h)
{
	put_text(b, "host", h->hostname);
	put_text(b, "kernel", h->os_release);
	put_text(b, "architecture", h->arch);
	put_text(b, "processor", h->cpu_desc);
	if (h->cpus_available)
		buf_printf(b, "processors: %u, of which online: %u\n",
			   h->cpus_available, h->cpus_online);
	if (h->memory)
		buf_printf(b, "memory: %ju KiB\n", (uintmax_t)h->memory / 1024);
	put_text(b, "perf", h->version);
	put_text(b, "command", h->cmdline);
}

static void
put_form(struct buf *b, const struct perf_file *f)
{
	buf_str(b, "form: ");
	buf_str(b, f->header.pipe_mode ? "pipe"
		   : f->directory      ? "folder"
				       : "file");
	if (f->header.foreign_endian)
		buf_str(b, ", of the other byte order");
	if (f->header.compressed)
		buf_str(b, ", compressed");
	buf_char(b, '\n');
}

/* Names of bits, the lowest first; ended by NULL. */
static const char *const sample_parts[] = {
	"ip",
	"tid",
	"time",
	"addr",
	"read",
	"callchain",
	"id",
	"cpu",
	"period",
	"stream_id",
	"raw",
	"branch_stack",
	"regs_user",
	"stack_user",
	"weight",
	"data_src",
	"identifier",
	"transaction",
	"regs_intr",
	"phys_addr",
	"aux",
	"cgroup",
	"data_page",
	"code_page",
	"weight_struct",
	NULL,
};

static void
put_bits(struct buf *b, uint64_t bits, const char *const *names)
{
	const char *before = "";

	for (; *names; names++, bits >>= 1)
		if (bits & 1) {
			buf_printf(b, "%s%s", before, *names);
			before = ", ";
		}
}

static void
put_event(struct buf *b, const struct perf_event *e)
{
	const struct perf_event_attr *a = &e->attr;

	buf_str(b, "event: ");
	text_show(b, e->name);
	buf_printf(b, "; type %u, config 0x%" PRIx64 ", ", a->type,
		   (uint64_t)a->config);
	buf_printf(b, a->freq ? "%" PRIu64 " times a second" : "every %" PRIu64,
		   (uint64_t)a->sample_period);
	if (a->exclude_user)
		buf_str(b, ", without user");
	if (a->exclude_kernel)
		buf_str(b, ", without kernel");
	if (a->precise_ip)
		buf_printf(b, ", precise %u", a->precise_ip);
	if (a->inherit)
		buf_str(b, ", inherited");
	if (a->sample_type & PERF_SAMPLE_STACK_USER)
		buf_printf(b, ", stacks of %u bytes", a->sample_stack_user);
	buf_str(b, "; samples have ");
	put_bits(b, a->sample_type, sample_parts);
	buf_char(b, '\n');
}

static const char *
clock_name(uint32_t id)
{
	switch (id) {
	case CLOCK_REALTIME:
		return "realtime";
	case CLOCK_MONOTONIC:
		return "monotonic";
	case CLOCK_MONOTONIC_RAW:
		return "monotonic_raw";
	case CLOCK_BOOTTIME:
		return "boottime";
	case CLOCK_TAI:
		return "tai";
	case UINT32_MAX:
		return "the scheduler's";
	default:
		return "unknown";
	}
}

static void
put_wall_clock(struct buf *b, const struct perf_header *h)
{
	time_t seconds = (time_t)(h->wall_clock / 1000000000);
	char text[64];
	struct tm tm;

	if (!h->wall_clock || !gmtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	buf_printf(b, "wall clock: %s.%09juZ at %ju ns\n", text,
		   (uintmax_t)(h->wall_clock % 1000000000),
		   (uintmax_t)h->clock_at_wall);
}

static void
put_times(struct buf *b, const struct perf_header *h)
{
	buf_printf(b, "clock: %s", clock_name(h->clock_id));
	if (h->clock_resolution)
		buf_printf(b, ", resolution %ju ns",
			   (uintmax_t)h->clock_resolution);
	buf_char(b, '\n');
	put_wall_clock(b, h);
	if (h->last_sample)
		buf_printf(b, "samples: from %ju to %ju ns, %.6f seconds\n",
			   (uintmax_t)h->first_sample,
			   (uintmax_t)h->last_sample,
			   (double)(h->last_sample - h->first_sample) / 1e9);
}

static void
put_build_ids(struct buf *b, const struct perf_header *h)
{
	for (size_t i = 0; i < h->n_build_ids; i++) {
		const struct perf_build_id *id = &h->build_ids[i];

		buf_str(b, "build id: ");
		for (size_t j = 0; j < id->id.len; j++)
			buf_printf(b, "%02x", (unsigned char)id->id.ptr[j]);
		buf_char(b, ' ');
		text_show(b, id->path);
		buf_char(b, '\n');
	}
}

/* The features perf 6.1 knows; the lowest bit is none. */
static const char *const features[] = {
	"tracing data",
	"build ids",
	"host name",
	"kernel release",
	"perf's version",
	"architecture",
	"processors",
	"processor",
	"processor id",
	"memory",
	"command",
	"event names",
	"topology",
	"NUMA topology",
	"branch stacks",
	"PMUs",
	"groups",
	"AUX data",
	"statistics",
	"caches",
	"times of samples",
	"memory topology",
	"clock",
	"folder",
	"BPF programs",
	"BPF types",
	"compression",
	"PMU abilities",
	"wall clock",
	"hybrid topology",
	"PMUs' abilities",
	NULL,
};

static void
put_missing(struct buf *b, const struct perf_header *h)
{
	struct buf list = { 0 };

	put_bits(&list, ~(h->features[0] >> 1), features);
	put_text(b, "not recorded", buf_get(&list));
	buf_free(&list);
}

void
perf_print_header(const struct perf_file *f, struct output *out)
{
	struct buf b = { 0 };

	put_machine(&b, &f->header);
	put_form(&b, f);
	for (size_t i = 0; i < f->n_events; i++)
		put_event(&b, &f->events[i]);
	put_times(&b, &f->header);
	put_build_ids(&b, &f->header);
	put_missing(&b, &f->header);
	output_slice(out, buf_get(&b));
	buf_free(&b);
}

bool
machine_header_perf_data(struct input *in, struct output *out)
{
	static const struct perf_handler nothing;
	struct perf_file *f = perf_open(in);

	if (!f)
		return false;
	/* a pipe's header comes with its records */
	if (!f->header.pipe_mode || perf_read(f, &nothing, NULL))
		perf_print_header(f, out);
	perf_close(f);
	return true;
}
