/* SPDX-License-Identifier: ISC */
/*
 * scratch.c - registers that no callee keeps bring nothing of the library's
 * along, which a variadic function would store on the travelling stack
 */
#include "travel.h"

#include <psu_thread.h>

#include <stdint.h>
#include <string.h>

/** Vectors of which no caller of psu_thread_migrate() makes use. */
static NOINLINE void expect_empty(void)
{
	static const uint8_t zeros[8 * 16];
	uint8_t vectors[sizeof(zeros)];

	__asm__ volatile("movdqu %%xmm8, (%0)\n\t"
					 "movdqu %%xmm9, 16(%0)\n\t"
					 "movdqu %%xmm10, 32(%0)\n\t"
					 "movdqu %%xmm11, 48(%0)\n\t"
					 "movdqu %%xmm12, 64(%0)\n\t"
					 "movdqu %%xmm13, 80(%0)\n\t"
					 "movdqu %%xmm14, 96(%0)\n\t"
					 "movdqu %%xmm15, 112(%0)"
					 :
					 : "r"(vectors)
					 : "memory");
	CHECK(memcmp(vectors, zeros, sizeof(zeros)) == 0);
}

/** The same at the source, when the thread stays. */
static NOINLINE void fill(void)
{
	__asm__ volatile("pcmpeqd %%xmm8, %%xmm8\n\t"
					 "pcmpeqd %%xmm15, %%xmm15"
					 :
					 :
					 : "xmm8", "xmm15");
}

int travel(void)
{
	fill();
	MOVE();
	expect_empty();
	fill();
	CHECK(psu_thread_migrate("127.0.0.1:0") != 0);
	expect_empty();
	return 0;
}
