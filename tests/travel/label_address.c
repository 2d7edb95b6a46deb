/* SPDX-License-Identifier: ISC */
/*
 * label_address.c - addresses of labels in locals: a computed goto and a
 * small interpreter that moves in the middle of its program
 */
#include "travel.h"

static NOINLINE int interpret(const unsigned char *program)
{
	void *const operations[] = {&&stop, &&add, &&double_it, &&move};
	int value = 0;

	goto *operations[*program++];
add:
	value += *program++;
	goto *operations[*program++];
double_it:
	value *= 2;
	goto *operations[*program++];
move:
	MOVE();
	goto *operations[*program++];
stop:
	return value;
}

static NOINLINE int jump_once(int wanted)
{
	void *next = wanted ? &&right : &&wrong;

	HIDE(next);
	MOVE();
	goto *next;
wrong:
	return 0;
right:
	return 1;
}

int travel(void)
{
	volatile int wanted = 1;

	CHECK(jump_once(wanted) == 1);
	CHECK(interpret((const unsigned char[]){1, 5, 2, 3, 1, 11, 2, 0}) == 42);
	return 0;
}
