/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that loads and unloads code: each plugin in turn,
 * usually at the address where the one before it was.
 *
 *   dlopener SECONDS PLUGIN.so...    each is busy for that long
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static int
run_plugin(const char *path, double seconds)
{
	void *handle = dlopen(path, RTLD_NOW);
	if (!handle) {
		fprintf(stderr, "dlopener: %s\n", dlerror());
		return 1;
	}
	void (*run)(double) = (void (*)(double))dlsym(handle, "plugin_run");
	if (!run) {
		fprintf(stderr, "dlopener: %s\n", dlerror());
		return 1;
	}
	run(seconds);
	dlclose(handle);
	return 0;
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;

	for (int i = 2; i < argc; i++)
		if (run_plugin(argv[i], seconds) != 0)
			return 1;
	return 0;
}
