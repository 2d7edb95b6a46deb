/* SPDX-License-Identifier: ISC */
/*
 * function_objects.cc - lambdas and std::function whose captures lie in the
 * object itself move, also while they run
 *
 * A std::function keeps up to 16 bytes in itself; larger captures go to the
 * heap, which stays behind.
 */
#include "travel.h"

#include <functional>

static int twice(int value)
{
	return 2 * value;
}

static NOINLINE int call(const std::function<int(int)> &function, int value)
{
	return function(value);
}

/* A generic algorithm with the move inside of what it is given. */
template <typename Callable>
static NOINLINE int repeat(int count, Callable callable)
{
	int sum = 0;

	for (int i = 0; i < count; i++)
		sum += callable(i);
	return sum;
}

int travel(void)
{
	int local = 10, moves = 0;
	auto by_value = [local](int x) { return local + x; };
	auto by_reference = [&local](int x) { return local += x; };
	std::function<int(int)> plain = twice;
	std::function<int(int)> captured = [&local, &moves](int x) {
		MOVE();
		moves++;
		return local * x;
	};
	std::function<int(int)> copied = captured;
	std::function<int(int)> empty;

	CHECK(call(captured, 3) == 30);
	CHECK(call(copied, 4) == 40 && moves == 2);
	CHECK(by_value(1) == 11 && by_reference(1) == 11 && local == 11);
	CHECK(call(plain, 21) == 42 && !empty);
	CHECK(call(by_value, 2) == 12);
	CHECK(captured.target_type() == copied.target_type());
	CHECK(repeat(4, [&](int i) {
			  if (i == 2)
				  MOVE();
			  return i * local;
		  }) == 66);
	try {
		empty(1);
		return 1;
	} catch (const std::bad_function_call &) {
	}
	return 0;
}
