/* SPDX-License-Identifier: ISC */
/*
 * self.c - pthread_self names the same thread before and behind the move
 */
#include "travel.h"

#include <pthread.h>
#include <signal.h>

static NOINLINE pthread_t ask(void)
{
	return pthread_self();
}

int travel(void)
{
	pthread_t before = ask();
	pthread_attr_t attr;

	MOVE();
	CHECK(ask() == before);
	CHECK(pthread_equal(pthread_self(), before));

	/* libc knows it as a thread of this process. */
	CHECK(pthread_kill(before, 0) == 0);
	CHECK(pthread_getattr_np(before, &attr) == 0);
	CHECK(pthread_attr_destroy(&attr) == 0);
	return 0;
}
