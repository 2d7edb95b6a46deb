/* SPDX-License-Identifier: ISC */
/*
 * app2.c - an integer argument that survives a move
 */
#include "app.h"

#include <stdio.h>

static void carry(const char *host, int number)
{
	app_print_hostname();
	printf("Value of number = %d\n", number);
	app_move(host);
	app_print_hostname();
	printf("Value of number = %d\n", number);
}

static void *travel(void *host)
{
	carry(host, 42);
	return NULL;
}

int main(int argc, char **argv)
{
	return app_main(argc, argv, travel);
}
