/* SPDX-License-Identifier: ISC */
/*
 * throw_again.cc - exceptions before, between and behind moves: handled ones
 * leave nothing behind, a handler may throw on into frames of every age
 */
#include "travel.h"

#include <exception>
#include <typeinfo>

namespace
{

struct signal_a {
	int value;
};

struct signal_b {
	int value;
};

} /* namespace */

static NOINLINE int through_handler(int value)
{
	try {
		throw signal_a{value};
	} catch (const signal_a &first) {
		try {
			throw signal_b{first.value + 1};
		} catch (const signal_b &second) {
			CHECK(first.value == value);
			return second.value;
		}
	}
}

static NOINLINE void from_handler(int value)
{
	try {
		MOVE();
		throw signal_a{value};
	} catch (const signal_a &first) {
		throw signal_b{first.value * 2};
	}
}

static NOINLINE int nested(int value)
{
	int seen = 0;

	try {
		try {
			from_handler(value);
		} catch (...) {
			seen += 1;
			try {
				throw;
			} catch (const signal_b &again) {
				CHECK(again.value == value * 2);
				seen += 10;
			}
			throw;
		}
	} catch (const signal_b &last) {
		CHECK(last.value == value * 2);
		seen += 100;
	}
	CHECK(!std::current_exception());
	MOVE();
	return seen;
}

int travel(void)
{
	CHECK(through_handler(1) == 2);
	MOVE();
	CHECK(through_handler(3) == 4);
	CHECK(nested(21) == 111);
	CHECK(through_handler(5) == 6);
	CHECK(std::uncaught_exceptions() == 0);
	return 0;
}
