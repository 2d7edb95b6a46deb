/* SPDX-License-Identifier: ISC */
/*
 * driver.c - run one travel test between two processes
 *
 *     travel TEST serve CERTS
 *     travel TEST go CERTS HOST:PORT [back]
 *     travel --list
 *
 * Both listen on PSU_THREAD_LISTEN and write PSU_THREAD_PORT_FILE.  A process
 * ends when the thread has ended in it, or when its standard input does.  The
 * `go` process both starts a thread and serves, by the library's internals,
 * so that the thread can come home.
 */
#include "travel.h"

#include "journey/process.h"

#include <psu_thread.h>

#include <string.h>

static int this_process; /* 0 go, 1 serve */
static const struct travel_test *this_test;
static volatile int ended_here;

/* travel with the thread */
static __thread char addresses[2][64];
static __thread int hops_per_move;

int travel_process(void)
{
	return this_process;
}

int travel_hops_per_move(void)
{
	return hops_per_move;
}

void travel_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: in process %d: %s\n", file, line, this_process,
			what);
	_exit(1);
}

void travel_passed(void)
{
	printf("travel %s: ok\n", this_test->name);
	fflush(stdout);
	ended_here = 1;
}

void travel_hop(void)
{
	int before = this_process;

	if (psu_thread_migrate(addresses[1 - before]) != 0)
		travel_fail(__FILE__, __LINE__, psu_thread_errmsg());
	if (travel_process() == before)
		travel_fail(__FILE__, __LINE__, "the thread did not move");
}

void travel_move(void)
{
	for (int hop = 0; hop < travel_hops_per_move(); hop++)
		travel_hop();
}

static void read_addresses(char **argv)
{
	const char *port_file = getenv("PSU_THREAD_PORT_FILE");
	FILE *file = port_file ? fopen(port_file, "re") : NULL;
	int port = 0;

	if (!file || fscanf(file, "%d", &port) != 1)
		travel_fail(__FILE__, __LINE__, "PSU_THREAD_PORT_FILE has no port");
	fclose(file);
	snprintf(addresses[0], sizeof(addresses[0]), "127.0.0.1:%d", port);
	snprintf(addresses[1], sizeof(addresses[1]), "%s", argv[4]);
	hops_per_move = argv[5] ? 2 : 1;
}

/** What calls have left on the stack, below where it ends now, would be taken
 * for the test's own by psu_thread_check(). */
static __attribute__((noinline)) void forget_calls(void)
{
	char below[16384];

	memset(below, 0, sizeof(below));
	__asm__ volatile("" : : "r"(below) : "memory");
}

static void *run(void *argv)
{
	read_addresses(argv);
	forget_calls();
	if (this_test->run() != 0)
		travel_fail(__FILE__, __LINE__, "the test does not return 0");
	travel_passed();
	return TRAVEL_RESULT;
}

static void *await_end_of_input(void *unused)
{
	char byte;

	(void)unused;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	exit(0);
}

static int serve(void)
{
	while (!ended_here)
		if (psu_thread_create(NULL, NULL) != 0)
			return 1;
	return 0;
}

static int go(char **argv)
{
	struct psu_thread_handle *thread;
	void *result;

	if (psu_thread_start(run, argv, NULL, &thread) != 0 ||
		psu_thread_join(thread, &result, NULL) != 0)
		return 1;
	if (result != TRAVEL_RESULT && result != PTHREAD_CANCELED)
		travel_fail(__FILE__, __LINE__, "the thread's result is another");
	return 0;
}

static int find_test(const char *name)
{
	for (this_test = travel_tests; this_test->name; this_test++)
		if (strcmp(this_test->name, name) == 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (this_test = travel_tests; this_test->name; this_test++)
			puts(this_test->name);
		return 0;
	}
	if (argc < 4 || !find_test(argv[1]))
		return 2;
	this_process = strcmp(argv[2], "serve") == 0;
	psu_thread_set_log(PSU_THREAD_LOG_INFO, NULL, NULL);
	if (psu_thread_setup_init(PSU_THREAD_SERVER, argv[3]) != 0 ||
		psu_process_spawn(await_end_of_input, NULL) != 0)
		return 1;
	return this_process ? serve() : go(argv);
}
