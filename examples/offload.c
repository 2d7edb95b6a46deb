/* SPDX-License-Identifier: ISC */
/*
 * offload.c - go, compute, come home with the result
 *
 *     hostb$ PSU_THREAD_CERTS=keys/hostb ./offload
 *     hosta$ PSU_THREAD_CERTS=keys/hosta ./offload hostb 1000000
 *
 * The thread counts primes at hostb, and the result is printed at hosta, which
 * nobody can dial: the thread comes home over the connection that it left by.
 */
#include <psu_thread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct task {
	char host[256];
	long limit;
};

static long count_primes(long limit)
{
	long count = 0;

	for (long number = 2; number < limit; number++) {
		long factor = 2;

		while (factor * factor <= number && number % factor != 0)
			factor++;
		count += factor * factor > number;
	}
	return count;
}

static void *work(void *argument)
{
	struct task task = *(const struct task *)argument; /* this travels */
	long count;

	if (psu_thread_migrate(task.host) != 0)
		fprintf(stderr, "computing here\n");
	count = count_primes(task.limit);
	if (psu_thread_migrate(PSU_THREAD_HOME) != 0)
		fprintf(stderr, "ending here: the result goes home alone\n");
	return (void *)(intptr_t)count;
}

static int offload(const char *host, long limit)
{
	struct psu_thread_outcome outcome;
	struct psu_thread_handle *thread;
	struct task task = {"", limit};
	void *result;

	snprintf(task.host, sizeof(task.host), "%s", host);
	if (psu_thread_start(work, &task, NULL, &thread) != 0 ||
		psu_thread_join(thread, &result, &outcome) != 0)
		return EXIT_FAILURE;
	printf("%ld primes below %ld, and the thread ended at %s\n",
		   (long)(intptr_t)result, limit, outcome.host);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int mode = argc > 1 ? PSU_THREAD_CLIENT : PSU_THREAD_SERVER;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (psu_thread_setup_init(mode, NULL) != 0) /* main's first act */
		return EXIT_FAILURE;
	if (argc > 1)
		return offload(argv[1], argc > 2 ? strtol(argv[2], NULL, 10) : 1000);
	return psu_thread_create(NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
