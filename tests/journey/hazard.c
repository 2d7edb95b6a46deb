/* SPDX-License-Identifier: ISC */
/*
 * hazard.c - a program that may be built or started wrongly
 *
 *     hazard HOST CERTS     move a thread there, with its luggage
 *     hazard serve CERTS    take it in
 *
 * Defined from outside: NESTED, the address of a nested function is taken;
 * EXECUTABLE, memory becomes executable before setup; LUGGAGE, there is an
 * archive with a thread-local.
 */
#include <psu_thread.h>

#include <stdio.h>
#include <string.h>
#include <sys/personality.h>

#ifdef LUGGAGE
extern __thread int luggage;
extern __thread int more_luggage;
#else
static __thread int luggage = 1;
static __thread int more_luggage;
#endif

#ifdef NESTED
static int call(int (*fn)(int))
{
	return fn(1);
}

static int count(int from)
{
	int add(int what)
	{
		return from + what;
	}

	return call(add);
}
#endif

static void *travel(void *host)
{
	luggage += 41;
	more_luggage = 42;
	if (psu_thread_migrate(host) == 0)
		printf("Luggage %d and %d\n", luggage, more_luggage);
	return NULL;
}

int main(int argc, char **argv)
{
	int server = argc > 1 && strcmp(argv[1], "serve") == 0;

	if (argc != 3)
		return 2;
#ifdef EXECUTABLE
	personality(READ_IMPLIES_EXEC);
#endif
#ifdef NESTED
	if (count(argc) != 4)
		return 2;
#endif
	if (psu_thread_setup_init(server, argv[2]) != 0 ||
		psu_thread_create(travel, argv[1]) != 0)
		return 1;
	return 0;
}
