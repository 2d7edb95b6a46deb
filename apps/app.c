/* SPDX-License-Identifier: ISC */
/*
 * app.c - the command line of the five apps
 */
#include "app.h"

#include <psu_thread.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int stayed; /* a move has failed in this process */

void app_move(const char *host)
{
	if (psu_thread_migrate(host) != 0) {
		fprintf(stderr, "The thread stays here: %s\n", psu_thread_errmsg());
		stayed = 1;
	}
}

void app_print_hostname(void)
{
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	printf("Hostname: %s\n", name);
}

static int usage(const char *program)
{
	fprintf(stderr,
			"usage: %s HOST 0 [CERTS]      start a thread that moves to HOST\n"
			"       %s ADDRESS 1 [CERTS]   listen on ADDRESS, take one in\n"
			"HOST is name, name:port, address or [v6]:port; ADDRESS 0.0.0.0\n"
			"is all of them.  CERTS is this host's directory as made by\n"
			"certs/make-certs.sh; default $PSU_THREAD_CERTS.\n",
			program, program);
	return 2;
}

int app_main(int argc, char **argv, void *(*fn)(void *))
{
	char *end = NULL;
	int mode = argc < 3 ? 0 : (int)strtol(argv[2], &end, 10);

	if (argc < 3 || argc > 4 || end == argv[2] || *end)
		return usage(argv[0]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, NULL, NULL);

	/* the first argument of a server says where it listens */
	if (mode == PSU_THREAD_SERVER && strcmp(argv[1], "0.0.0.0") != 0)
		setenv("PSU_THREAD_LISTEN", argv[1], 0);
	if (psu_thread_setup_init(mode, argc == 4 ? argv[3] : NULL) != 0)
		return EXIT_FAILURE;
	if (psu_thread_create(fn, argv[1]) != 0)
		return EXIT_FAILURE;
	return stayed ? EXIT_FAILURE : EXIT_SUCCESS;
}
