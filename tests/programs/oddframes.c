/* SPDX-License-Identifier: MIT */
/*
 * A library whose call_back() calls its argument through one odd frame, the
 * function that ODD names at build time (with *: and UNKNOWN_OPS):
 *
 *	no_cfi         no call-frame information, a frame pointer
 *	no_cfi_no_fp   neither
 *	no_cfi_bad_fp  no return address where the frame pointer points
 *	no_cfi_low_fp  a return address where the frame pointer points, but that
 *	               is below the stack pointer
 *	no_cfi_zero    neither, and rbp is 0, the mark of the outermost frame
 *	unknown_op *   an opcode that nobody knows, a frame pointer
 *	window_save *  DW_CFA_GNU_window_save, a frame pointer
 *	early *        placed before the others, described behind them
 *	args_size      DW_CFA_GNU_args_size, no frame pointer
 *	nested         states remembered twenty deep, a frame pointer
 *	return_in_rbx  the return address is in rbx only
 *	cfa_in_r12     the frame is found by r12
 *	expression     the CFA is an unusual expression
 *	outermost      the return address is undefined
 *	return_to_0    the return address is 0
 *	standing       a CFA that does not move up
 */
void call_back(void (*fn)(void));
void ODD(void (*fn)(void));

#define FUNCTION_IN(section, name, body)                          \
	__asm__(".pushsection " section ", \"ax\"\n.globl " #name \
		"\n.type " #name ",@function\n" #name ":\n" body  \
		".size " #name ", .-" #name "\n.popsection\n")
#define FUNCTION(name, body) FUNCTION_IN(".text", name, body)
#define WITH_CFI(name, body) \
	FUNCTION(name, ".cfi_startproc\n" body ".cfi_endproc\n")

#define ENTER                                                       \
	"push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n" \
	"mov %rsp, %rbp\n.cfi_def_cfa_register rbp\n"
#define LEAVE "pop %rbp\n.cfi_def_cfa rsp, 8\nret\n"
#define REMEMBER_5                                   \
	".cfi_remember_state\n.cfi_remember_state\n" \
	".cfi_remember_state\n.cfi_remember_state\n" \
	".cfi_remember_state\n"
#define REMEMBER_20 REMEMBER_5 REMEMBER_5 REMEMBER_5 REMEMBER_5

FUNCTION(no_cfi, "push %rbp\nmov %rsp, %rbp\ncall *%rdi\npop %rbp\nret\n");
FUNCTION(no_cfi_no_fp,
	 "push %rbp\nmov $12345, %ebp\ncall *%rdi\npop %rbp\nret\n");
#ifdef UNKNOWN_OPS /* ld then makes no search table */
#define WRONG ".cfi_def_cfa_offset 4096\n"
WITH_CFI(unknown_op, ENTER ".cfi_escape 0x3d\n" WRONG "call *%rdi\n" LEAVE);
/* The linker places that section first, and the FDEs stay as they are. */
FUNCTION_IN(".text.unlikely", window_save,
	    ".cfi_startproc\n" ENTER ".cfi_escape 0x2d\n" WRONG
	    "call *%rdi\n" LEAVE ".cfi_endproc\n");
#endif
FUNCTION(no_cfi_bad_fp, "push %rbp\npush $1\npush $8\nmov %rsp, %rbp\n"
			"call *%rdi\nadd $16, %rsp\npop %rbp\nret\n");
FUNCTION(no_cfi_low_fp, "push %rbp\npush %rbp\nlea 1f(%rip), %rax\npush %rax\n"
			"lea -8(%rsp), %rbp\ncall *%rdi\n"
			"1: pop %rax\npop %rbp\npop %rbp\nret\n");
FUNCTION(no_cfi_zero, "push %rbp\nxor %ebp, %ebp\ncall *%rdi\npop %rbp\nret\n");
WITH_CFI(args_size, "sub $24, %rsp\n.cfi_adjust_cfa_offset 24\n"
		    ".cfi_escape 0x2e, 0x10\ncall *%rdi\n"
		    "add $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n");
WITH_CFI(nested, ENTER REMEMBER_20 "call *%rdi\n" LEAVE);
WITH_CFI(return_in_rbx, "push %rbx\n.cfi_adjust_cfa_offset 8\n"
			".cfi_rel_offset rbx, 0\n"
			"mov 8(%rsp), %rbx\n.cfi_register rip, rbx\n"
			"movq $0, 8(%rsp)\n"
			"call *%rdi\n"
			"mov %rbx, 8(%rsp)\n.cfi_offset rip, -8\n"
			"pop %rbx\n.cfi_adjust_cfa_offset -8\nret\n");
WITH_CFI(cfa_in_r12, "push %r12\n.cfi_adjust_cfa_offset 8\n"
		     ".cfi_rel_offset r12, 0\n"
		     "lea 16(%rsp), %r12\n.cfi_def_cfa r12, 0\n"
		     "sub $64, %rsp\ncall *%rdi\n"
		     "lea -16(%r12), %rsp\n.cfi_def_cfa rsp, 16\n"
		     "pop %r12\n.cfi_adjust_cfa_offset -8\nret\n");
/* rsp, 16, plus */
WITH_CFI(expression, "push %rdi\n.cfi_escape 0x0f, 4, 0x77, 0, 0x40, 0x22\n"
		     "call *%rdi\npop %rdi\n.cfi_def_cfa rsp, 8\nret\n");
WITH_CFI(outermost, ".cfi_undefined rip\nsub $8, %rsp\ncall *%rdi\n"
		    "add $8, %rsp\nret\n");
WITH_CFI(return_to_0, "push $0\ncall *%rdi\nadd $8, %rsp\nret\n");
WITH_CFI(standing, ".cfi_def_cfa rsp, 0\nsub $8, %rsp\ncall *%rdi\n"
		   "add $8, %rsp\nret\n");

#ifdef UNKNOWN_OPS
FUNCTION_IN(".text.unlikely", early,
	    ".cfi_startproc\nsub $40, %rsp\n.cfi_adjust_cfa_offset 40\n"
	    "call *%rdi\nadd $40, %rsp\n.cfi_adjust_cfa_offset -40\nret\n"
	    ".cfi_endproc\n");
#endif

void
call_back(void (*fn)(void))
{
	ODD(fn);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}
