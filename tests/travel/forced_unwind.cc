/* SPDX-License-Identifier: ISC */
/*
 * forced_unwind.cc - pthread_exit behind the move destroys the objects of all
 * frames, also those from before it, and passes through catch (...)
 */
#include "travel.h"

#include <pthread.h>

static thread_local int destroyed; /* travels */

namespace
{

struct counted {
	~counted()
	{
		destroyed++;
	}
};

struct outermost {
	~outermost()
	{
		CHECK(destroyed == 8);
		travel_passed();
	}
};

} /* namespace */

static NOINLINE void descend(int depth)
{
	counted object;

	if (depth > 0)
		descend(depth - 1);
	else
		MOVE();
	if (depth == 0)
		pthread_exit(TRAVEL_RESULT);
}

int travel(void)
{
	outermost last;

	try {
		descend(7);
	} catch (...) {
		CHECK(destroyed == 8);
		throw;
	}
	return 1;
}
