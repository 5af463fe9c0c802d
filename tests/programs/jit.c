/* SPDX-License-Identifier: MIT */
/*
 * A target for the profiler that makes code at run time and says so in
 * /tmp/perf-PID.map, which is left for who runs it to remove.
 *
 *   jit SECONDS    about that much processor time on a 3 GHz machine
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* push rbp; mov rbp,rsp; mov ecx,1000000; dec ecx; jnz -4; pop rbp; ret */
static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xb9, 0x40,
				      0x42, 0x0f, 0x00, 0xff, 0xc9, 0x75,
				      0xfc, 0x5d, 0xc3 };

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;
	unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char path[64];
	void (*run)(void);
	FILE *map;

	if (p == MAP_FAILED)
		return 1;
	memcpy(p, code, sizeof(code));
	memcpy(&run, &p, sizeof(run));
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "w");
	if (!map)
		return 1;
	fprintf(map, "%lx %zx made at run time\n", (unsigned long)(uintptr_t)p,
		sizeof(code));
	fclose(map);
	for (unsigned i = 0; i < seconds * 3000; i++) {
		run();
		__asm__ volatile("" ::: "memory");
	}
	return 0;
}
