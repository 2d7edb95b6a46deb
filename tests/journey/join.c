/* SPDX-License-Identifier: ISC */
/*
 * join.c - one migratable program for threads that are started and joined
 *
 *     join WHO CERTS serve                take in threads, one after the other
 *     join WHO CERTS STEPS [HOST:PORT]... start a thread that does STEPS
 *
 * Each process says who it is in what it prints.  A step of the thread is one
 * letter: a digit moves it to that host, `d` to the first one from below a
 * frame of 20 MiB, `h` home, `.` makes it say where it is, `w` lets it wait for
 * a word on the standard input of the process it is in, `D` detaches its
 * pthread; the last is how it ends: `r` returns 42, `x` leaves by pthread_exit
 * with 43, `c` cancels itself. The thread has a thread-local with a destructor
 * and thread-specific data, which say where they are destroyed, and it blocks
 * SIGUSR1.  $NAME, $STACK_LEN and $LIMIT_MS are attributes of the thread; after
 * OVERDUE it is joined again. $MODE is that of the process, 1 if it is not set.
 */
#include "journey/process.h"

#include <psu_thread.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOSTS_MAX 4

static const char *who; /* of this process */
static pthread_key_t key;
static int dso;
static __thread char object[8]; /* travels */

int __cxa_thread_atexit(void (*function)(void *), void *of, void *handle);

static void await_word(void)
{
	char byte = 0;

	while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
		continue;
}

/* ---- the thread */

struct plan {
	char steps[64];
	char hosts[HOSTS_MAX][64];
};

static void destroy_object(void *argument)
{
	printf("%s: object %s destroyed\n", who, (const char *)argument);
}

/** As the thread has set them, wherever it has ended. */
static bool signals_are_right(void)
{
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	return sigismember(&blocked, SIGUSR1) && !sigismember(&blocked, SIGUSR2);
}

static bool detached;

/** A detached one takes its time, in which its memory must stay. */
static void destroy_specific(void *argument)
{
	if (detached)
		poll(NULL, 0, 100);
	printf("%s: data %s destroyed%s\n", who, (const char *)argument,
		   signals_are_right() ? "" : ", with other signals blocked");
}

static void move(const char *host)
{
	int rc = psu_thread_migrate(host);

	if (rc != 0)
		printf("%s: stays: %s\n", who, psu_thread_strerror(rc));
}

static __attribute__((noinline)) void move_deep(const char *host)
{
	volatile char deep[20u << 20];

	deep[0] = 'd';
	move(host);
	if (deep[0] != 'd')
		printf("%s: the deep frame is damaged\n", who);
}

static void say_where(void)
{
	char name[16] = "";

	pthread_getname_np(pthread_self(), name, sizeof(name));
	printf("%s: the thread '%s' is here\n", who, name);
}

static void *end(char how)
{
	strcpy(object, "o"); /* home knows another value of it */
	if (how == 'x')
		pthread_exit((void *)43);
	if (how == 'c') {
		pthread_cancel(pthread_self());
		pthread_testcancel();
	}
	return (void *)42;
}

static void *travel(void *argument)
{
	struct plan plan = *(const struct plan *)argument;
	const char *step = plan.steps;
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	strcpy(object, "early");
	pthread_setspecific(key, "s");
	__cxa_thread_atexit(destroy_object, object, &dso);
	for (; *step && !strchr("rxc", *step); step++)
		if (*step == '.')
			say_where();
		else if (*step == 'w')
			await_word();
		else if (*step == 'D')
			detached = pthread_detach(pthread_self()) == 0;
		else if (*step == 'h')
			move(PSU_THREAD_HOME);
		else if (*step == 'd')
			move_deep(plan.hosts[0]);
		else
			move(plan.hosts[(*step - '0') % HOSTS_MAX]);
	return end(*step);
}

/* ---- the processes */

static int serve(void)
{
	while (psu_thread_create(NULL, NULL) == 0)
		continue;
	return EXIT_FAILURE;
}

static int join(struct psu_thread_handle *thread)
{
	static const char *const ends[] = {"not ended", "ended here", "ended away",
									   "lost", "doubtful"};
	struct psu_thread_outcome outcome;
	void *result = NULL;
	int rc = psu_thread_join(thread, &result, &outcome);

	printf("%s: joined: %d, %ld, %s, %s\n", who, rc, (long)result,
		   ends[outcome.end], outcome.host);
	return rc;
}

static int start(int argc, char **argv)
{
	const char *limit = getenv("LIMIT_MS"), *len = getenv("STACK_LEN");
	const struct psu_thread_attr attr = {
		.stack_len = len ? (size_t)atol(len) : 0,
		.name = getenv("NAME"),
		.time_limit_ms = limit ? (unsigned)atoi(limit) : 0,
	};
	struct psu_thread_handle *thread;
	struct plan plan = {0};
	int rc;

	snprintf(plan.steps, sizeof(plan.steps), "%s", argv[3]);
	for (int i = 4; i < argc && i - 4 < HOSTS_MAX; i++)
		snprintf(plan.hosts[i - 4], sizeof(plan.hosts[0]), "%s", argv[i]);
	if (psu_thread_start(travel, &plan, &attr, &thread) != 0)
		return EXIT_FAILURE;
	rc = join(thread);
	if (rc == PSU_THREAD_E_OVERDUE)
		rc = join(thread);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

/** What cannot be started or joined. */
static int misuse(void)
{
	const struct psu_thread_attr large = {.stack_len = (64u << 20) + 1};
	const struct psu_thread_attr named = {.name = "sixteen letters."};
	struct psu_thread_handle *thread;

	return psu_thread_start(NULL, NULL, NULL, &thread) ==
					   PSU_THREAD_E_INVALID_ARGUMENT &&
				   psu_thread_start(travel, NULL, NULL, NULL) ==
					   PSU_THREAD_E_INVALID_ARGUMENT &&
				   psu_thread_start(travel, NULL, &large, &thread) ==
					   PSU_THREAD_E_INVALID_ARGUMENT &&
				   psu_thread_start(travel, NULL, &named, &thread) ==
					   PSU_THREAD_E_INVALID_ARGUMENT &&
				   psu_thread_join(NULL, NULL, NULL) ==
					   PSU_THREAD_E_INVALID_ARGUMENT
			   ? EXIT_SUCCESS
			   : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: join WHO CERTS serve|misuse|STEPS [HOST]...\n");
		return 2;
	}
	who = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, NULL, NULL);
	if (psu_thread_setup_init(getenv("MODE") ? atoi(getenv("MODE"))
											 : PSU_THREAD_SERVER,
							  argv[2]) != 0)
		return EXIT_FAILURE;
	pthread_key_create(&key, destroy_specific);
	if (strcmp(argv[3], "serve") == 0)
		return serve();
	return strcmp(argv[3], "misuse") == 0 ? misuse() : start(argc, argv);
}
