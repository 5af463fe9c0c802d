/* SPDX-License-Identifier: MIT */
#include "capture/write.h"

#include "base/text.h"

static void
add_type(struct capture_writer *w, const char *type)
{
	buf_str(&w->out, type);
}

static void
add_u64(struct capture_writer *w, uint64_t v)
{
	buf_char(&w->out, ' ');
	buf_u64(&w->out, v);
}

static void
add_hex(struct capture_writer *w, uint64_t v)
{
	buf_char(&w->out, ' ');
	buf_hex(&w->out, v);
}

static void
add_word(struct capture_writer *w, struct slice s)
{
	buf_char(&w->out, ' ');
	buf_slice(&w->out, s);
}

static void
end_text(struct capture_writer *w, struct slice s)
{
	buf_char(&w->out, ' ');
	text_escape(&w->out, s);
	buf_char(&w->out, '\n');
}

static void
end_line(struct capture_writer *w)
{
	buf_char(&w->out, '\n');
}

void
capture_write_start(struct capture_writer *w)
{
	buf_str(&w->out, "pk-capture 1\n");
}

void
capture_write_meta(struct capture_writer *w, const char *key,
		   struct slice value)
{
	add_type(w, "@");
	add_word(w, slice_str(key));
	end_text(w, value);
}

uint32_t
capture_write_event(struct capture_writer *w, const char *unit, uint64_t period,
		    struct slice name)
{
	add_type(w, "event");
	add_u64(w, ++w->n_events);
	add_word(w, slice_str(unit));
	add_u64(w, period);
	end_text(w, name);
	return w->n_events;
}

void
capture_write_proc(struct capture_writer *w, uint64_t time, uint32_t pid,
		   uint32_t ppid, const char *how, struct slice name)
{
	add_type(w, "proc");
	add_u64(w, time);
	add_u64(w, pid);
	add_u64(w, ppid);
	add_word(w, slice_str(how));
	end_text(w, name);
}

void
capture_write_name(struct capture_writer *w, uint64_t time, uint32_t pid,
		   uint32_t tid, struct slice name)
{
	add_type(w, "name");
	add_u64(w, time);
	add_u64(w, pid);
	add_u64(w, tid);
	end_text(w, name);
}

uint32_t
capture_write_module(struct capture_writer *w, struct slice build_id, char base,
		     struct slice path)
{
	add_type(w, "mod");
	add_u64(w, ++w->n_modules);
	add_word(w, build_id.len ? build_id : SLICE_LIT("-"));
	add_word(w, (struct slice){ &base, 1 });
	end_text(w, path);
	return w->n_modules;
}

uint32_t
capture_write_frame(struct capture_writer *w, uint32_t parent, uint32_t module,
		    uint64_t addr)
{
	bool added;
	uint32_t id = nodes_add(&w->nodes,
				(struct node){ addr, parent, module }, &added);

	if (!added)
		return id;
	add_type(w, "f");
	add_u64(w, id);
	add_u64(w, parent);
	add_u64(w, module);
	add_hex(w, addr);
	end_line(w);
	return id;
}

void
capture_write_sample(struct capture_writer *w, uint64_t time, uint32_t pid,
		     uint32_t tid, uint32_t cpu, uint32_t event,
		     uint64_t weight, uint32_t stack)
{
	add_type(w, "s");
	add_u64(w, time);
	add_u64(w, pid);
	add_u64(w, tid);
	add_u64(w, cpu);
	add_u64(w, event);
	add_u64(w, weight);
	add_u64(w, stack);
	end_line(w);
}

void
capture_write_symbol(struct capture_writer *w, uint64_t time, uint32_t module,
		     uint64_t addr, uint64_t size, struct slice name)
{
	add_type(w, "sym");
	add_u64(w, time);
	add_u64(w, module);
	add_hex(w, addr);
	add_u64(w, size);
	end_text(w, name);
}

void
capture_write_lack(struct capture_writer *w, const char *what, uint64_t count)
{
	add_type(w, "lack");
	add_word(w, slice_str(what));
	add_u64(w, count);
	end_line(w);
}

void
capture_write_end(struct capture_writer *w)
{
	add_type(w, "end");
	end_line(w);
}

void
capture_writer_free(struct capture_writer *w)
{
	buf_free(&w->out);
	nodes_free(&w->nodes);
	*w = (struct capture_writer){ 0 };
}
