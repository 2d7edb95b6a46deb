/* SPDX-License-Identifier: ISC */
/*
 * crowd.c - many threads that move at the same time
 *
 *     crowd CERTS ROUNDS THREADS   (a server)
 *     crowd CERTS ROUNDS THREADS client
 *
 * At a line "HOST" on stdin, starts THREADS threads, each of which goes to
 * that host and home again ROUNDS times; every other one ends there at last.
 * Says how many have ended with the right result.  Meanwhile a server serves,
 * and lets nobody go before $MEET threads have come.
 * At a line "state": descriptors, mappings, threads and resident KiB of the
 * process.  Ends at a line "quit".
 */
#include <psu_thread.h>

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 2000

static char host[128]; /* of this process: threads take it along */
static unsigned long rounds;
static unsigned long meeting; /* here, before any leaves */

/** What the thread has gathered: a little of each round. */
static unsigned long add(unsigned long sum, unsigned long round)
{
	return sum * 31 + round;
}

/** Wait until all are here that are to meet in this process. */
static void meet(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
	static unsigned long here;

	pthread_mutex_lock(&lock);
	if (++here == meeting)
		pthread_cond_broadcast(&all_here);
	while (here < meeting)
		pthread_cond_wait(&all_here, &lock);
	pthread_mutex_unlock(&lock);
}

static void *travel(void *argument)
{
	volatile unsigned long sum = (unsigned long)argument;
	unsigned long count = rounds;
	char there[sizeof(host)];

	memcpy(there, host, sizeof(there));
	for (unsigned long i = 0; i < count; i++) {
		if (psu_thread_migrate(there) != 0)
			return NULL;
		meet();
		sum = add(sum, i);
		if (i + 1 == count && (unsigned long)argument % 2)
			break;
		if (psu_thread_migrate(PSU_THREAD_HOME) != 0)
			return NULL;
	}
	return (void *)sum;
}

static void *expected(unsigned long seed)
{
	unsigned long sum = seed;

	for (unsigned long i = 0; i < rounds; i++)
		sum = add(sum, i);
	return (void *)sum;
}

static void send_all(unsigned long count)
{
	static struct psu_thread_handle *threads[THREADS_MAX];
	unsigned long right = 0, started = 0;

	for (; started < count; started++)
		if (psu_thread_start(travel, (void *)(started + 1), NULL,
							 &threads[started]) != 0)
			break;
	for (unsigned long i = 0; i < started; i++) {
		struct psu_thread_outcome outcome;
		void *result = NULL;
		int rc = psu_thread_join(threads[i], &result, &outcome);

		right += rc == 0 && result == expected(i + 1) &&
				 outcome.end == ((i + 1) % 2 ? PSU_THREAD_ENDED_AWAY
											 : PSU_THREAD_ENDED_HERE);
	}
	printf("%lu of %lu are right\n", right, count);
}

static unsigned count_files(const char *path)
{
	DIR *dir = opendir(path);
	unsigned count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static unsigned count_lines(const char *path, unsigned long *resident_out)
{
	FILE *file = fopen(path, "r");
	char line[512];
	unsigned count = 0;

	while (file && fgets(line, sizeof(line), file)) {
		count++;
		sscanf(line, "VmRSS: %lu kB", resident_out);
	}
	if (file)
		fclose(file);
	return count;
}

static void tell_state(void)
{
	unsigned long resident = 0;
	unsigned mappings = count_lines("/proc/self/maps", &resident);

	count_lines("/proc/self/status", &resident);
	printf("%u descriptors, %u mappings, %u threads, %lu KiB\n",
		   count_files("/proc/self/fd"), mappings,
		   count_files("/proc/self/task"), resident);
}

static void *serve(void *unused)
{
	printf("%d stay\n", psu_thread_serve(10000));
	return unused;
}

int main(int argc, char **argv)
{
	bool server = argc == 4;
	unsigned long count;
	pthread_t thread;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4 ||
		psu_thread_setup_init(server ? PSU_THREAD_SERVER : PSU_THREAD_CLIENT,
							  argv[1]) != 0)
		return EXIT_FAILURE;
	rounds = strtoul(argv[2], NULL, 10);
	if (getenv("MEET"))
		meeting = strtoul(getenv("MEET"), NULL, 10);
	count = strtoul(argv[3], NULL, 10);
	if (count > THREADS_MAX ||
		(server && pthread_create(&thread, NULL, serve, NULL) != 0))
		return EXIT_FAILURE;
	while (fgets(host, sizeof(host), stdin)) {
		host[strcspn(host, "\n")] = '\0';
		if (strcmp(host, "quit") == 0)
			break;
		if (strcmp(host, "state") == 0)
			tell_state();
		else
			send_all(count);
	}
	if (server) {
		psu_thread_stop();
		pthread_join(thread, NULL);
	}
	return 0;
}
