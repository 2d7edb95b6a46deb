/* SPDX-License-Identifier: ISC */
/*
 * vla.c - arrays whose length is known only at run time, in one and in two
 * dimensions, live across the move
 */
#include "travel.h"

static NOINLINE long move_with(int rows, int columns)
{
	long line[columns];
	short table[rows][columns];
	long sum = 0;

	for (int c = 0; c < columns; c++)
		line[c] = 1000000007L * c;
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < columns; c++)
			table[r][c] = (short)(r * 100 + c);

	MOVE();

	CHECK(sizeof(line) == (size_t)columns * sizeof(long));
	CHECK(sizeof(table) == (size_t)(rows * columns) * sizeof(short));
	for (int c = 0; c < columns; c++) {
		CHECK(line[c] == 1000000007L * c);
		sum += line[c];
	}
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < columns; c++)
			CHECK(table[r][c] == r * 100 + c);
	return sum;
}

int travel(void)
{
	volatile int rows = 13, columns = 71;

	CHECK(move_with(rows, columns) == 1000000007L * 70 * 71 / 2);
	return 0;
}
