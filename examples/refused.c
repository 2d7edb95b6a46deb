/* SPDX-License-Identifier: ISC */
/*
 * refused.c - a thread tries one host after the other until one takes it in
 *
 *     hostb$ PSU_THREAD_CERTS=keys/hostb ./refused
 *     hosta$ PSU_THREAD_CERTS=keys/hosta ./refused nowhere hostc hostb
 *
 * A move that fails returns a negative code at the source, and the thread
 * goes on there as if nothing had been: what it has computed is still its own.
 */
#include <psu_thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void print_place(int tries)
{
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	printf("At %s after %d tries\n", name, tries);
}

/* The hosts are this process's argv, which does not travel: the name goes along
 * as a copy. */
static void *travel(void *hosts)
{
	int tries = 0;

	while (((char **)hosts)[tries]) {
		char host[256];
		int code;

		snprintf(host, sizeof(host), "%s", ((char **)hosts)[tries++]);
		code = psu_thread_migrate(host);
		if (code == 0)
			break; /* this is the other host: `hosts` is stale now */
		printf("%s refused: %s\n", host, psu_thread_strerror(code));
		printf("    %s\n", psu_thread_errmsg());
		if (code == PSU_THREAD_E_BUSY)
			printf("    (trying again later might help)\n");
	}
	print_place(tries);
	return NULL;
}

int main(int argc, char **argv)
{
	int mode = argc > 1 ? PSU_THREAD_CLIENT : PSU_THREAD_SERVER;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* what is refused is told by travel(), and need not be logged */
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (psu_thread_setup_init(mode, NULL) != 0 ||
		psu_thread_create(travel, argv + 1) != 0) {
		fprintf(stderr, "refused: %s\n", psu_thread_errmsg());
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
