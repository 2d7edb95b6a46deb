/* SPDX-License-Identifier: ISC */
/*
 * struct_by_value.c - structs passed and returned by value across the move:
 * a large one in memory, small ones in general and in vector registers
 */
#include "travel.h"

struct large {
	int numbers[128];
	double tail;
};

struct pair {
	long first;
	double second;
};

struct point {
	double x;
	double y;
};

static NOINLINE struct large carry_large(struct large in, int add)
{
	struct large out = in;

	MOVE();
	for (int i = 0; i < 128; i++) {
		CHECK(in.numbers[i] == i * i);
		out.numbers[i] = in.numbers[i] + add;
	}
	out.tail = in.tail * 2;
	return out;
}

static NOINLINE struct pair carry_pair(struct pair pair, struct point point)
{
	MOVE();
	pair.first += (long)point.x;
	pair.second += point.y;
	return pair;
}

static NOINLINE struct point carry_point(struct point point)
{
	MOVE();
	return (struct point){point.y, point.x};
}

int travel(void)
{
	struct large in = {.tail = 0.75}, out;
	struct pair pair = {40, 0.5};
	struct point point = {2, 0.25};

	for (int i = 0; i < 128; i++)
		in.numbers[i] = i * i;
	out = carry_large(in, 9);
	for (int i = 0; i < 128; i++)
		CHECK(out.numbers[i] == i * i + 9);
	CHECK(out.tail == 1.5);
	CHECK(in.numbers[127] == 127 * 127);

	pair = carry_pair(pair, point);
	CHECK(pair.first == 42 && pair.second == 0.75);
	point = carry_point(point);
	CHECK(point.x == 0.25 && point.y == 2);
	return 0;
}
