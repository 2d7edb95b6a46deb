/* SPDX-License-Identifier: ISC */
/*
 * heap_qsort.c - a large array of the thread's own heap, sorted between moves
 *
 * libc's qsort() has a buffer in libc's heap for more than 1024 bytes, and
 * has given it back when it returns: nothing of it need travel.
 */
#include "travel.h"

#include <psu_thread.h>

#include <stdint.h>

#define COUNT 200000u
#define ODD 2654435761u

static int up(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static int down(const void *left, const void *right)
{
	return up(right, left);
}

/** By what they point to. */
static int by_target(const void *left, const void *right)
{
	return up(*(uint64_t *const *)left, *(uint64_t *const *)right);
}

/** All different, in no order, and no addresses. */
static uint64_t *make_numbers(void)
{
	uint64_t *numbers = psu_thread_malloc(COUNT * sizeof(*numbers));

	CHECK(numbers != NULL);
	for (uint64_t i = 0; i < COUNT; i++)
		numbers[i] = i * ODD % COUNT;
	return numbers;
}

int travel(void)
{
	uint64_t *numbers = make_numbers();
	uint64_t **order = psu_thread_malloc(COUNT * sizeof(*order)), wanted = 777;

	CHECK(order != NULL);
	for (uint64_t i = 0; i < COUNT; i++)
		order[i] = &numbers[i];

	MOVE();

	qsort(order, COUNT, sizeof(*order), by_target);

	MOVE();

	for (uint64_t i = 0; i < COUNT; i++)
		CHECK(*order[i] == i);
	psu_thread_free(order);
	qsort(numbers, COUNT, sizeof(*numbers), down);

	MOVE();

	for (uint64_t i = 0; i < COUNT; i++)
		CHECK(numbers[i] == COUNT - 1 - i);
	qsort(numbers, COUNT, sizeof(*numbers), up);

	MOVE();

	CHECK(bsearch(&wanted, numbers, COUNT, sizeof(*numbers), up) ==
		  &numbers[777]);
	psu_thread_free(numbers);
	return 0;
}
