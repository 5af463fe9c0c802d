/* SPDX-License-Identifier: MIT */
#include "base/slice.h"

struct slice
slice_basename(struct slice path)
{
	const char *slash = memrchr(path.ptr, '/', path.len);

	if (!slash)
		return path;
	return (struct slice){ slash + 1,
			       (size_t)(path.ptr + path.len - slash - 1) };
}

struct slice
slice_cut(struct slice *rest, char sep)
{
	struct slice head = *rest;
	const char *at = head.len ? memchr(head.ptr, sep, head.len) : NULL;

	if (!at) {
		*rest = (struct slice){ NULL, 0 };
		return head;
	}
	head.len = (size_t)(at - head.ptr);
	rest->ptr = at + 1;
	rest->len -= head.len + 1;
	return head;
}
