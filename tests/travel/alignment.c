/* SPDX-License-Identifier: ISC */
/*
 * alignment.c - the stack stays aligned to 16 as the psABI wants (§3.2.2),
 * and locals that ask for more keep theirs, in frames the compiler realigns
 */
#include "travel.h"

#include <stdint.h>
#include <string.h>

static NOINLINE uintptr_t frame_address(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

/* movaps faults unless its operand is aligned. */
static NOINLINE void use_aligned_store(void)
{
	_Alignas(16) char bytes[16];

	__asm__ volatile("movaps %%xmm0, %0" : "=m"(bytes));
}

/* A realigned frame with a length known only at run time, and arguments on
 * the stack: the compiler keeps a second frame pointer. */
static NOINLINE long move_realigned(int len, long a, long b, long c, long d,
									long e, long f, long g)
{
	_Alignas(64) char line[64];
	_Alignas(128) long wide[16];
	char tail[len];
	char *line_before = line;

	HIDE(line_before);
	memset(line, 'l', sizeof(line));
	memset(tail, 't', (size_t)len);
	wide[15] = a;
	CHECK((uintptr_t)line_before % 64 == 0);

	MOVE();

	CHECK(line_before == line);
	HIDE(line_before);
	CHECK((uintptr_t)line_before % 64 == 0);
	CHECK((uintptr_t)&wide[0] % 128 == 0);
	CHECK(line[63] == 'l' && tail[len - 1] == 't' && wide[15] == a);
	return a + b + c + d + e + f + g;
}

int travel(void)
{
	volatile int len = 77;
	uintptr_t before = frame_address();

	CHECK(before % 16 == 0);
	CHECK(move_realigned(len, 1, 2, 3, 4, 5, 6, 7) == 28);
	CHECK(frame_address() == before);
	use_aligned_store();
	return 0;
}
