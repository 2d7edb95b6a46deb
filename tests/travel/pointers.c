/* SPDX-License-Identifier: ISC */
/*
 * pointers.c - pointers into the own stack: to locals, to pointers, into
 * arrays and structs, into a caller's frame
 */
#include "travel.h"

#include <string.h>

struct inner {
	char text[24];
	int *number;
};

struct outer {
	int numbers[8];
	struct inner inner;
	struct outer *self;
};

static NOINLINE void move_below(struct outer *above, int **last)
{
	int mine = 5;
	int *own = &mine;

	HIDE(own);
	MOVE();
	CHECK(own == &mine);
	CHECK(*own == 5);
	CHECK(above->self == above);
	CHECK(*last == &above->numbers[7]);
	**last = 70;
	above->inner.text[0] = 'M';
	*own += above->numbers[3];
	CHECK(mine == 8);
}

int travel(void)
{
	int plain = 41;
	int *to_plain = &plain;
	int **to_pointer = &to_plain;
	struct outer outer = {.numbers = {0, 1, 2, 3, 4, 5, 6, 7},
						  .inner = {.text = "moving", .number = NULL}};
	int *last = outer.numbers + 7;
	char *middle = outer.inner.text + 3;

	outer.self = &outer;
	outer.inner.number = &outer.numbers[2];
	HIDE(to_pointer);
	HIDE(middle);
	CHECK(**to_pointer == 41);
	CHECK(*middle == 'i');

	move_below(&outer, &last);

	CHECK(to_pointer == &to_plain);
	**to_pointer += 1;
	CHECK(plain == 42);
	CHECK(middle == &outer.inner.text[3]);
	CHECK(strcmp(outer.self->inner.text, "Moving") == 0);
	CHECK(outer.self->inner.number == outer.numbers + 2);
	CHECK(*outer.inner.number == 2);
	CHECK(last - outer.numbers == 7);
	CHECK(outer.numbers[7] == 70);
	return 0;
}
