/* SPDX-License-Identifier: ISC */
/*
 * longjmp.c - setjmp before the move, longjmp behind it from a deeper frame;
 * and both behind it
 */
#include "travel.h"

#include <setjmp.h>

/* Returns only if @value is 0. */
static NOINLINE int dive(jmp_buf *place, int depth, int value)
{
	volatile int here = depth;

	if (depth == 0) {
		MOVE();
		if (value != 0)
			longjmp(*place, value);
		return here;
	}
	return dive(place, depth - 1, value) + here;
}

int travel(void)
{
	jmp_buf place;
	volatile int arrived = 0;
	volatile int unchanged = 1234;

	switch (setjmp(place)) {
	case 0:
		dive(&place, 20, 42);
		travel_fail(__FILE__, __LINE__, "dive returned");
		break;
	case 42:
		arrived++;
		break;
	default:
		travel_fail(__FILE__, __LINE__, "another value");
	}
	CHECK(arrived == 1);
	CHECK(unchanged == 1234);

	if (setjmp(place) == 0) {
		CHECK(arrived == 1);
		arrived++;
		longjmp(place, 1);
	}
	CHECK(arrived == 2);
	return 0;
}
