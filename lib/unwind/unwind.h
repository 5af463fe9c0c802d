/* SPDX-License-Identifier: MIT */
/*
 * Stack walking from call-frame information (.eh_frame), x86-64.
 *
 * Freestanding: no allocation, no I/O, no errno, no libc but memcpy, memset
 * and memmove; usable in another program's malloc or signal handler as well
 * as offline. All memory is handed in. Every byte of a module and of a stack
 * is untrusted: any input gives an answer, in bounded time, without a read
 * outside what was handed over.
 *
 * Sources: System V ABI AMD64 supplement 1.0 section 3.7 and 6.2; DWARF 5
 * section 6.4; LSB 5.0 Core section 10.6 (.eh_frame_hdr); and, for the shapes
 * that occur in practice, what gcc, clang, glibc and binutils emit.
 */
#ifndef PK_UNWIND_UNWIND_H
#define PK_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* DWARF numbers of the x86-64 registers. */
enum { UNWIND_RBP = 6, UNWIND_RSP = 7, UNWIND_RIP = 16, UNWIND_NREGS = 17 };

/* ---- call-frame information of one module ---- */

/* Sections as bytes, each with the virtual address its first byte has in the
 * module's own address space (ELF virtual addresses). Absent: size 0. */
struct unwind_section {
	const unsigned char *bytes;
	size_t size;
	uint64_t addr;
};

struct unwind_cfi {
	struct unwind_section hdr;   /* .eh_frame_hdr */
	struct unwind_section frame; /* .eh_frame */
	/* For modules without a usable .eh_frame_hdr: an index made by
	 * unwind_build_index, ascending. */
	const struct unwind_index *index;
	size_t n_index;
	bool debug_frame; /* `frame` holds .debug_frame, which differs */
};

struct unwind_index {
	uint64_t start; /* first address an FDE covers */
	uint64_t fde;	/* its offset in `frame` */
};

/* Fills OUT with up to MAX entries in ascending order and returns how many
 * there are in all; call with MAX 0 to learn the number. */
size_t unwind_build_index(const struct unwind_cfi *cfi,
			  struct unwind_index *out, size_t max);

/* How to get from a frame to its caller. CFA is the caller's stack pointer. */
enum unwind_cfa {
	UNWIND_CFA_NONE,    /* no information for this address */
	UNWIND_CFA_REG,	    /* reg + off */
	UNWIND_CFA_DEREF,   /* *(reg + off) + off2: realigned frames */
	UNWIND_CFA_PLT,	    /* rsp + off + (((rip & 15) >= off2) << 3) */
	UNWIND_CFA_EXPR,    /* a DWARF expression: evaluated when walked */
	UNWIND_CFA_END,	    /* outermost frame: the return address is undefined */
	UNWIND_CFA_BAD,	    /* damaged, or an operation nobody knows */
};

enum unwind_save {
	UNWIND_SAME,	/* the caller's value is the present one */
	UNWIND_AT_CFA,	/* saved at CFA + off */
	UNWIND_VAL_CFA, /* is CFA + off */
	UNWIND_UNDEF,
	UNWIND_SAVE_EXPR, /* saved where a DWARF expression says */
	UNWIND_SAVE_VAL_EXPR,
	UNWIND_IN_REG,	/* the value of register number off */
};

/* Callee-saved registers that can become a CFA are tracked: rbx, rbp, r12 to
 * r15, in this order; then the return address. */
enum { UNWIND_SAVED = 7, UNWIND_SAVED_RBP = 1, UNWIND_SAVED_RA = 6 };

struct unwind_rule {
	uint8_t cfa;	/* enum unwind_cfa */
	uint8_t reg;	/* DWARF number */
	bool signal;	/* a signal frame: the caller's pc is exact */
	uint8_t save[UNWIND_SAVED]; /* enum unwind_save */
	int32_t off, off2;
	/* AT_CFA and VAL_CFA: the offset; the EXPR kinds: offset in `frame`
	 * of the expression's uleb length. For cfa EXPR, `off` is that. */
	int32_t save_off[UNWIND_SAVED];
};

/* The rule for PC, an address in the module's own address space. Always
 * fills OUT; returns out->cfa. For a caller's frame pass return address - 1. */
int unwind_find_rule(const struct unwind_cfi *cfi, uint64_t pc,
		     struct unwind_rule *out);

/* ---- the CFI of an ELF image ---- */

/*
 * What unwinding needs to know of an ELF file, from its bytes in memory (a
 * mapped file, or the vdso as loaded: then file offsets equal addresses).
 * Slices point into those bytes. Returns false for what is not a 64-bit
 * little-endian x86-64 ELF file.
 */
struct unwind_elf {
	struct unwind_cfi cfi;
	struct { uint64_t offset, addr, filesz, memsz; bool exec; } load[16];
	unsigned n_load;
	const unsigned char *build_id;
	size_t build_id_size;
};
bool unwind_elf_parse(const unsigned char *bytes, size_t size,
		      struct unwind_elf *out);
/* The ELF virtual address of a file offset; false when no segment has it. */
bool unwind_elf_offset_to_addr(const struct unwind_elf *elf, uint64_t offset,
			       uint64_t *addr);

/* ---- walking ---- */

struct unwind_regs {
	uint64_t reg[UNWIND_NREGS]; /* by DWARF number; [16] is the pc */
	uint32_t known;		    /* bit per register that holds a value */
};

/* A copy of part of a stack (or the stack itself, in-process). */
struct unwind_stack {
	const unsigned char *bytes;
	uint64_t addr; /* of the first byte, in the walked program */
	size_t size;
};

/* What the caller knows about a code address. */
struct unwind_code {
	const struct unwind_cfi *cfi; /* NULL: a module without CFI */
	uint64_t bias;	/* address in the program - address in the module */
	uint32_t module; /* the caller's own number, handed back in frames */
};

struct unwind_frame {
	uint64_t pc;	 /* exact for the innermost and below signal frames,
			  * else the return address - 1 */
	uint64_t bias;
	uint32_t module;
};

enum unwind_end {
	UNWIND_COMPLETE,  /* reached a frame without a caller */
	UNWIND_TRUNCATED, /* needs stack bytes beyond the copy */
	UNWIND_NO_CFI,	  /* no CFI and no believable frame pointer */
	UNWIND_LIMIT,	  /* MAX frames, and more to come */
	UNWIND_LOST,	  /* damaged CFI, a loop, or a pc outside any module */
};

/* Fills CODE for a program address; false when nothing is mapped there. */
typedef bool unwind_lookup_fn(void *ctx, uint64_t pc, struct unwind_code *code);

/* Direct-mapped; keyed by exact pc and address space. Clear to zero first. */
enum { UNWIND_CACHE_SIZE = 1 << 12 };
struct unwind_cache {
	struct unwind_cache_entry {
		uint64_t pc;
		uint32_t space; /* 0: free */
		struct unwind_code code;
		struct unwind_rule rule;
	} entry[UNWIND_CACHE_SIZE];
};

struct unwind_walker {
	unwind_lookup_fn *lookup;
	void *ctx;
	struct unwind_cache *cache; /* NULL: none */
	/* Names the address space for the cache, not 0. The caller takes a
	 * new number whenever code is unmapped or replaced. */
	uint32_t space;
};

/* Walks from REGS over STACK. Returns the number of frames, innermost first;
 * the innermost is always there, in module code.module or, when its pc lies
 * in no module, with module UINT32_MAX. */
size_t unwind_walk(const struct unwind_walker *w,
		   const struct unwind_regs *regs,
		   const struct unwind_stack *stack,
		   struct unwind_frame *frames, size_t max,
		   enum unwind_end *end);

#endif
