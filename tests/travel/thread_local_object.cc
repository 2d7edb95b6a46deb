/* SPDX-License-Identifier: ISC */
/*
 * thread_local_object.cc - thread_local objects with destructors, made before
 * the move and on the way, are destroyed once, at home, wherever the thread
 * ends
 */
#include "travel.h"

#include <pthread.h>

static thread_local int destroyed; /* travel; trivial, so they outlive */
static thread_local int made;

namespace
{

class counted
{
  public:
	counted()
	{
		made++;
		itself = this;
	}
	counted(const counted &) = delete;
	counted &operator=(const counted &) = delete;
	~counted()
	{
		CHECK(itself == this && value == 8);
		destroyed++;
	}
	int value = 7;

  private:
	counted *itself;
};

/* Made first, so destroyed last. */
struct last {
	~last()
	{
		CHECK(made == 3 && destroyed == 3);
		CHECK(travel_process() == 0);
		travel_passed();
	}
	int value = 1;
};

} /* namespace */

static thread_local last witness;
static thread_local counted first, second;

static NOINLINE counted &on_the_way()
{
	static thread_local counted object;

	return object;
}

int travel(void)
{
	CHECK(witness.value == 1);
	CHECK(first.value++ == 7);
	second.value = 8;
	travel_hop();
	CHECK(first.value == 8 && second.value == 8);
	CHECK(made == 2);
	CHECK(on_the_way().value++ == 7);
	for (int hop = 1; hop < travel_hops_per_move(); hop++)
		travel_hop();
	CHECK(on_the_way().value == 8);
	CHECK(made == 3 && destroyed == 0);
	pthread_exit(TRAVEL_RESULT);
}
