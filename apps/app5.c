/* SPDX-License-Identifier: ISC */
/*
 * app5.c - a move from the innermost of several functions, each with locals
 * of its own, and then back through all of them
 */
#include "app.h"

#include <stdio.h>

static int innermost(const char *host, int depth)
{
	char word[] = "innermost";
	int sum = depth + 1;

	app_print_hostname();
	printf("%s: before the move, sum = %d\n", word, sum);
	app_move(host);
	app_print_hostname();
	printf("%s: after the move, sum = %d\n", word, sum);
	return sum;
}

static double inner(const char *host, int depth)
{
	double half = depth / 2.0;
	int sum = innermost(host, depth + 1);

	printf("inner: half = %.1f, sum = %d\n", half, sum);
	return half + sum;
}

static long outer(const char *host, int depth)
{
	long squares[4] = {1, 4, 9, 16};
	double total = inner(host, depth + 1);

	for (int i = 0; i < 4; i++)
		squares[i] += (long)total;
	printf("outer: squares = %ld %ld %ld %ld\n", squares[0], squares[1],
		   squares[2], squares[3]);
	return squares[3];
}

static void *travel(void *host)
{
	long result = outer(host, 1);

	app_print_hostname();
	printf("travel: result = %ld\n", result);
	return NULL;
}

int main(int argc, char **argv)
{
	return app_main(argc, argv, travel);
}
