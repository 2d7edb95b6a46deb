/* SPDX-License-Identifier: ISC */
/*
 * cancel_self.c - behind the move the thread cancels itself: nothing happens
 * while that is disabled, and it ends at the next cancellation point
 */
#include "travel.h"

#include <pthread.h>

static __thread int expected; /* travels */

static void cancelled(void *argument)
{
	CHECK(*(const int *)argument == 33);
	CHECK(expected);
	travel_passed();
}

int travel(void)
{
	volatile int argument = 33;

	pthread_cleanup_push(cancelled, (void *)&argument);
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
	MOVE();
	CHECK(pthread_cancel(pthread_self()) == 0);
	pthread_testcancel();
	CHECK(argument == 33);
	expected = 1;
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	travel_fail(__FILE__, __LINE__, "pthread_testcancel returned");
	return 1;
}
