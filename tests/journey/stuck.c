/* SPDX-License-Identifier: ISC */
/*
 * stuck.c - the driver: try to move from a predicament, then from outside it
 *
 *     PROGRAM PREDICAMENT HOST CERTS
 *     PROGRAM serve - CERTS
 */
#include "stuck.h"

#include <psu_thread.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *host;
static const struct stuck_predicament *predicament;
static int tried;

void stuck_try(void)
{
	if (tried++)
		return;
	puts(psu_thread_migrate(host) == 0 ? "Moved all the same" : "Refused");
}

static void *travel(void *unused)
{
	(void)unused;
	puts("Before the move");
	predicament->enter();
	if (psu_thread_migrate(host) == 0)
		puts("After the move");
	else
		puts("Stuck for good");
	return NULL;
}

static int live(void)
{
	struct psu_thread_handle *thread;

	return psu_thread_start(travel, NULL, NULL, &thread) == 0 &&
				   psu_thread_join(thread, NULL, NULL) == 0
			   ? EXIT_SUCCESS
			   : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	int serve = argc == 4 && strcmp(argv[1], "serve") == 0;

	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	host = argv[2];
	predicament = stuck_table;
	while (!serve && predicament->name &&
		   strcmp(predicament->name, argv[1]) != 0)
		predicament++;
	if (!predicament->name)
		return 2;
	if (psu_thread_setup_init(serve ? PSU_THREAD_SERVER : PSU_THREAD_CLIENT,
							  argv[3]) != 0)
		return EXIT_FAILURE;
	if (!serve)
		return live();
	return psu_thread_create(NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
