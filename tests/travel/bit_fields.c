/* SPDX-License-Identifier: ISC */
/*
 * bit_fields.c - bit-fields, signed and unsigned, packed and in a union,
 * written before the move and beside one another behind it
 */
#include "travel.h"

#include <stdint.h>

struct flags {
	unsigned one : 1;
	signed three : 3;
	unsigned seven : 7;
	uint64_t wide : 45;
	unsigned : 0;
	unsigned tail : 5;
};

union both {
	struct {
		uint32_t low : 12;
		uint32_t high : 20;
	} parts;
	uint32_t whole;
};

struct __attribute__((packed)) packed {
	char before;
	unsigned bits : 9;
	uint32_t number;
};

int travel(void)
{
	volatile unsigned seed = 0x55;
	struct flags flags = {.one = 1,
						  .three = -3,
						  .seven = seed & 0x7f,
						  .wide = 0x123456789abcu,
						  .tail = 17};
	union both both = {.whole = 0xabcde123};
	struct packed packed = {'p', 0x1aa, 0xdeadbeef};
	struct flags *pointer = &flags;

	HIDE(pointer);
	both.parts.low = seed & 0xfff;

	MOVE();

	CHECK(pointer->one == 1 && pointer->three == -3);
	CHECK(pointer->seven == 0x55 && pointer->tail == 17);
	CHECK(pointer->wide == 0x123456789abcu);
	pointer->three = 2;
	pointer->seven++;
	CHECK(flags.one == 1 && flags.three == 2 && flags.seven == 0x56);
	CHECK(flags.wide == 0x123456789abcu);
	CHECK(both.whole == 0xabcde055);
	CHECK(packed.before == 'p' && packed.bits == 0x1aa);
	CHECK(packed.number == 0xdeadbeef);
	return 0;
}
