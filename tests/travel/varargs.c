/* SPDX-License-Identifier: ISC */
/*
 * varargs.c - a va_list live across the call: half of the arguments are read
 * before the move, the rest and a copy of all behind it
 */
#include "travel.h"

#include <stdarg.h>
#include <string.h>

#define PAIR_COUNT 12 /* more than there are registers for arguments */

static void read_pairs(va_list *list, int from, int to)
{
	for (int i = from; i < to; i++) {
		CHECK(va_arg(*list, int) == i);
		CHECK(va_arg(*list, double) == i + 0.5);
	}
}

static NOINLINE void read_arguments(const char *first, ...)
{
	va_list list, again;

	va_start(list, first);
	va_copy(again, list);
	read_pairs(&list, 0, PAIR_COUNT / 2);

	MOVE();

	read_pairs(&list, PAIR_COUNT / 2, PAIR_COUNT);
	CHECK(va_arg(list, long double) == 0.1L);
	CHECK(strcmp(va_arg(list, const char *), "last") == 0);
	read_pairs(&again, 0, PAIR_COUNT);
	va_end(again);
	va_end(list);
	CHECK(strcmp(first, "first") == 0);
}

static NOINLINE void format_behind(char *text, size_t len, const char *format,
								   ...)
{
	va_list list;

	va_start(list, format);
	MOVE();
	vsnprintf(text, len, format, list);
	va_end(list);
}

int travel(void)
{
	char text[64];

	read_arguments("first", 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6,
				   6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10, 10.5, 11, 11.5, 0.1L,
				   "last");
	format_behind(text, sizeof(text), "%s %d %.2f %c", "seven", 7, 7.25, '7');
	CHECK(strcmp(text, "seven 7 7.25 7") == 0);
	return 0;
}
