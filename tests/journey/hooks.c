/* SPDX-License-Identifier: ISC */
/*
 * hooks.c - what a process is told when threads leave, arrive and fail to
 *
 *     hooks go CERTS HOST...   start a thread that tries to go to each HOST
 *     hooks serve CERTS        take one in
 *     hooks bare CERTS         the same, with hooks set and dropped again
 *
 * Every hook prints a line with the name of its process's directory, looks
 * whether it runs where the thread's own code does, spoils errno, and tries to
 * move the thread itself, which must be refused.
 */
#include <psu_thread.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 6

static int failed;

/* of the one thread that is here: of its function's frame */
static _Thread_local uintptr_t base_addr;

static void check(int good, const char *what)
{
	if (good)
		return;
	printf("Wrong: %s\n", what);
	failed = 1;
}

/* ---- the hooks */

static void look_around(const char *hook)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	check(here < base_addr && base_addr - here < 65536,
		  "a hook is not on the thread's stack");
	errno = EXDEV;
	check(psu_thread_migrate("127.0.0.1:1") == PSU_THREAD_E_INVALID_ARGUMENT &&
			  strstr(psu_thread_errmsg(), "a hook cannot move"),
		  hook);
}

static void leave(const char *host, void *context)
{
	printf("%s: departure for %s\n", (const char *)context, host);
	look_around("a thread leaves within on_departure");
}

static void arrive(const char *from, void *context)
{
	printf("%s: arrival from %s\n", (const char *)context, from);
	look_around("a thread leaves within on_arrival");
}

static void fail(const char *host, int code, void *context)
{
	const char *sentence = psu_thread_errmsg();

	check(*sentence != '\0', "on_failed knows no sentence");
	printf("%s: failure to reach %s: %d\n", (const char *)context, host, code);
	look_around("a thread leaves within on_failed");
}

/* ---- the thread */

static void *travel(void *argument)
{
	char hosts[HOSTS_MAX][64] = {""};

	memcpy(hosts, argument, sizeof(hosts));
	base_addr = (uintptr_t)__builtin_frame_address(0);
	for (int i = 0; i < HOSTS_MAX && *hosts[i]; i++) {
		int rc;

		errno = EDOM;
		rc = psu_thread_migrate(hosts[i]);
		check(errno == EDOM, "errno is not what it was");
		printf("Migrate returned %d\n", rc);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	char hosts[HOSTS_MAX][64] = {""};
	struct psu_thread_hooks hooks = {leave, arrive, fail, NULL};
	int go = argc > 1 && strcmp(argv[1], "go") == 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3 || argc > 3 + HOSTS_MAX ||
		psu_thread_setup_init(!go, argv[2]) != 0)
		return EXIT_FAILURE;
	for (int i = 3; i < argc; i++)
		snprintf(hosts[i - 3], sizeof(hosts[0]), "%s", argv[i]);
	hooks.context = strrchr(argv[2], '/') + 1;
	psu_thread_set_hooks(&hooks);
	memset(&hooks, 0xff, sizeof(hooks)); /* they were copied */
	if (strcmp(argv[1], "bare") == 0)
		psu_thread_set_hooks(NULL);
	if (psu_thread_create(travel, hosts) != 0)
		return EXIT_FAILURE;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
