/* SPDX-License-Identifier: MIT */
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"

static const char *program = "profkit";
static int trouble_status = 2;
static int status;
static bool muted;
static bool progress_shown;

/* Where one is closed, the next file opened would take its place, and be read
 * or written by mistake. Reading and writing there go on failing, and a command
 * that is executed finds it closed. */
static void
occupy_standard_streams(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", modes[fd] | O_CLOEXEC);
}

void
msg_init(const char *name, int trouble)
{
	program = name;
	trouble_status = trouble;
	occupy_standard_streams();
	/* A write beyond the limit then fails, which is said. */
	signal(SIGXFSZ, SIG_IGN);
}

void
msg_mute(void)
{
	muted = true;
}

int
msg_status(void)
{
	return status;
}

/* Copies SRC to OUT with other bytes escaped; returns the length, at most
 * SIZE - 1 so that the newline fits. */
static size_t
escape(char *out, size_t size, const char *src)
{
	struct slice rest = slice_str(src);
	size_t n = 0, len;

	for (; rest.len && n + 5 < size; rest.ptr += len, rest.len -= len) {
		len = text_printable(rest);
		if (len)
			memcpy(out + n, rest.ptr, len);
		else
			sprintf(out + n, "\\x%02x", (unsigned char)*rest.ptr);
		n += len ? len : 4;
		len = len ? len : 1;
	}
	return n;
}

static void __attribute__((format(printf, 2, 0)))
emit(const char *kind, const char *fmt, va_list ap, int err)
{
	char text[4096], line[6144];
	size_t n;
	int len = vsnprintf(text, sizeof text, fmt, ap);

	if (len >= (int)sizeof text)
		memcpy(text + sizeof text - 4, "...", 4);
	n = (size_t)snprintf(line, 128, "%s: %s", program, kind);
	n += escape(line + n, sizeof line - n - 256, text);
	if (err) {
		line[n++] = ':';
		line[n++] = ' ';
		n += escape(line + n, sizeof line - n, strerror(err));
	}
	line[n++] = '\n';
	if (muted)
		return;
	progress_end();
	/* Nothing sensible is left to do when standard error is gone. */
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
}

void
progress(const char *fmt, ...)
{
	char text[256], line[1100];
	va_list ap;
	size_t n;

	if (muted || !isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	n = (size_t)snprintf(line, 64, "\r%.32s: ", program);
	n += escape(line + n, sizeof line - n - 8, text);
	n += (size_t)sprintf(line + n, "\033[K");
	progress_shown = write(STDERR_FILENO, line, n) > 0;
}

void
progress_end(void)
{
	static const char erase[] = "\r\033[K";

	if (progress_shown)
		progress_shown =
			write(STDERR_FILENO, erase, sizeof erase - 1) < 0;
}

#define EMIT(kind, err)                   \
	do {                              \
		va_list ap;               \
		va_start(ap, fmt);        \
		emit(kind, fmt, ap, err); \
		va_end(ap);               \
	} while (0)

void
note(const char *fmt, ...)
{
	EMIT("", 0);
}

void
warning(const char *fmt, ...)
{
	EMIT("warning: ", 0);
}

void
warning_errno(const char *fmt, ...)
{
	EMIT("warning: ", errno);
}

void
trouble(const char *fmt, ...)
{
	status = trouble_status;
	EMIT("", 0);
}

void
trouble_errno(const char *fmt, ...)
{
	int err = errno;

	status = trouble_status;
	EMIT("", err);
}

void
die(const char *fmt, ...)
{
	EMIT("", 0);
	exit(trouble_status);
}

void
die_errno(const char *fmt, ...)
{
	EMIT("", errno);
	exit(trouble_status);
}

void
die_usage(const char *fmt, ...)
{
	EMIT("", 0);
	fprintf(stderr, "Try '%s --help'.\n", program);
	exit(trouble_status);
}
