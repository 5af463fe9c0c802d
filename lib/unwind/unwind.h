/* SPDX-License-Identifier: MIT */
/*
 * Stack walking from call-frame information (.eh_frame), x86-64.
 *
 * Freestanding: no allocation, no I/O, no errno, no variables, no libc but
 * memcpy, memset and memmove; usable in another program's malloc or signal
 * handler as well as offline, with at most 4 KB of stack. All memory is handed
 * in. Every byte of a module and of a stack is untrusted: any input gives an
 * answer, in bounded time, without a read outside what was handed over.
 *
 * Sources: System V ABI AMD64 supplement 1.0 sections 3.7 and 6.2; DWARF 5
 * sections 2.5 and 6.4; LSB 5.0 Core section 10.6 (.eh_frame, .eh_frame_hdr);
 * and, for the shapes that occur in practice, what gcc, clang, glibc and
 * binutils emit.
 */
#ifndef PK_UNWIND_UNWIND_H
#define PK_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/x86_64.h"

/* ---- call-frame information of one module ---- */

/* A section as bytes, with the address its first byte has in the module's own
 * address space (an ELF virtual address). Absent: size 0. */
struct unwind_section {
	const unsigned char *bytes;
	size_t size;
	uint64_t addr;
};

struct unwind_index {
	uint64_t start; /* first address an FDE covers */
	uint64_t fde;	/* its offset in `frame` */
};

/* The bytes belong to the caller and must outlive every use. */
struct unwind_cfi {
	struct unwind_section hdr;   /* .eh_frame_hdr */
	struct unwind_section frame; /* .eh_frame or .debug_frame */
	bool debug_frame;	     /* `frame` is .debug_frame */
	/* Made by unwind_build_index for a module without a search table. */
	const struct unwind_index *index;
	size_t n_index;
	/* Asked where this one has no rule (.debug_frame behind .eh_frame);
	 * NULL: nothing. At most 3 are followed. */
	const struct unwind_cfi *next;
};

/* True when `hdr` holds a search table that unwind_find_rule can use; when it
 * does not, make an index. */
bool unwind_has_table(const struct unwind_cfi *cfi);

/* Fills OUT with up to MAX entries and returns how many there are in all; call
 * it with MAX 0 first to learn the number. Ascending once all fit. */
size_t unwind_build_index(const struct unwind_cfi *cfi,
			  struct unwind_index *out, size_t max);

/* How to find the CFA, which is the caller's stack pointer. */
enum unwind_kind {
	UNWIND_NONE,  /* no information for this address */
	UNWIND_REG,   /* reg + off */
	UNWIND_DEREF, /* *(reg + off) + off2: realigned frames */
	UNWIND_PLT,   /* reg + off, and 8 more when (pc & 15) >= off2 */
	UNWIND_HARD,  /* fits nothing here: the FDE is evaluated when walked */
	UNWIND_END,   /* outermost frame: the return address is undefined */
	UNWIND_BAD,   /* damaged, or an operation nobody knows */
};

enum { UNWIND_SIGNAL = 1 }; /* the caller's pc is exact: a signal frame */

/*
 * A row of the table, small enough for a cache. Except in kind HARD the return
 * address lies at CFA-8, and a saved register at CFA + 8 * saved[i], or, with
 * bit i of from_rbp, at rbp + 8 * saved[i] (realigned frames); 0 without that
 * bit means unchanged. Registers not in `saved` are not preserved.
 */
struct unwind_rule {
	uint8_t kind; /* enum unwind_kind */
	uint8_t reg;  /* DWARF number */
	uint8_t flags;
	uint8_t from_rbp;
	int8_t saved[UNWIND_SAVED];
	int32_t off, off2;
};

/* The rule for PC, an address in the module's own address space. Always fills
 * OUT; returns its kind. For a caller's frame pass the return address - 1. */
enum unwind_kind unwind_find_rule(const struct unwind_cfi *cfi, uint64_t pc,
				  struct unwind_rule *out);

/* ---- the ELF file of a module ---- */

/* Copies N bytes from OFFSET in the file to TO; false when it cannot give all
 * of them. */
typedef bool unwind_read_fn(void *ctx, uint64_t offset, void *to, size_t n);

/* Bytes of the file, and the virtual address they have; size 0: absent. */
struct unwind_range {
	uint64_t offset, size, addr;
};

enum { UNWIND_MAX_LOAD = 32, UNWIND_MAX_BUILD_ID = 64 };

/* The caller reads the frames' ranges into memory to make a struct unwind_cfi.
 * A segment's flags are PF_R 4, PF_W 2, PF_X 1. */
struct unwind_elf {
	struct unwind_range hdr;	 /* .eh_frame_hdr */
	struct unwind_range frame;	 /* .eh_frame */
	struct unwind_range debug_frame; /* .debug_frame */
	bool debug_frame_packed; /* it is an Elf64_Chdr and compressed bytes */
	struct unwind_range debug_link; /* .gnu_debuglink */
	struct unwind_segment {
		uint64_t offset, addr, filesz, memsz;
		uint32_t flags;
	} load[UNWIND_MAX_LOAD];
	unsigned n_load;
	unsigned build_id_size;
	unsigned char build_id[UNWIND_MAX_BUILD_ID];
};

/*
 * Reads what unwinding needs from an ELF file, or from an image in memory
 * whose file layout is whole (the vdso). False for what is not a 64-bit
 * little-endian x86-64 executable or shared object; a damaged or absent
 * section table only leaves ranges empty.
 */
bool unwind_elf_read(unwind_read_fn *read, void *ctx, struct unwind_elf *out);

/* Between file offsets and virtual addresses, as the segments are loaded;
 * false when no segment has it. */
bool unwind_elf_offset_to_addr(const struct unwind_elf *elf, uint64_t offset,
			       uint64_t *addr);
bool unwind_elf_addr_to_offset(const struct unwind_elf *elf, uint64_t addr,
			       uint64_t *offset);

/* ---- walking ---- */

struct unwind_regs {
	uint64_t reg[UNWIND_NREGS]; /* by DWARF number */
	uint32_t known; /* bit per register that holds a value; rsp and rip
			 * must, rbp should */
};

/* A copy of a stack from the stack pointer (or some bytes below it) upwards,
 * or the stack itself. `addr` is that of the first byte in the program. */
struct unwind_stack {
	const unsigned char *bytes;
	uint64_t addr;
	size_t size;
};

/* What the caller knows about a code address. */
struct unwind_code {
	const struct unwind_cfi *cfi; /* NULL: code without CFI */
	uint64_t bias;	 /* address in the program - address in the module */
	uint32_t module; /* the caller's own number, handed back in frames */
};

enum { UNWIND_NO_MODULE = UINT32_MAX };

/* The address in the module is pc - bias. */
struct unwind_frame {
	uint64_t pc; /* exact in the innermost frame, in one that a signal
		      * interrupted, and in the trampoline between handler and
		      * that one; else the return address - 1 */
	uint64_t bias;
	uint32_t module;
};

enum unwind_end {
	UNWIND_COMPLETE,  /* reached a frame without a caller */
	UNWIND_TRUNCATED, /* needs stack bytes beyond the copy's end */
	UNWIND_NO_CFI,	  /* no CFI and no believable frame pointer */
	UNWIND_LIMIT,	  /* MAX frames, and more to come */
	UNWIND_LOST,	  /* damaged CFI, a loop, a pc outside any module */
};

/* Fills CODE for an address in the program; false when no executable memory
 * is mapped there. */
typedef bool unwind_lookup_fn(void *ctx, uint64_t pc, struct unwind_code *code);

/* A rule and the module it came from: one line of the processor's cache. */
struct unwind_cached {
	uint64_t pc;
	uint32_t space; /* 0: free */
	uint32_t module;
	uint64_t bias;
	const struct unwind_cfi *cfi;
	struct unwind_rule rule;
} __attribute__((aligned(64)));

/*
 * `cache` is direct-mapped over pc and space, 1 << cache_bits entries owned by
 * the caller, zeroed before the first walk; one thread at a time uses it.
 * NULL: none. 12 bits serve a program, more a whole machine.
 *
 * `space` names an address space in the cache and is not 0. The caller takes
 * a number never used before when code has been unmapped or replaced, or CFI
 * bytes go away.
 */
struct unwind_walker {
	unwind_lookup_fn *lookup;
	void *ctx;
	struct unwind_cached *cache;
	unsigned cache_bits;
	uint32_t space;
};

/*
 * Walks from REGS over STACK, innermost frame first, and returns the number
 * of frames, at most MAX (not 0). The innermost frame is always there, with
 * UNWIND_NO_MODULE when nothing is mapped at its pc; every other frame's pc
 * lies in memory that `lookup` knows.
 */
size_t unwind_walk(const struct unwind_walker *w,
		   const struct unwind_regs *regs,
		   const struct unwind_stack *stack,
		   struct unwind_frame *frames, size_t max,
		   enum unwind_end *end);

#endif
