/* SPDX-License-Identifier: ISC */
/*
 * globals_stay.c - documents what does not travel: ordinary and static
 * variables belong to the process
 *
 * A global set before the move is not seen in the other process, and is seen
 * again at home.  Constants are the same everywhere.
 */
#include "travel.h"

static int global = 1;
static const int constant = 99;

static NOINLINE int count_calls(void)
{
	static int calls;

	return ++calls;
}

int travel(void)
{
	int *address = &global;
	const int *same = &constant;
	int home;

	HIDE(address);
	HIDE(same);
	*address = 2;
	CHECK(count_calls() == 1);

	MOVE();

	home = travel_hops_per_move() % 2 == 0;
	CHECK(address == &global);
	CHECK(*address == (home ? 2 : 1));
	CHECK(count_calls() == (home ? 2 : 1));
	CHECK(*same == 99);
	return 0;
}
