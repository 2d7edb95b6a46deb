/* SPDX-License-Identifier: ISC */
/*
 * route.c - a program of libpsu_thread_malloc.so
 *
 *     PROGRAM serve CERTS           take in any number of threads
 *     PROGRAM go CERTS WHAT HOST    let a thread do WHAT, which goes to HOST
 *                                   somewhere in it
 */
#include "route.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct order {
	char what[16];
	char host[64];
};

static _Thread_local struct order order;
static int failed;

int route_in_slot(const void *pointer)
{
	return (uintptr_t)pointer - 0x300000000000 < 0x200000000000;
}

void route_wrong(const char *file, int line, const char *what)
{
	printf("Wrong in %s:%d: %s\n", file, line, what);
	failed = 1;
}

void route_go(void)
{
	CHECK(psu_thread_migrate(order.host) == 0);
}

void route_go_home(void)
{
	CHECK(psu_thread_migrate(PSU_THREAD_HOME) == 0);
}

static void *work(void *argument)
{
	order = *(const struct order *)argument;
	for (const struct route_task *task = route_tasks; task->name; task++)
		if (strcmp(order.what, task->name) == 0)
			task->run();
	printf("Done: %s\n", failed ? "wrong" : order.what);
	return NULL;
}

int main(int argc, char **argv)
{
	int serve = argc == 3 && strcmp(argv[1], "serve") == 0;
	struct psu_thread_handle *thread;
	struct order given = {.what = ""};

	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, NULL, NULL);
	if ((argc != 5 && !serve) || psu_thread_setup_init(serve, argv[2]) != 0)
		return EXIT_FAILURE;
	route_prepare();
	if (serve)
		return psu_thread_serve(1000) ? EXIT_FAILURE : EXIT_SUCCESS;
	snprintf(given.what, sizeof(given.what), "%s", argv[3]);
	snprintf(given.host, sizeof(given.host), "%s", argv[4]);
	if (psu_thread_start(work, &given, NULL, &thread) != 0 ||
		psu_thread_join(thread, NULL, NULL) != 0)
		return EXIT_FAILURE;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
