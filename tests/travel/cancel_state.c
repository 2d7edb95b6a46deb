/* SPDX-License-Identifier: ISC */
/*
 * cancel_state.c - cancelability state and type survive the move, in every
 * combination that is safe to move in
 */
#include "travel.h"

#include <pthread.h>

static NOINLINE void move_with(int state, int type)
{
	int had;

	CHECK(pthread_setcancelstate(state, NULL) == 0);
	CHECK(pthread_setcanceltype(type, NULL) == 0);
	MOVE();
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &had) == 0);
	CHECK(had == state);
	CHECK(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &had) == 0);
	CHECK(had == type);
}

int travel(void)
{
	move_with(PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_DEFERRED);
	move_with(PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_ASYNCHRONOUS);
	move_with(PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DEFERRED);
	return 0;
}
