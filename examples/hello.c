/* SPDX-License-Identifier: ISC */
/*
 * hello.c - a thread says where it is, moves, and says it again
 *
 *     hostb$ PSU_THREAD_CERTS=keys/hostb ./hello
 *     hosta$ PSU_THREAD_CERTS=keys/hosta ./hello hostb
 *
 * README.md has it too.
 */
#include <psu_thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void print_host(const char *when)
{
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	printf("%s the move: %s\n", when, name);
}

static void *travel(void *host) /* points into argv: stale after the move */
{
	print_host("before");
	/* 0: this is the other host; else the log has said why it is not */
	if (psu_thread_migrate((const char *)host) != 0)
		fprintf(stderr, "still here\n");
	print_host("after");
	return NULL;
}

int main(int argc, char **argv)
{
	int mode = argc > 1 ? PSU_THREAD_CLIENT : PSU_THREAD_SERVER;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (psu_thread_setup_init(mode, NULL) != 0) /* main's first act */
		return EXIT_FAILURE;
	return psu_thread_create(travel, argv[1]) ? EXIT_FAILURE : EXIT_SUCCESS;
}
