/* SPDX-License-Identifier: ISC */
/*
 * thread_name.c - the thread keeps its name, the longest and the empty one
 */
#include "travel.h"

#include <pthread.h>
#include <string.h>

static NOINLINE void move_as(const char *name)
{
	char now[16];

	CHECK(pthread_setname_np(pthread_self(), name) == 0);
	MOVE();
	CHECK(pthread_getname_np(pthread_self(), now, sizeof(now)) == 0);
	CHECK(strcmp(now, name) == 0);
}

int travel(void)
{
	move_as("fifteen-letters");
	move_as("short one");
	move_as("");
	return 0;
}
