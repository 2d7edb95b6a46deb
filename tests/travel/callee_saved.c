/* SPDX-License-Identifier: ISC */
/*
 * callee_saved.c - the six registers that a callee keeps (psABI §3.2.1), set
 * by assembly right before the move and read right behind it; and a function
 * with more live values than there are registers
 */
#include "travel.h"

#include <stdint.h>
#include <string.h>

#define REGISTER_COUNT 6

/* Load rbx rbp r12-r15 from @in, call @move, store them to @out.  rbp holds
 * a number: who unwinds by frame pointers gets lost here. */
void load_move_store(const uint64_t *in, uint64_t *out, void (*move)(void));
__asm__(".text\n"
		".p2align 4\n"
		".globl load_move_store\n"
		".type load_move_store, @function\n"
		"load_move_store:\n"
		"	.cfi_startproc\n"
		"	push %rbx\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	.cfi_rel_offset rbx, 0\n"
		"	push %rbp\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	.cfi_rel_offset rbp, 0\n"
		"	push %r12\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	.cfi_rel_offset r12, 0\n"
		"	push %r13\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	.cfi_rel_offset r13, 0\n"
		"	push %r14\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	.cfi_rel_offset r14, 0\n"
		"	push %r15\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	.cfi_rel_offset r15, 0\n"
		"	push %rsi\n"
		"	.cfi_adjust_cfa_offset 8\n"
		"	mov (%rdi), %rbx\n"
		"	mov 8(%rdi), %rbp\n"
		"	mov 16(%rdi), %r12\n"
		"	mov 24(%rdi), %r13\n"
		"	mov 32(%rdi), %r14\n"
		"	mov 40(%rdi), %r15\n"
		"	call *%rdx\n"
		"	pop %rsi\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	mov %rbx, (%rsi)\n"
		"	mov %rbp, 8(%rsi)\n"
		"	mov %r12, 16(%rsi)\n"
		"	mov %r13, 24(%rsi)\n"
		"	mov %r14, 32(%rsi)\n"
		"	mov %r15, 40(%rsi)\n"
		"	pop %r15\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	.cfi_restore r15\n"
		"	pop %r14\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	.cfi_restore r14\n"
		"	pop %r13\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	.cfi_restore r13\n"
		"	pop %r12\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	.cfi_restore r12\n"
		"	pop %rbp\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	.cfi_restore rbp\n"
		"	pop %rbx\n"
		"	.cfi_adjust_cfa_offset -8\n"
		"	.cfi_restore rbx\n"
		"	ret\n"
		"	.cfi_endproc\n"
		".size load_move_store, . - load_move_store\n");

static NOINLINE uint64_t move_with_many(const volatile uint64_t *seed)
{
	uint64_t a = seed[0], b = seed[1], c = seed[2], d = seed[3];
	uint64_t e = seed[4], f = seed[5], g = seed[0] + 6, h = seed[0] + 7;
	uint64_t i = seed[0] + 8, j = seed[0] + 9, k = seed[0] + 10;
	uint64_t l = seed[0] + 11, m = seed[0] + 12, n = seed[0] + 13;

	MOVE();
	CHECK(a == seed[0] && b == seed[1] && c == seed[2] && d == seed[3]);
	CHECK(e == seed[4] && f == seed[5] && n == m + 1 && m == l + 1);
	return g + h + i + j + k + l + m + n - 8 * a;
}

int travel(void)
{
	const uint64_t in[REGISTER_COUNT] = {
		0x1111111111111111u, 0x2222222222222222u, 0x8000000000000003u,
		0x4444444444444444u, 0x5555555555555555u, 0xfffffffffffffff6u};
	uint64_t out[REGISTER_COUNT] = {0};

	load_move_store(in, out, travel_move);
	CHECK(memcmp(in, out, sizeof(in)) == 0);
	CHECK(move_with_many(in) == 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13);
	return 0;
}
