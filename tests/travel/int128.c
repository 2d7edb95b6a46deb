/* SPDX-License-Identifier: ISC */
/*
 * int128.c - 128-bit integers live across the call
 */
#include "travel.h"

#include <stdint.h>

static NOINLINE unsigned __int128 compose(uint64_t high, uint64_t low)
{
	return (unsigned __int128)high << 64 | low;
}

static NOINLINE __int128 move_with(unsigned __int128 value, __int128 negative)
{
	unsigned __int128 square = value * value;
	__int128 sum = negative + (__int128)value;

	MOVE();

	CHECK((uint64_t)(value >> 64) == 0x0123456789abcdefu);
	CHECK((uint64_t)value == 0xfedcba9876543210u);
	CHECK(square == value * value);
	CHECK(sum - (__int128)value == negative);
	CHECK(negative < 0);
	return (__int128)(value / 1000000007u) + negative % 1000;
}

int travel(void)
{
	volatile uint64_t high = 0x0123456789abcdefu;
	volatile uint64_t low = 0xfedcba9876543210u;
	unsigned __int128 value = compose(high, low);
	__int128 result = move_with(value, -(__int128)5123);

	CHECK(result + 123 == (__int128)(compose(high, low) / 1000000007u));
	return 0;
}
