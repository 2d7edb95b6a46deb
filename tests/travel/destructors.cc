/* SPDX-License-Identifier: ISC */
/*
 * destructors.cc - objects that live across the move are destroyed once, in
 * reverse order, where the thread then is, at the address they were made at
 */
#include "travel.h"

#define COUNT 5

struct event {
	int id, process;
};

static thread_local event events[COUNT]; /* travel */
static thread_local int event_count;

namespace
{

class marked
{
  public:
	explicit marked(int number) : id(number), itself(this)
	{
	}
	marked(const marked &) = delete;
	marked &operator=(const marked &) = delete;
	~marked()
	{
		CHECK(itself == this);
		CHECK(event_count < COUNT);
		events[event_count].id = id;
		events[event_count++].process = travel_process();
		itself = nullptr;
	}

  private:
	int id;
	marked *itself;
};

} /* namespace */

static NOINLINE void live_across(void)
{
	marked first(1);
	marked both[2] = {marked(2), marked(3)};

	{
		marked before(0);
	}
	CHECK(event_count == 1);
	MOVE();
	CHECK(event_count == 1);
	{
		marked behind(4);
	}
	CHECK(event_count == 2);
}

int travel(void)
{
	const int expected[COUNT] = {0, 4, 3, 2, 1};
	int before = travel_process();

	live_across();
	CHECK(event_count == COUNT);
	for (int i = 0; i < COUNT; i++) {
		CHECK(events[i].id == expected[i]);
		CHECK(events[i].process == (i == 0 ? before : travel_process()));
	}
	return 0;
}
