/* SPDX-License-Identifier: ISC */
/*
 * pthread_exit.c - the thread ends by pthread_exit behind the move, from
 * below several frames, with a result
 */
#include "travel.h"

#include <pthread.h>

/* Returns only if @result is NULL. */
static NOINLINE int end_below(int depth, void *result)
{
	volatile int here = depth;

	if (depth == 0) {
		MOVE();
		CHECK(result == TRAVEL_RESULT);
		travel_passed();
		if (result != NULL)
			pthread_exit(result);
		return here;
	}
	return end_below(depth - 1, result) + here;
}

int travel(void)
{
	end_below(10, TRAVEL_RESULT);
	travel_fail(__FILE__, __LINE__, "pthread_exit returned");
	return 1;
}
