/* SPDX-License-Identifier: ISC */
/*
 * exit_thread_local.cc - the moved thread ends the process it is in by exit(0):
 * its thread_local objects, one made before the move and one behind it, are
 * destroyed there, the last one first, and nowhere else
 */
#include "travel.h"

namespace
{

struct first_made {
	~first_made()
	{
		CHECK(value == 2);
		travel_passed();
	}
	int value = 1;
};

struct last_made {
	~last_made();
	int value = 1;
};

} /* namespace */

static thread_local first_made first;

last_made::~last_made()
{
	CHECK(value == 1);
	CHECK(first.value++ == 1);
}

static NOINLINE int make_last()
{
	static thread_local last_made last;

	return last.value;
}

int travel(void)
{
	CHECK(first.value == 1);
	MOVE();
	CHECK(make_last() == 1);
	exit(0);
}
