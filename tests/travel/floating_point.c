/* SPDX-License-Identifier: ISC */
/*
 * floating_point.c - float, double, long double and complex values live
 * across the call
 */
#include "travel.h"

#include <complex.h>

static NOINLINE double move_and_combine(double a, double b, float c,
										long double d)
{
	double sum = a + b;
	double product = a * b;
	long double third = d / 3.0L;
	double complex z = a + b * I;

	MOVE();

	CHECK(a == 1.5);
	CHECK(b == -2.25);
	CHECK(c == 0.625f);
	CHECK(sum == -0.75);
	CHECK(product == -3.375);
	/* More digits than a double has: all 64 bits of the mantissa came. */
	CHECK(third * 3.0L == d);
	CHECK(third != (long double)(double)third);
	CHECK(creal(z) == a && cimag(z) == b);
	return sum * product + c;
}

int travel(void)
{
	volatile double a = 1.5, b = -2.25;
	volatile float c = 0.625f;
	volatile long double d = 1.0L;
	double many[12], total = 0;

	for (int i = 0; i < 12; i++)
		many[i] = a * i;
	CHECK(move_and_combine(a, b, c, d) == 3.15625);
	for (int i = 0; i < 12; i++)
		total += many[i];
	CHECK(total == 99.0);
	return 0;
}
