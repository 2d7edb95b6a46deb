/* SPDX-License-Identifier: ISC */
/*
 * exit_atexit.c - the moved thread ends the process it is in by exit(0):
 * handlers registered there run, those registered elsewhere stay there
 */
#include "travel.h"

static int registered_here; /* a global: each process has its own */

static void before_move(void)
{
	if (!registered_here)
		travel_fail(__FILE__, __LINE__, "a handler ran in another process");
}

static void behind_move(void)
{
	travel_passed();
}

int travel(void)
{
	registered_here = 1;
	CHECK(atexit(before_move) == 0);
	MOVE();
	CHECK(atexit(behind_move) == 0);
	exit(0);
}
