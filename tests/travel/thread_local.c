/* SPDX-License-Identifier: ISC */
/*
 * thread_local.c - the program's thread-locals come along, contents and
 * addresses: initialised, zeroed, aligned, an array, a pointer to itself
 */
#include "travel.h"

#include <stdint.h>

static __thread int initialised = 7;
static __thread int untouched = 0x1234;
static __thread int zeroed;
static __thread unsigned char array[4096];
static __thread unsigned char table[3] = {1, 2, 3};
static __thread void *itself;
static __thread _Alignas(64) char aligned[64];
__thread long visible_elsewhere = 5;

static NOINLINE int *address_of_initialised(void)
{
	return &initialised;
}

static NOINLINE void check_all(void)
{
	CHECK(initialised == 8);
	CHECK(untouched == 0x1234);
	CHECK(zeroed == -1);
	for (unsigned i = 0; i < sizeof(array); i++)
		CHECK(array[i] == (unsigned char)(i * 31));
	CHECK(table[0] == 1 && table[1] == 20 && table[2] == 3);
	CHECK(itself == &itself);
	CHECK((uintptr_t)aligned % 64 == 0);
	CHECK(aligned[63] == 'z');
	CHECK(visible_elsewhere == 6);
}

int travel(void)
{
	int *before = address_of_initialised();
	unsigned char *array_before = array;

	HIDE(array_before);
	CHECK(initialised == 7 && zeroed == 0 && array[4095] == 0);
	initialised++;
	zeroed = -1;
	for (unsigned i = 0; i < sizeof(array); i++)
		array[i] = (unsigned char)(i * 31);
	table[1] = 20;
	itself = &itself;
	aligned[63] = 'z';
	visible_elsewhere++;
	check_all();

	MOVE();

	check_all();
	CHECK(address_of_initialised() == before);
	CHECK(array_before == array);
	(*before)++;
	CHECK(initialised == 9);
	return 0;
}
