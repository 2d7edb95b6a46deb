/* SPDX-License-Identifier: ISC */
/*
 * app3.c - a recursion 1 ... 5 that moves at 3 and unwinds on the other host
 */
#include "app.h"

#include <stdio.h>

static void bar(const char *host, int a)
{
	app_print_hostname();
	printf("Bar: Value of A = %d\n", a);
	if (a == 3)
		app_move(host);
	if (a < 5)
		bar(host, a + 1);
	app_print_hostname();
	printf("Bar: Exit Value of A = %d\n", a);
}

static void *travel(void *host)
{
	bar(host, 1);
	return NULL;
}

int main(int argc, char **argv)
{
	return app_main(argc, argv, travel);
}
