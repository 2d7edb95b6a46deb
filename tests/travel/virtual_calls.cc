/* SPDX-License-Identifier: ISC */
/*
 * virtual_calls.cc - virtual functions, thunks and pointers to members of
 * objects made before the move, also with the move inside
 */
#include "travel.h"

namespace
{

struct walker {
	virtual int walk(int steps) = 0;
	virtual ~walker() = default;
};

struct swimmer {
	virtual int swim(int metres) = 0;
	virtual ~swimmer() = default;
	int breath = 3;
};

class duck : public walker, public swimmer
{
  public:
	int walk(int steps) override
	{
		int before = travelled;

		MOVE();
		CHECK(before == travelled);
		return travelled += steps;
	}
	/* called by way of a thunk, since swimmer is the second base */
	int swim(int metres) override
	{
		duck *before = this;

		MOVE();
		CHECK(before == this && breath == 3);
		return travelled += 10 * metres;
	}
	int sum() const
	{
		return travelled;
	}

  private:
	int travelled = 0;
};

struct made_on_the_way : walker {
	made_on_the_way()
	{
		MOVE();
		/* the object is not more than a made_on_the_way yet */
		result = made_on_the_way::walk(1);
	}
	int walk(int steps) override
	{
		return 100 + steps;
	}
	int result;
};

struct derived : made_on_the_way {
	int walk(int steps) override
	{
		return 200 + steps;
	}
};

} /* namespace */

static NOINLINE int by_base(walker *object, int steps)
{
	HIDE(object);
	return object->walk(steps);
}

int travel(void)
{
	duck bird;
	walker *first = &bird;
	swimmer *second = &bird;
	int (walker::*member)(int) = &walker::walk;
	int (duck::*plain)() const = &duck::sum;
	int duck::*field = &duck::breath;

	HIDE(first);
	HIDE(second);
	CHECK(first->walk(1) == 1);
	CHECK(second->swim(2) == 21);
	CHECK((first->*member)(3) == 24);
	CHECK((bird.*plain)() == 24);
	CHECK(bird.*field == 3);

	derived later;
	CHECK(later.result == 101);
	CHECK(by_base(&later, 2) == 202);
	return 0;
}
