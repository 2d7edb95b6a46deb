/* SPDX-License-Identifier: ISC */
/*
 * app1.c - the host's name before and after a move
 */
#include "app.h"

#include <stddef.h>

static void *travel(void *host)
{
	app_print_hostname();
	app_move(host);
	app_print_hostname();
	return NULL;
}

int main(int argc, char **argv)
{
	return app_main(argc, argv, travel);
}
