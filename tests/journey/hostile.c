/* SPDX-License-Identifier: ISC */
/*
 * hostile.c - an authorised peer that does what ours never does
 *
 *     hostile serve CERTS                take threads in
 *     hostile move CERTS HOST            start a thread that moves to HOST
 *     hostile home CERTS HOST            the same, and it may come home; it
 *                                        stays there until a word comes
 *     hostile crowd CERTS HOST           open as many sessions as HOST allows
 *     hostile commit CERTS HOST          reserve, await a word, COMMIT
 *     hostile pause CERTS HOST           begin to offer a thread, await a word,
 *                                        go on
 *     hostile recycle CERTS HOST         have a thread started, and take that
 *                                        back under a used migration id
 *     hostile lie CERTS HOST WHAT        offer a thread, but WHAT about it is
 *                                        not true
 *     hostile twice|wave CERTS PORT_FILE take a thread in, and send it home
 *                                        to that port twice, or many times
 *                                        at once with offers that come to
 *                                        nothing
 *     hostile back CERTS PORT_FILE WHAT  take a thread in, and send it home to
 *                                        that port, first with WHAT about it
 *                                        not true
 *     hostile other CERTS CERTS2         take an offer, cut the line, and
 *                                        answer for it as another host
 *
 * What is found out is printed, a line each.
 */
#include "hostile.h"

#include "deadlines.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *role;
static const char *place;	 /* HOST or PORT_FILE */
static const char *lie = ""; /* WHAT */
static struct psu_endpoint endpoint;

static int is_role(const char *name)
{
	return strcmp(role, name) == 0;
}

/** Whether it is one that takes a thread in, to play with it. */
static bool is_taker(void)
{
	return is_role("twice") || is_role("wave") || is_role("back");
}

void hostile_say(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

void hostile_await_word(void)
{
	if (!getchar())
		hostile_say("a word without letters");
}

struct psu_session *hostile_dial(void)
{
	struct psu_session *session = NULL;

	return psu_session_dial(&psu_process_get()->context, &endpoint, &session) ==
				   0
			   ? session
			   : NULL;
}

/* ---- with a thread in hand */

static void crowd(void)
{
	int count = 0;

	while (count < 2 * PSU_SESSIONS_MAX && hostile_dial())
		count++;
	printf("%d sessions\n", count);
	hostile_say("Ready");
	hostile_await_word();
}

static void commit(struct hostile_thread *thread)
{
	struct psu_session *session = hostile_dial();
	struct psu_control answer;

	if (!session)
		return;
	thread->flights = 2;
	hostile_offer(thread, session);
	hostile_say(hostile_recv(session, &answer));
	hostile_await_word();
	hostile_say(hostile_ask(session, PSU_FRAME_COMMIT, &answer));
}

static void tell(struct hostile_thread *thread)
{
	struct psu_session *session = hostile_dial();
	struct psu_control answer;

	if (!session)
		return;
	hostile_offer(thread, session);
	hostile_say(hostile_recv(session, &answer));
	psu_session_close(session);
}

/** Home once as it should, and again when it is there. */
static void twice(struct hostile_thread *thread)
{
	for (int i = 0; i < 2; i++) {
		struct psu_session *session = hostile_dial();
		struct psu_control answer;

		if (!session)
			return;
		hostile_offer(thread, session);
		hostile_say("Offered");
		hostile_say(hostile_recv(session, &answer));
		hostile_ask(session, PSU_FRAME_FORGET, &answer);
		psu_itinerary_append(&thread->itinerary, thread->sealed);
		thread->generation++;
	}
}

/** Home with a lie, and then as it should. */
static void back(struct hostile_thread *thread)
{
	tell(thread);
	thread->lie = "";
	tell(thread);
}

#define WAVE_THREADS 8
#define WAVE_OFFERS 60

/** One of those that offer it at once, each time in vain: cancelled when it
 * is parked, or with a digest of another body. */
static void *offer_in_vain(void *argument)
{
	struct hostile_thread thread = *(struct hostile_thread *)argument;
	struct psu_session *session = NULL;
	struct psu_control answer;
	long failed = 0;

	for (int i = 0; i < WAVE_OFFERS; i++) {
		const char *said;

		if (!session)
			session = hostile_dial();
		if (!session)
			return (void *)(long)WAVE_OFFERS;
		hostile_offer(&thread, session);
		said = hostile_recv(session, &answer);
		if (strcmp(said, "PREPARED") == 0)
			said = hostile_ask(session, PSU_FRAME_CANCEL, &answer);
		failed += strncmp(said, "ABORTED", 7) != 0;
	}
	psu_session_close(session);
	return (void *)failed;
}

static void wave(struct hostile_thread *thread)
{
	struct hostile_thread damaged = *thread;
	pthread_t offerers[WAVE_THREADS];
	long failed = 0;

	thread->flights = 2;
	damaged.lie = "digest";
	for (int i = 0; i < WAVE_THREADS; i++)
		if (pthread_create(&offerers[i], NULL, offer_in_vain,
						   i % 2 ? &damaged : thread) != 0)
			exit(EXIT_FAILURE);
	for (int i = 0; i < WAVE_THREADS; i++) {
		void *result;

		pthread_join(offerers[i], &result);
		failed += (long)result;
	}
	printf("%ld of %d offers had another end\n", failed,
		   WAVE_THREADS * WAVE_OFFERS);
}

/** In place of psu_depart(): the thread's state is kept, and it is ours. */
static int work(struct psu_traveller *self)
{
	struct hostile_thread thread;

	hostile_take(self, lie, &thread);
	if (is_role("crowd"))
		crowd();
	else if (is_role("commit"))
		commit(&thread);
	else if (is_role("lie"))
		tell(&thread);
	else if (is_role("twice"))
		twice(&thread);
	else if (is_role("back"))
		back(&thread);
	else if (is_role("pause"))
		hostile_pause(&thread);
	else if (is_role("recycle"))
		hostile_recycle(&thread);
	else
		wave(&thread);
	exit(EXIT_SUCCESS);
}

static void __attribute__((noinline)) turn_hostile(void)
{
	struct psu_traveller *self = psu_local.self;

	if (psu_state_capture(&self->registers, self, work) == 0)
		hostile_say("A thread runs");
}

/* ---- the threads */

/** With more stack than a move in one flight may have, and no redzones on it:
 * all of it is read to be sent. */
static void __attribute__((noinline, no_sanitize("address")))
turn_hostile_deep(void)
{
	volatile char deep[PSU_ONE_FLIGHT_LEN_MAX];

	deep[0] = '\0';
	turn_hostile();
	(void)deep[0];
}

static void *attack(void *unused)
{
	if (strcmp(lie, "flight") == 0)
		turn_hostile_deep();
	else
		turn_hostile();
	return unused;
}

static void *move(void *unused)
{
	if (psu_thread_migrate(place) != 0)
		hostile_say("It goes on at the source");
	else if (is_taker())
		turn_hostile();
	else
		hostile_say("A thread runs");
	if (is_role("home"))
		hostile_await_word();
	return unused;
}

/* ---- the processes */

static int serve(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_INFO, NULL, NULL);
	while (psu_thread_create(NULL, NULL) == 0)
		continue;
	return EXIT_FAILURE;
}

static int stay_home(void)
{
	struct psu_thread_handle *thread;

	if (psu_thread_start(move, NULL, NULL, &thread) != 0 ||
		psu_thread_join(thread, NULL, NULL) != 0)
		return EXIT_FAILURE;
	hostile_say("It has ended");
	hostile_await_word();
	return EXIT_SUCCESS;
}

/** The process that is to be attacked tells its port when it listens. */
static void await_port(const char *path)
{
	char port[16] = "", host[64];

	while (!*port) {
		FILE *file = fopen(path, "re");

		if (file) {
			if (fscanf(file, "%15s", port) != 1)
				*port = '\0';
			fclose(file);
		}
		usleep(10000);
	}
	snprintf(host, sizeof(host), "127.0.0.1:%s", port);
	if (psu_socket_parse(host, 0, &endpoint) != 0)
		exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	bool taker, server;

	if (argc < 3)
		return EXIT_FAILURE;
	role = argv[1];
	place = argv[3];
	if (argc > 4)
		lie = argv[4];
	taker = is_taker();
	server = taker || is_role("serve") || is_role("home");
	set_deadlines();
	if (psu_thread_setup_init(server, argv[2]) != 0)
		return EXIT_FAILURE;
	if (taker)
		await_port(place);
	if (taker || is_role("serve"))
		return serve();
	if (is_role("home"))
		return stay_home();
	if (is_role("other"))
		return hostile_other(place);
	if (is_role("move"))
		return psu_thread_create(move, NULL) != 0;
	if (psu_socket_parse(place, 0, &endpoint) != 0)
		return EXIT_FAILURE;
	return psu_thread_create(attack, NULL) != 0;
}
