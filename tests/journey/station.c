/* SPDX-License-Identifier: ISC */
/*
 * station.c - a process where threads come and go, by words on standard input
 *
 *     station MODE CERTS        as psu_thread_setup_init() takes them; if that
 *                               fails, again without PSU_THREAD_ADDRESS, when
 *                               a line has come
 *
 *     start NAME STEPS HOST...  start a thread; its steps are letters: a digit
 *                               moves it to that HOST, `h` home, `.` makes it
 *                               say what it knows, `w` lets it wait for `free`
 *                               in the process where it is, `l` gives it 4 MiB
 *                               of its heap; then it ends
 *     join NAME                 in the background
 *     free                      let all threads go on that wait, or will
 *     list, count               the threads, a line each; or how many
 *     serve MS, cancel          in the background; cancel the latest one
 *     take                      one thread in, in the background
 *     stop                      in a signal handler
 *     trap                      have a SIGTERM handler of its own
 *     resolve NAME DECISION     a number, of a NAME that may not exist
 *     quit
 *     ...                       the words of station_wrong.c
 */
#include "deadlines.h"
#include "net/limits.h"
#include "station.h"

#include <psu_thread.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOSTS_MAX 3
#define THREADS_MAX 64
#define LISTED_MAX 256

static struct gate waiting = GATE(false);

/* ---- the threads */

struct plan {
	char steps[16];
	char name[16];
	char hosts[HOSTS_MAX][32];
};

/* of those that were started here */
static struct {
	char name[16];
	struct psu_thread_handle *handle;
} started[THREADS_MAX];
static size_t started_count;

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

static void say(const struct plan *plan)
{
	struct psu_thread_id id = {{0}};
	unsigned sum = 0;

	if (psu_thread_id(&id) != 0)
		printf("%s has no id\n", plan->name);
	for (size_t i = 0; i < sizeof(id.bytes); i++)
		sum = sum * 31 + id.bytes[i];
	printf("%s is %u at %s, home %s\n", plan->name, sum,
		   or_dash(psu_thread_host()), or_dash(psu_thread_home()));
}

static void move(const struct plan *plan, const char *host)
{
	int rc;

	do /* so many come at a time, and no more */
		rc = psu_thread_migrate(host);
	while (rc == PSU_THREAD_E_BUSY);
	if (rc != 0)
		printf("%s stays: %s\n", plan->name, psu_thread_strerror(rc));
	else
		printf("%s has come\n", plan->name);
}

/** Too large a stack for one flight, if a capital letter says so. */
static void move_heavily(const struct plan *plan, const char *host)
{
	volatile char luggage[PSU_ONE_FLIGHT_LEN_MAX + 1];

	luggage[0] = 1;
	move(plan, host);
	if (luggage[0] != 1)
		printf("luggage is lost\n");
}

static void *travel(void *argument)
{
	struct plan plan = *(const struct plan *)argument;

	for (const char *step = plan.steps; *step; step++)
		if (*step == '.')
			say(&plan);
		else if (*step == 'w')
			pass(&waiting);
		else if (*step == 'h')
			move(&plan, PSU_THREAD_HOME);
		else if (*step == 'l')
			memset(psu_thread_malloc(4 << 20), 1, 4 << 20);
		else if (*step >= 'A')
			move_heavily(&plan, plan.hosts[(*step - 'A') % HOSTS_MAX]);
		else
			move(&plan, plan.hosts[(*step - '0') % HOSTS_MAX]);
	printf("%s ends\n", plan.name);
	return NULL;
}

/* ---- the words */

static void start(char **words, int count)
{
	static struct plan plans[THREADS_MAX]; /* they are read late */
	struct plan *plan = &plans[started_count];
	const struct psu_thread_attr attr = {.name = words[1]};

	snprintf(plan->name, sizeof(plan->name), "%s", words[1]);
	snprintf(plan->steps, sizeof(plan->steps), "%s", words[2]);
	for (int i = 3; i < count && i - 3 < HOSTS_MAX; i++)
		snprintf(plan->hosts[i - 3], sizeof(plan->hosts[0]), "%s", words[i]);
	if (psu_thread_start(travel, plan, &attr, &started[started_count].handle) !=
		0)
		printf("not started: %s\n", psu_thread_errmsg());
	memcpy(started[started_count++].name, plan->name, sizeof(plan->name));
}

static void *join(void *argument)
{
	struct psu_thread_outcome outcome = {.host = ""};
	const char *name = argument;
	size_t i = 0;
	int rc;

	while (strcmp(started[i].name, name) != 0)
		i++;
	rc = psu_thread_join(started[i].handle, NULL, &outcome);
	printf("joined %s: %d, end %d, %s\n", name, rc, outcome.end,
		   or_dash(outcome.host));
	return NULL;
}

static int get_list(struct psu_thread_info *list)
{
	int count = psu_thread_list(list, LISTED_MAX);

	if (count < 0)
		printf("no list: %s\n", psu_thread_errmsg());
	return count;
}

static void list(void)
{
	static const char *const states[] = {"?",		"running", "arriving",
										 "leaving", "away",	   "in-doubt",
										 "lost",	"ended"};
	static struct psu_thread_info infos[LISTED_MAX];
	int count = get_list(infos);

	for (int i = 0; i < count; i++)
		printf("%s %s home=%s host=%s hops=%lu\n", infos[i].name,
			   states[infos[i].state], or_dash(infos[i].home),
			   or_dash(infos[i].host), infos[i].hops);
	printf("listed %d\n", count);
}

/** How many there are is told also if there is no room. */
static void tell_count(void)
{
	struct psu_thread_info one = {.state = 0};

	printf("count %d %d %d\n", psu_thread_list(NULL, 0),
		   psu_thread_list(&one, 1), psu_thread_list(NULL, 1));
}

static pthread_t server;

static void say_cancelled(void *unused)
{
	(void)unused;
	puts("cancelled");
}

static void *serve(void *ms)
{
	int count;

	server = pthread_self();
	pthread_cleanup_push(say_cancelled, NULL);
	count = psu_thread_serve((unsigned)(size_t)ms);
	pthread_cleanup_pop(0);
	printf("served: %d\n", count);
	return NULL;
}

static void *take(void *unused)
{
	printf("took: %d\n", psu_thread_create(NULL, NULL));
	return unused;
}

static void resolve(const char *name, int decision)
{
	static struct psu_thread_info infos[LISTED_MAX];
	struct psu_thread_id none = {{1}};
	const struct psu_thread_id *id = &none;

	for (int i = get_list(infos); i-- > 0;)
		if (strcmp(infos[i].name, name) == 0)
			id = &infos[i].id;
	printf("resolved: %d\n",
		   psu_thread_resolve(id, (enum psu_thread_decision)decision));
}

static void in_background(void *(*fn)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, argument) != 0)
		printf("no thread\n");
	else
		pthread_detach(thread);
}

static void trap(int signal)
{
	static const char line[] = "SIGTERM\n";

	(void)signal;
	if (write(STDOUT_FILENO, line, strlen(line)) < 0)
		return;
}

static void obey(char **words, int count)
{
	const char *word = words[0];

	if (strcmp(word, "start") == 0 && count > 2)
		start(words, count);
	else if (strcmp(word, "join") == 0 && count > 1)
		in_background(join, strdup(words[1]));
	else if (strcmp(word, "free") == 0)
		set_gate(&waiting, true);
	else if (strcmp(word, "list") == 0)
		list();
	else if (strcmp(word, "count") == 0)
		tell_count();
	else if (strcmp(word, "serve") == 0 && count > 1)
		in_background(serve, (void *)atol(words[1]));
	else if (strcmp(word, "cancel") == 0)
		pthread_cancel(server);
	else if (strcmp(word, "take") == 0)
		in_background(take, NULL);
	else if (strcmp(word, "stop") == 0)
		raise(SIGUSR1);
	else if (strcmp(word, "trap") == 0)
		signal(SIGTERM, trap);
	else if (strcmp(word, "resolve") == 0 && count > 2)
		resolve(words[1], atoi(words[2]));
	else if (strcmp(word, "quit") == 0)
		exit(EXIT_SUCCESS);
	else if (!do_wrong(words, count))
		printf("what is '%s'?\n", word);
}

static void stop(int signal)
{
	(void)signal;
	psu_thread_stop();
}

int main(int argc, char **argv)
{
	char line[256];
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, NULL, NULL);
	set_deadlines();
	signal(SIGUSR1, stop);
	if (argc != 3)
		return EXIT_FAILURE;
	while ((rc = psu_thread_setup_init(atoi(argv[1]), argv[2])) != 0) {
		printf("not set up: %d\n", rc);
		if (!fgets(line, sizeof(line), stdin))
			return EXIT_FAILURE;
		unsetenv("PSU_THREAD_ADDRESS");
	}
	while (fgets(line, sizeof(line), stdin)) {
		char *words[4 + HOSTS_MAX];
		int count = 0;

		for (char *word = strtok(line, " \n"); word && count < 3 + HOSTS_MAX;
			 word = strtok(NULL, " \n"))
			words[count++] = word;
		if (count)
			obey(words, count);
	}
	return EXIT_SUCCESS;
}
