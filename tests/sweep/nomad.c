/* SPDX-License-Identifier: ISC */
/*
 * nomad.c - a thread that keeps a diary of its travels, for the sweeps
 *
 *     nomad serve EVENTS CERTS
 *         takes in whatever comes
 *     nomad go EVENTS CERTS LUGGAGE HOST
 *         creates a thread, and ends when it is gone
 *     nomad result EVENTS CERTS LUGGAGE HOST
 *         starts one, and joins it
 *     nomad home EVENTS CERTS LUGGAGE HOST home
 *         ... that comes home
 *     nomad round EVENTS CERTS LUGGAGE HOST HOST
 *         ... that dials its home, a server
 *
 * All append to EVENTS, one line by one write: what the thread does, numbered
 * on its own stack so that a number that comes twice was written by two copies
 * of it; which errors the library logs; how the calls end.  story.h has the
 * lines.  A process begins when a line comes on its standard input, and ends
 * with that.
 */
#include <psu_thread.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BEATS 8
#define BEAT_NS 1000000

/** What the thread has with it. */
struct diary {
	unsigned number; /* of its last line */
	int step;		 /* of the journey */
};

static int events_fd;	 /* of each process its own */
static char **arguments; /* the hosts of the journey */

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	char line[128];
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	if (write(events_fd, line, (size_t)len) != len)
		_exit(3);
}

/* ---- the thread */

static void tell(struct diary *diary, const char *what, int rc)
{
	diary->number++;
	note("thread %d %u %s %d %d\n", getpid(), diary->number, what, diary->step,
		 rc);
}

static void beat(struct diary *diary)
{
	const struct timespec pause = {.tv_nsec = BEAT_NS};

	for (int i = 0; i < BEATS; i++) {
		nanosleep(&pause, NULL);
		tell(diary, "beats", 0);
	}
}

static void move(struct diary *diary, const char *host)
{
	int rc;

	diary->step++;
	tell(diary, "leaves", 0);
	rc = psu_thread_migrate(strcmp(host, "home") == 0 ? PSU_THREAD_HOME : host);
	tell(diary, "goes-on", rc);
	beat(diary);
}

/** Where to goes along, on the stack: the arguments are this process's. */
static void *wander(void *luggage_len)
{
	volatile char luggage[(size_t)luggage_len + 1];
	char hosts[2][64] = {"", ""};
	struct diary diary = {0};

	for (int i = 0; i < 2 && arguments[i]; i++)
		snprintf(hosts[i], sizeof(hosts[i]), "%s", arguments[i]);
	luggage[0] = luggage[(size_t)luggage_len] = 1;
	tell(&diary, "begins", 0);
	for (int i = 0; i < 2 && *hosts[i]; i++)
		move(&diary, hosts[i]);
	tell(&diary, "ends", 0);
	return (void *)(long)luggage[(size_t)luggage_len];
}

/* ---- the processes */

static void take_log(enum psu_thread_log_level level, const char *line,
					 void *unused)
{
	(void)unused;
	fprintf(stderr, "[%d] %s\n", level, line);
	if (level == PSU_THREAD_LOG_ERROR)
		note("log %d %.*s\n", getpid(), (int)strcspn(line, ":"), line);
	if (strncmp(line, "Thread runs at ", 15) == 0)
		note("left %d\n", getpid());
}

static bool await_word(void)
{
	char byte;

	return read(STDIN_FILENO, &byte, 1) == 1;
}

static void *await_end_of_input(void *unused)
{
	(void)unused;
	while (await_word())
		continue;
	_exit(0);
}

/** Deadlines a twentieth as long as usual, but for those of an operator. */
static int hurry(void)
{
	static const struct {
		enum psu_thread_wait wait;
		unsigned ms;
	} waits[] = {
#define WAIT(name, number, ms, sentence) {PSU_THREAD_WAIT_##name, ms},
		PSU_THREAD_WAITS(WAIT)};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(waits) / sizeof(*waits); i++)
		if (waits[i].ms < 60000)
			rc = psu_thread_set_deadline(waits[i].wait, waits[i].ms / 20);
	return rc;
}

static int set_up(int mode, const char *certs)
{
	int rc;

	psu_thread_set_log(PSU_THREAD_LOG_INFO, take_log, NULL);
	rc = psu_thread_setup_init(mode, certs);
	return rc ? rc : hurry();
}

static void go(void *luggage_len)
{
	int rc = psu_thread_create(wander, luggage_len);

	note("done %d %d\n", getpid(), rc);
}

static void go_and_join(void *luggage_len)
{
	struct psu_thread_handle *thread;
	void *result = NULL;
	int rc = psu_thread_start(wander, luggage_len, NULL, &thread);

	if (!rc)
		rc = psu_thread_join(thread, &result, NULL);
	note("joined %d %d %d\n", getpid(), rc, result == (void *)1);
}

int main(int argc, char **argv)
{
	bool serves = argc == 4 && strcmp(argv[1], "serve") == 0;
	bool listens = serves || (argc == 7 && strcmp(argv[1], "round") == 0);
	pthread_t watcher;

	if (argc != 6 && argc != 7 && !serves)
		return 2;
	events_fd = open(argv[2], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (events_fd < 0 || set_up(listens, argv[3]) != 0)
		return 2;
	note("ready %d\n", getpid());
	if (!await_word() ||
		pthread_create(&watcher, NULL, await_end_of_input, NULL) != 0)
		return 2;
	if (serves)
		return psu_thread_serve(0) != 0;
	arguments = argv + 5;
	if (strcmp(argv[1], "go") == 0)
		go((void *)strtol(argv[4], NULL, 10));
	else
		go_and_join((void *)strtol(argv[4], NULL, 10));
	return 0;
}
