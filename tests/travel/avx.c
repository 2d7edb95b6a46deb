/* SPDX-License-Identifier: ISC */
/*
 * avx.c - vectors of 256 bits live across the call, which the compiler keeps
 * in a frame that it aligns to 32
 */
#include "travel.h"

#include <immintrin.h>

static __attribute__((noinline, target("avx"))) void
move_with_vectors(const volatile double *seed)
{
	__m256d squares, whole;
	double lanes[4];

	whole = _mm256_set_pd(seed[3], seed[2], seed[1], seed[0]);
	squares = _mm256_mul_pd(whole, whole);

	MOVE();

	_mm256_storeu_pd(lanes, _mm256_add_pd(whole, squares));
	for (int i = 0; i < 4; i++)
		CHECK(lanes[i] == (i + 2) * (i + 3));
	_mm256_storeu_pd(lanes, whole);
	for (int i = 0; i < 4; i++)
		CHECK(lanes[i] == i + 2);
}

static NOINLINE void move_with_sse(const volatile double *seed)
{
	__m128d pair = _mm_set_pd(seed[1], seed[0]);
	double lanes[2];

	MOVE();

	_mm_storeu_pd(lanes, pair);
	CHECK(lanes[0] == 2.0 && lanes[1] == 3.0);
}

int travel(void)
{
	volatile double seed[4] = {2, 3, 4, 5};

	move_with_sse(seed);
	if (__builtin_cpu_supports("avx"))
		move_with_vectors(seed);
	else
		printf("# avx: not checked, this processor has none\n");
	return 0;
}
