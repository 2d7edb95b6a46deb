/* SPDX-License-Identifier: ISC */
/*
 * throw_later.cc - a throw behind the move goes through frames from before it
 *
 * To a handler that was entered before the move, past handlers of other types,
 * through a rethrow and a function-try-block; the objects in between are
 * destroyed on the way, once each.
 */
#include "travel.h"

#include <exception>
#include <stdexcept>

static thread_local int destroyed; /* travels */
static thread_local int rethrown;

namespace
{

struct fault : std::runtime_error {
	fault(int frames, int where)
		: std::runtime_error("behind the move"), depth(frames), process(where)
	{
	}
	int depth, process;
};

struct unrelated {
};

class witness
{
  public:
	explicit witness(int in_flight) : expected(in_flight)
	{
	}
	witness(const witness &) = delete;
	witness &operator=(const witness &) = delete;
	~witness()
	{
		CHECK(std::uncaught_exceptions() == expected);
		destroyed++;
	}

  private:
	int expected;
};

} /* namespace */

static NOINLINE void descend(int depth)
{
	witness inner(1);

	if (depth > 0) {
		try {
			descend(depth - 1);
		} catch (const unrelated &) {
			travel_fail(__FILE__, __LINE__, "a handler of another type");
		}
	} else {
		MOVE();
		CHECK(std::uncaught_exceptions() == 0 && !std::current_exception());
		throw fault(depth, travel_process());
	}
	travel_fail(__FILE__, __LINE__, "returned from a function that throws");
}

static NOINLINE void pass_on(int depth)
{
	try {
		descend(depth);
	} catch (const std::runtime_error &) {
		rethrown++;
		throw;
	}
}

static NOINLINE void translate(int depth)
try {
	witness outer(1);

	pass_on(depth);
} catch (const fault &caught) {
	throw fault(depth, caught.process);
}

int travel(void)
{
	for (int depth = 0; depth < 40; depth += 13) {
		int caught = -1;

		destroyed = rethrown = 0;
		try {
			translate(depth);
		} catch (const fault &arrived) {
			caught = arrived.depth;
			CHECK(arrived.process == travel_process());
			CHECK(arrived.what()[0] == 'b');
		}
		CHECK(caught == depth);
		CHECK(destroyed == depth + 2);
		CHECK(rethrown == 1);
		CHECK(std::uncaught_exceptions() == 0);
	}
	return 0;
}
