/* SPDX-License-Identifier: ISC */
/*
 * literals.c - pointers to string literals, constants and functions
 */
#include "travel.h"

#include <string.h>

static const int primes[] = {2, 3, 5, 7, 11};

static NOINLINE int twice(int value)
{
	return 2 * value;
}

static NOINLINE int thrice(int value)
{
	return 3 * value;
}

int travel(void)
{
	const char *text = "a sentence that lies in the program";
	const int *third = &primes[2];
	int (*functions[2])(int) = {twice, thrice};
	size_t (*length)(const char *) = strlen;
	int (**chosen)(int) = &functions[1];

	HIDE(text);
	HIDE(third);
	HIDE(length);
	HIDE(chosen);
	CHECK((*chosen)(5) == 15);

	MOVE();

	CHECK(strcmp(text, "a sentence that lies in the program") == 0);
	CHECK(length(text) == 35);
	CHECK(third == primes + 2 && third[1] == 7);
	CHECK(*chosen == thrice);
	CHECK((*chosen)(5) == 15);
	CHECK(functions[0](5) == 10);
	return 0;
}
