/* SPDX-License-Identifier: ISC */
/*
 * heap_vector.c - an array that grows by realloc on either side of each move
 *
 * It begins as a small block, becomes a run of pages, grows where it is or
 * elsewhere, and shrinks again.
 */
#include "travel.h"

#include <psu_thread.h>

#include <stdint.h>

#define MOVES 8
#define GROWTH 6 /* times, from one move to the next */

struct vector {
	uint64_t *items;
	size_t count, room;
};

static void push(struct vector *vector, uint64_t item)
{
	if (vector->count == vector->room) {
		vector->room = vector->room ? vector->room * 3 / 2 + 1 : 1;
		vector->items = psu_thread_realloc(
			vector->items, vector->room * sizeof(*vector->items));
		CHECK(vector->items != NULL);
	}
	vector->items[vector->count++] = item;
}

static void expect(const struct vector *vector, uint64_t step)
{
	CHECK(psu_thread_usable_size(vector->items) >=
		  vector->count * sizeof(*vector->items));
	for (size_t i = 0; i < vector->count; i++)
		CHECK(vector->items[i] == i * step);
}

int travel(void)
{
	struct vector squares = {NULL, 0, 0}, others = {NULL, 0, 0};

	for (size_t count = 2, moves = 0; moves < MOVES; moves++) {
		/* by turns, so that they are in one another's way */
		for (; squares.count < count;) {
			push(&squares, squares.count * 17);
			push(&others, others.count * 19);
		}

		MOVE();

		expect(&squares, 17);
		expect(&others, 19);
		count = count * GROWTH < 200000 ? count * GROWTH : 200000;
	}
	while (squares.count > 1) {
		squares.count /= GROWTH;
		squares.count += !squares.count;
		squares.room = squares.count;
		squares.items = psu_thread_realloc(
			squares.items, squares.room * sizeof(*squares.items));
		CHECK(squares.items != NULL);

		MOVE();

		expect(&squares, 17);
	}
	expect(&others, 19);
	psu_thread_free(squares.items);
	psu_thread_free(others.items);
	return 0;
}
