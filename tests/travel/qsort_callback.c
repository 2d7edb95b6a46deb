/* SPDX-License-Identifier: ISC */
/*
 * qsort_callback.c - the comparison function of a qsort in progress moves
 *
 * The array is less than 1024 bytes long, so that glibc sorts on the stack.
 * Sorting goes on where it was: no element is lost, no comparison is made
 * twice, and qsort returns once.
 */
#include "travel.h"

#include <string.h>

#define COUNT 120

static __thread unsigned comparisons; /* travels */
static __thread unsigned move_at;	  /* 0: never */
static __thread unsigned returned;

static int compare(const void *left, const void *right)
{
	int a = *(const int *)left, b = *(const int *)right;

	if (++comparisons == move_at)
		MOVE();
	CHECK(*(const int *)left == a);
	CHECK(*(const int *)right == b);
	return (a > b) - (a < b);
}

static NOINLINE unsigned sort(int *numbers, unsigned when)
{
	comparisons = 0;
	move_at = when;
	qsort(numbers, COUNT, sizeof(*numbers), compare);
	returned++;
	return comparisons;
}

int travel(void)
{
	int shuffled[COUNT], expected[COUNT], numbers[COUNT];
	unsigned needed;

	_Static_assert(sizeof(numbers) < 1024, "glibc would use its heap");
	for (int i = 0; i < COUNT; i++)
		shuffled[i] = (i * 77 + 13) % COUNT * 3;
	memcpy(expected, shuffled, sizeof(expected));
	needed = sort(expected, 0);
	for (int i = 0; i < COUNT; i++)
		CHECK(expected[i] == i * 3);

	memcpy(numbers, shuffled, sizeof(numbers));
	CHECK(sort(numbers, needed / 2) == needed);
	CHECK(memcmp(numbers, expected, sizeof(numbers)) == 0);
	CHECK(returned == 2);
	return 0;
}
