// SPDX-License-Identifier: ISC
//
// stuck_cxx.cc - with a C++ exception in flight
//
#include "stuck.h"

#include <pthread.h>
#include <stdexcept>

static void in_catch()
{
	try {
		throw std::runtime_error("caught");
	} catch (const std::exception &) {
		stuck_try();
	}
}

// The first is still being handled when the second has been.
static void in_outer_catch()
{
	try {
		throw 1;
	} catch (int) {
		try {
			throw 2;
		} catch (int) {
		}
		stuck_try();
	}
}

namespace
{
struct last_wish {
	~last_wish()
	{
		stuck_try();
	}
};
} // namespace

static void throw_through()
{
	last_wish wish;
	throw 1;
}

static void in_unwinding()
{
	try {
		throw_through();
	} catch (int) {
	}
}

static void in_exit()
{
	last_wish wish;
	pthread_exit(nullptr);
}

// It is destroyed where the thread ends, and when that has ended.
static void thread_local_object()
{
	static thread_local last_wish wish;
	(void)&wish;
}

const stuck_predicament stuck_table[] = {
	{"catch", in_catch},
	{"outer-catch", in_outer_catch},
	{"unwinding", in_unwinding},
	{"exit", in_exit},
	{"thread-local", thread_local_object},
	{nullptr, nullptr},
};
