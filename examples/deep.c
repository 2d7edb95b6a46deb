/* SPDX-License-Identifier: ISC */
/*
 * deep.c - a thread moves under 10,000 frames, and returns through them all
 *
 *     hostb$ PSU_THREAD_CERTS=keys/hostb ./deep
 *     hosta$ PSU_THREAD_CERTS=keys/hosta ./deep hostb
 *
 * Each call keeps a step in its frame and a pointer to its caller's.  The
 * stack has the same addresses at both hosts: behind the move the pointers
 * lead from frame to frame as they did before.
 */
#include <psu_thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAMES 10000

struct step {
	int number;
	const struct step *caller; /* NULL: the first one */
};

static void print_chain(const struct step *step)
{
	char name[256] = "";
	int steps = 0;

	gethostname(name, sizeof(name) - 1);
	for (; step && step->number == FRAMES - steps; step = step->caller)
		steps++;
	printf("%s: %d frames, one leads to the next\n", name, steps);
}

/* Returns how many of the calls have returned at this host.  A compiler that
 * puts one call into the other would make fewer frames of them. */
__attribute__((noinline)) static int descend(const char *host,
											 const struct step *caller)
{
	struct step here = {caller ? caller->number + 1 : 1, caller};
	int returned = 0;

	if (here.number < FRAMES) {
		returned = descend(host, &here);
	} else {
		print_chain(&here);
		if (psu_thread_migrate(host) != 0)
			printf("still here: %s\n", psu_thread_errmsg());
		print_chain(&here);
	}
	return returned + (here.caller == caller);
}

static void *travel(void *host)
{
	printf("%d calls have returned\n", descend((const char *)host, NULL));
	return NULL;
}

int main(int argc, char **argv)
{
	int mode = argc > 1 ? PSU_THREAD_CLIENT : PSU_THREAD_SERVER;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (psu_thread_setup_init(mode, NULL) != 0)
		return EXIT_FAILURE;
	return psu_thread_create(travel, argv[1]) ? EXIT_FAILURE : EXIT_SUCCESS;
}
