/* SPDX-License-Identifier: MIT */
#include "profile/view.h"

#include <string.h>

struct slice
event_without_modifiers(struct slice name)
{
	static const char modifiers[] = "ukhIGHpPSDWeb";
	size_t n = name.len;

	while (n && strchr(modifiers, name.ptr[n - 1]) && name.ptr[n - 1])
		n--;
	if (n && n < name.len && name.ptr[n - 1] == ':')
		name.len = n - 1;
	return name;
}
