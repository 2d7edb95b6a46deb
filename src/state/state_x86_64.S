/* SPDX-License-Identifier: ISC */
/*
 * state_x86_64.S - the switches between the home and the travelling stack,
 * and the library's thread-locals
 *
 * Contracts stand in state.h; offsets of struct psu_registers and struct
 * psu_local are asserted there.  Calling convention: System V psABI for
 * x86-64, §3.2.  Callee-saved are rbx rbp r12-r15, rsp, the control
 * bits of MXCSR and the x87 control word; the whole x87 environment is kept,
 * since the exception flags are the program's too.
 */
#define R_RBX 0
#define R_RBP 8
#define R_R12 16
#define R_R13 24
#define R_R14 32
#define R_R15 40
#define R_RSP 48
#define R_MXCSR 56
#define R_X87 60

#define L_HOME_SP 8

#ifdef __CET__
#define BRANCH_TARGET endbr64
#else
#define BRANCH_TARGET
#endif

	.macro FUNCTION name
	.text
	.p2align 4
	.globl \name
	.hidden \name
	.type \name, @function
\name:
	BRANCH_TARGET
	.endm

	/* Keep what our caller on the home stack expects, and note where. */
	.macro HOME_KEEP
	push %rbp
	.cfi_adjust_cfa_offset 8
	push %rbx
	.cfi_adjust_cfa_offset 8
	push %r12
	.cfi_adjust_cfa_offset 8
	push %r13
	.cfi_adjust_cfa_offset 8
	push %r14
	.cfi_adjust_cfa_offset 8
	push %r15
	.cfi_adjust_cfa_offset 8
	sub $8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	mov psu_local@gottpoff(%rip), %rax
	mov %rsp, %fs:L_HOME_SP(%rax)
	.endm

	/* What the library, or OpenSSL, had in registers that no callee keeps is
	 * not to get onto the travelling stack: functions with a variable number
	 * of arguments put theirs there, and so does a lazily bound call, vectors
	 * and all.  Clobbers rax, rcx, rdx and MXCSR.  (Intel SDM vol. 1, §13.8:
	 * what XSTATE_BV lacks is as at reset; x87 and PKRU are not asked for.) */
	.macro FORGET_VECTORS
	cmpb $0, psu_state_wide_vectors(%rip)
	je 1f
	mov $0xfffffdfe, %eax
	mov $0xffffffff, %edx
	xrstor no_vectors(%rip)
1:
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	pxor %xmm\number, %xmm\number
	.endr
	.endm

	/* ... and what else there is, but for rdi and rax. */
	.macro FORGET_SCRATCH
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	.endm

/* A linker lays .text out in the order of its input files, as it does the
 * thread-locals below: what the program brings ends here, and the library's
 * own code, OpenSSL's and libc's lie behind. */
	.text
	.globl psu_state_text_end
	.hidden psu_state_text_end
psu_state_text_end:

/* In: rdi stack top, rsi function, rdx its argument.  Out: rax its result.
 * The user's frames end here: the unwinder must not cross to the home stack,
 * which is another one on every host; and none of this process's own registers
 * goes along, which the function would keep for us. */
FUNCTION psu_state_enter
	.cfi_startproc
	HOME_KEEP
	mov %rdx, %r8
	FORGET_VECTORS
	ldmxcsr (%rsp)
	mov %rdi, %rsp
	.cfi_undefined rip
	mov %r8, %rdi
	xor %ebp, %ebp
	xor %ebx, %ebx
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	call *%rsi
	.globl psu_state_entered
	.hidden psu_state_entered
psu_state_entered:
	mov %rax, %rdi
	jmp psu_state_leave
	.cfi_endproc
	.size psu_state_enter, . - psu_state_enter

/* In: rdi result.  Does not return: continues behind the call of
 * psu_state_enter or psu_state_resume, with rax = result. */
FUNCTION psu_state_leave
	.cfi_startproc
	.cfi_undefined rip
	mov psu_local@gottpoff(%rip), %rax
	mov %fs:L_HOME_SP(%rax), %rsp
	mov %rdi, %rax
	fninit
	fldcw 4(%rsp)
	ldmxcsr (%rsp)
	add $8, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	.cfi_endproc
	.size psu_state_leave, . - psu_state_leave

/* In: rdi registers, rsi thread, rdx work.  Out: eax.  Returns twice.  The
 * library works with rounding and exceptions as a program starts with. */
FUNCTION psu_state_capture
	.cfi_startproc
	mov %rbx, R_RBX(%rdi)
	mov %rbp, R_RBP(%rdi)
	mov %r12, R_R12(%rdi)
	mov %r13, R_R13(%rdi)
	mov %r14, R_R14(%rdi)
	mov %r15, R_R15(%rdi)
	mov %rsp, R_RSP(%rdi)
	stmxcsr R_MXCSR(%rdi)
	fnstenv R_X87(%rdi)
	fninit
	ldmxcsr default_mxcsr(%rip)
	mov %rdi, %rbx
	/* rbx is kept at rbx + R_RBX (DWARF 5 §6.4.2.3: DW_CFA_expression;
	 * DW_OP_breg3) */
	.cfi_escape 0x10, 3, 2, 0x73, R_RBX
	mov %rsi, %rdi
	mov psu_local@gottpoff(%rip), %rax
	mov %fs:L_HOME_SP(%rax), %rsp
	/* the caller is on the other stack: the CFA is the kept rsp, plus 8
	 * (DW_CFA_def_cfa_expression: DW_OP_breg3, _deref, _plus_uconst) */
	.cfi_escape 0x0f, 5, 0x73, R_RSP, 0x06, 0x23, 8
	call *%rdx
	mov %eax, %edi
	FORGET_VECTORS
	mov %edi, %eax
	xor %edi, %edi
	FORGET_SCRATCH
	mov R_RSP(%rbx), %rsp
	.cfi_def_cfa %rsp, 8
	fldenv R_X87(%rbx)
	ldmxcsr R_MXCSR(%rbx)
	mov R_RBX(%rbx), %rbx
	.cfi_restore %rbx
	ret
	/* Here a resumed thread goes on: all registers loaded, eax zero. */
	.globl psu_state_resume_point
	.hidden psu_state_resume_point
psu_state_resume_point:
	ret
	.cfi_endproc
	.size psu_state_capture, . - psu_state_capture

/* In: rdi registers.  Out: rax the result of the user's function. */
FUNCTION psu_state_resume
	.cfi_startproc
	HOME_KEEP
	.cfi_undefined rip
	FORGET_VECTORS
	FORGET_SCRATCH
	mov R_RBX(%rdi), %rbx
	mov R_RBP(%rdi), %rbp
	mov R_R12(%rdi), %r12
	mov R_R13(%rdi), %r13
	mov R_R14(%rdi), %r14
	mov R_R15(%rdi), %r15
	mov R_RSP(%rdi), %rsp
	fldenv R_X87(%rdi)
	ldmxcsr R_MXCSR(%rdi)
	xor %eax, %eax
	xor %edi, %edi
	jmp psu_state_resume_point
	.cfi_endproc
	.size psu_state_resume, . - psu_state_resume

/* In: rdi two words.  Out: they hold canary and pointer guard. */
FUNCTION psu_state_guards
	.cfi_startproc
	mov %fs:0x28, %rax
	mov %rax, (%rdi)
	mov %fs:0x30, %rax
	mov %rax, 8(%rdi)
	xor %eax, %eax
	ret
	.cfi_endproc
	.size psu_state_guards, . - psu_state_guards

/* In: rdi two words.  Canary and pointer guard are these from now on. */
FUNCTION psu_state_set_guards
	.cfi_startproc
	mov (%rdi), %rax
	mov %rax, %fs:0x28
	mov 8(%rdi), %rax
	mov %rax, %fs:0x30
	xor %eax, %eax
	ret
	.cfi_endproc
	.size psu_state_set_guards, . - psu_state_set_guards

/* Out: rax the thread pointer (psABI §3.4.6: its own address at fs:0). */
FUNCTION psu_state_thread_pointer
	.cfi_startproc
	mov %fs:0, %rax
	ret
	.cfi_endproc
	.size psu_state_thread_pointer, . - psu_state_thread_pointer

/* In: edi descriptor, rsi bytes, rdx count.  Out: rax count or negative. */
FUNCTION psu_state_raw_read
	.cfi_startproc
	xor %eax, %eax
	syscall
	ret
	.cfi_endproc
	.size psu_state_raw_read, . - psu_state_raw_read

/* In: edi descriptor.  Out: rax zero or negative. */
FUNCTION psu_state_raw_close
	.cfi_startproc
	mov $3, %eax
	syscall
	ret
	.cfi_endproc
	.size psu_state_raw_close, . - psu_state_raw_close

	.section .rodata, "a", @progbits
	.p2align 2
	.type default_mxcsr, @object
	.size default_mxcsr, 4
default_mxcsr:
	.long 0x1f80

	/* An XSAVE area of nothing: MXCSR, and zeros, the header's too. */
	.p2align 6
	.type no_vectors, @object
	.size no_vectors, 576
no_vectors:
	.zero 24
	.long 0x1f80
	.zero 548

/* Thread-locals.  A linker lays .tdata and .tbss out in the order of its
 * input files, so what the program brings (before the library on the command
 * line) ends at these marks, and libc's and ours lie behind them. */
	.section .tdata, "awT", @progbits
	.p2align 3
	.globl psu_state_tls_data_end
	.hidden psu_state_tls_data_end
	.type psu_state_tls_data_end, @tls_object
	.size psu_state_tls_data_end, 8
psu_state_tls_data_end:
	.quad 1

	.section .tbss, "awT", @nobits
	.p2align 4
	.globl psu_state_tls_bss_end
	.hidden psu_state_tls_bss_end
	.type psu_state_tls_bss_end, @tls_object
	.size psu_state_tls_bss_end, 16
psu_state_tls_bss_end:
	.zero 16
	.globl psu_local
	.hidden psu_local
	.type psu_local, @tls_object
	.size psu_local, 536
psu_local:
	.zero 536

	.section .note.GNU-stack, "", @progbits
