/* SPDX-License-Identifier: ISC */
/*
 * entry_x86_64.S - where a static program begins
 *
 * The linker makes psu_thread_entry its first instruction
 * (-Wl,-e,psu_thread_entry), in place of libc's _start.  It is in the archive
 * only: a dynamic program begins in the loader, and the shared library's
 * first constructor does the same (guards.c).
 */
#ifdef __CET__
#define BRANCH_TARGET endbr64
#else
#define BRANCH_TARGET
#endif

/* In: the initial stack at rsp, rdx for atexit (psABI §3.4.1).  Nothing is
 * set up yet: no thread pointer, no relocations, no canary.  Does not
 * return. */
	.text
	.p2align 4
	.globl psu_thread_entry
	.type psu_thread_entry, @function
psu_thread_entry:
	.cfi_startproc
	.cfi_undefined rip
	BRANCH_TARGET
	xor %ebp, %ebp
	mov %rdx, %rbx
	mov %rsp, %r12
	mov %rsp, %rdi
	and $-16, %rsp
	call psu_guards_take
	mov %r12, %rsp
	mov %rbx, %rdx
	jmp _start
	.cfi_endproc
	.size psu_thread_entry, . - psu_thread_entry

	/* The marks that end the program's code and thread-locals come next,
	 * before any other object of the archive. */
	.hidden psu_state_text_end
	.reloc psu_thread_entry, R_X86_64_NONE, psu_state_text_end

	/* What a static program cannot look up by name (depart_check.c). */
	.section .data.rel.ro, "aw", @progbits
	.p2align 3
	.globl psu_entry_cancel_field
	.hidden psu_entry_cancel_field
	.type psu_entry_cancel_field, @object
	.size psu_entry_cancel_field, 8
psu_entry_cancel_field:
	.weak _thread_db_pthread_cancelhandling
	.quad _thread_db_pthread_cancelhandling

	.section .note.GNU-stack, "", @progbits
