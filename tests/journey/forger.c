/* SPDX-License-Identifier: ISC */
/*
 * forger.c - a host that once had a thread, kept a copy, and makes use of it
 *
 *     forger MODE CERTS        as psu_thread_setup_init() takes them; serves
 *
 *     start STEPS HOST...      start a thread and join it; its steps are
 *                              letters: a digit moves it to that HOST, `h`
 *                              home, `k` keeps a copy of it where it is, `w`
 *                              lets it wait there for `free`; what stands
 *                              behind `c` is for the copy
 *     free                     let all go on that wait, or will
 *     list                     the threads, a line each
 *     bring HOST GENERATION HOW
 *                              bring the copy to HOST
 *     end HOST GENERATION HOW  say to HOST that it has ended with 666
 *     locate HOST GENERATION HOW
 *                              say to HOST that the thread is here
 *
 * HOW it has come here: `loop`, by moves of this host to itself; `alien`, by
 * moves to and fro between HOST and here, all signed here; `true`, as it did.
 */
#include "deadlines.h"
#include "hostile.h"
#include "station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 3

static struct psu_endpoint endpoint;
static struct gate waiting = GATE(false);
static struct hostile_thread copy;
static struct psu_traveller copied; /* copy.self */

void hostile_say(const char *what)
{
	printf("%s\n", what);
}

void hostile_await_word(void)
{
	pass(&waiting);
}

struct psu_session *hostile_dial(void)
{
	struct psu_session *session = NULL;

	return psu_session_dial(&psu_process_get()->context, &endpoint, &session) ==
				   0
			   ? session
			   : NULL;
}

/* ---- the thread */

struct plan {
	char steps[64];
	char hosts[HOSTS_MAX][32];
};

/** In place of psu_depart(): the thread goes on, and a copy of it stays. */
static int keep_copy(struct psu_traveller *self)
{
	uint8_t *stack;

	hostile_take(self, "", &copy);
	stack = malloc(copy.stack_len);
	if (!stack)
		exit(EXIT_FAILURE);
	memcpy(stack, copy.stack, copy.stack_len);
	copied = *self;
	copy.stack = stack;
	copy.self = &copied;
	return 1;
}

/** True: this is the copy. */
static bool __attribute__((noinline)) keep(void)
{
	struct psu_traveller *self = psu_local.self;

	if (psu_state_capture(&self->registers, self, keep_copy) != 0)
		return false;
	hostile_say("A copy runs");
	return true;
}

static void go(const struct plan *plan, char step)
{
	const char *host = step == 'h' ? PSU_THREAD_HOME : plan->hosts[step - '0'];
	int rc;

	do
		rc = psu_thread_migrate(host);
	while (rc == PSU_THREAD_E_BUSY);
	if (rc)
		printf("It stays: %s\n", psu_error_name(rc));
}

static void *travel(void *argument)
{
	struct plan plan = *(const struct plan *)argument;

	for (const char *step = plan.steps; *step && *step != 'c'; step++) {
		if (*step == 'k') {
			if (keep())
				step = strchr(step, 'c');
		} else if (*step == 'w') {
			hostile_say("It waits");
			hostile_await_word();
		} else {
			go(&plan, *step);
		}
	}
	return (void *)42;
}

static void *join(void *thread)
{
	struct psu_thread_outcome outcome = {.host = ""};
	void *result = NULL;
	int rc = psu_thread_join(thread, &result, &outcome);

	printf("Joined: %d, %ld, %s\n", rc, (long)result, outcome.host);
	return NULL;
}

static void *serve(void *unused)
{
	if (psu_thread_serve(100) != 0)
		exit(EXIT_FAILURE);
	exit(EXIT_SUCCESS);
	return unused;
}

static void begin(void *(*fn)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, argument) != 0)
		exit(EXIT_FAILURE);
	pthread_detach(thread);
}

static void start(char **words, int count)
{
	static struct plan plan;
	struct psu_thread_handle *thread;

	snprintf(plan.steps, sizeof(plan.steps), "%s", words[1]);
	for (int i = 2; i < count && i - 2 < HOSTS_MAX; i++)
		snprintf(plan.hosts[i - 2], sizeof(plan.hosts[0]), "%s", words[i]);
	if (psu_thread_start(travel, &plan, NULL, &thread) != 0)
		exit(EXIT_FAILURE);
	begin(join, thread);
}

static void list(void)
{
	struct psu_thread_info infos[8];
	int count = psu_thread_list(infos, 8);

	for (int i = 0; i < count && i < 8; i++)
		printf("State %d at %s after %lu\n", infos[i].state, infos[i].host,
			   infos[i].hops);
	hostile_say("Listed");
}

/* ---- what it makes of its copy */

/** Let the copy have come here as it is said, by moves signed here. */
static void forge_way(struct psu_session *session, const char *how)
{
	struct psu_process *process = psu_process_get();
	const struct psu_digest *here = &psu_trust_self(process->trust)->digest;
	const struct psu_digest *there = strcmp(how, "loop") == 0
										 ? here
										 : &session->peer.digest;
	unsigned links = copy.generation > PSU_LINKS_MAX
						 ? PSU_LINKS_MAX
						 : (unsigned)copy.generation - 1;

	copy.itinerary.count = 0;
	for (unsigned left = links; left--;) {
		uint64_t generation = copy.generation - 1 - left;
		struct psu_statement statement = {
			.kind = PSU_KIND_MOVE,
			.links = (uint8_t)(generation > PSU_LINKS_MAX ? PSU_LINKS_MAX
														  : generation - 1),
			.thread = copied.id,
			.generation = generation,
			.incarnation = process->incarnation,
			.source = left % 2 ? *here : *there,
			.destination = left % 2 ? *there : *here,
		};
		uint8_t sealed[PSU_SEALED_LEN];

		psu_itinerary_previous(&copy.itinerary, &statement.previous);
		psu_seal_sign(&statement, psu_trust_sign_secret(process->trust),
					  sealed);
		psu_itinerary_append(&copy.itinerary, sealed);
	}
}

static void offer(char **words)
{
	struct psu_session *session = hostile_dial();
	struct psu_control answer;

	if (!session)
		return;
	if (strcmp(words[0], "end") == 0)
		hostile_make_end(&copy, 666);
	copy.generation = strtoull(words[2], NULL, 10);
	if (strcmp(words[3], "true") != 0)
		forge_way(session, words[3]);
	hostile_offer(&copy, session);
	hostile_say(hostile_recv(session, &answer));
}

static void locate(char **words)
{
	struct psu_session *session = hostile_dial();
	struct psu_location location = {.where = psu_process_get()->place};
	uint8_t payload[PSU_LOCATION_LEN_MAX];
	struct psu_control answer;
	size_t len;

	if (!session)
		return;
	copy.generation = strtoull(words[2], NULL, 10) + 1;
	forge_way(session, words[3]);
	location.itinerary = copy.itinerary;
	len = psu_frame_put_location(&location, payload);
	if (psu_session_send_frame(session, PSU_FRAME_LOCATION, payload, len) == 0)
		hostile_say(hostile_recv(session, &answer));
}

static void obey(char **words, int count)
{
	if (strcmp(words[0], "start") == 0)
		start(words, count);
	else if (strcmp(words[0], "free") == 0)
		set_gate(&waiting, true);
	else if (strcmp(words[0], "list") == 0)
		list();
	else if (psu_socket_parse(words[1], 0, &endpoint) != 0)
		exit(EXIT_FAILURE);
	else if (strcmp(words[0], "locate") == 0)
		locate(words);
	else
		offer(words);
}

int main(int argc, char **argv)
{
	char line[200], *words[8], *next;

	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_INFO, NULL, NULL);
	set_deadlines();
	if (argc != 3 || psu_thread_setup_init(atoi(argv[1]), argv[2]) != 0)
		return EXIT_FAILURE;
	if (atoi(argv[1]))
		begin(serve, NULL);
	while (fgets(line, sizeof(line), stdin)) {
		int count = 0;

		for (next = strtok(line, " \n"); next && count < 8;
			 next = strtok(NULL, " \n"))
			words[count++] = next;
		if (count)
			obey(words, count);
	}
	return EXIT_SUCCESS;
}
