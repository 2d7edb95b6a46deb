/* SPDX-License-Identifier: ISC */
/*
 * dynamic_type.cc - dynamic_cast and typeid of objects made before the move
 */
#include "travel.h"

#include <cstring>
#include <typeindex>
#include <typeinfo>

namespace
{

struct shape {
	virtual ~shape() = default;
	int sides = 0;
};

struct coloured {
	virtual ~coloured() = default;
	int colour = 7;
};

struct square : shape, coloured {
	square()
	{
		sides = 4;
	}
};

struct left : virtual shape {
};

struct right : virtual shape {
};

struct diamond final : left, right {
	diamond()
	{
		sides = 4;
	}
};

} /* namespace */

static NOINLINE void check(shape *is_square, shape *is_diamond,
						   coloured *is_coloured)
{
	HIDE(is_square);
	HIDE(is_diamond);
	HIDE(is_coloured);
	CHECK(dynamic_cast<square *>(is_square) != nullptr);
	CHECK(dynamic_cast<coloured *>(is_square) == is_coloured);
	CHECK(dynamic_cast<square *>(is_coloured)->sides == 4);
	CHECK(dynamic_cast<diamond *>(is_square) == nullptr);
	CHECK(dynamic_cast<left *>(is_diamond)->sides == 4);
	CHECK(dynamic_cast<void *>(is_coloured) == dynamic_cast<void *>(is_square));
	CHECK(typeid(*is_square) == typeid(square));
	CHECK(typeid(*is_square) != typeid(*is_diamond));
	CHECK(std::strstr(typeid(*is_diamond).name(), "diamond"));
	try {
		(void)dynamic_cast<right &>(*is_square);
		travel_fail(__FILE__, __LINE__, "a cast that is wrong succeeded");
	} catch (const std::bad_cast &) {
	}
}

int travel(void)
{
	square one;
	diamond two;
	const std::type_info &before = typeid(one);
	std::type_index index = typeid(two);

	check(&one, &two, &one);
	MOVE();
	check(&one, &two, &one);
	CHECK(before == typeid(square));
	CHECK(index == std::type_index(typeid(two)));
	return 0;
}
