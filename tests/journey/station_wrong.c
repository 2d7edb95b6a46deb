/* SPDX-License-Identifier: ISC */
/*
 * station_wrong.c - what a station does wrong if it is told to
 *
 *     hold, commit              keep back all COMMITs from now on; send them
 *     forget                    send no FORGETs from now on
 *     lie CODE                  say it in each ABORTED from now on
 *     mute, speak               send no RUNNINGs from now on; send them again
 *     ask HOST                  open a session, and move nothing on it
 *     stock HOST                as many idle sessions as are kept
 *     blind                     take each idle session for a good one
 *     deaf                      listen no more, with the sessions as they are
 *     sever                     end the sessions that others have opened
 *     fork                      a child that tells what it has of connections
 *     reticent                  tell no home where its thread is
 *     poor                      the library cannot start its next own thread
 *     keep                      keep what is known of a guest
 *     flood COUNT CERTS         tell the home of a guest, the one kept if any,
 *                               so many times that it has gone on, to and fro
 *                               between here and the host of CERTS, each time
 *                               to another process at an address that is silent
 *     name                      tell which process it is
 *     pose NAME                 be that process from now on, but for the host
 */
#include "journey/callers.h"
#include "journey/courier.h"
#include "journey/line.h"
#include "journey/process.h"
#include "journey/traveller.h"
#include "station.h"

#include <psu_thread.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct gate commits = GATE(true);
static _Atomic bool without_forget, without_running, blind, poor, reticent;
static _Atomic int lie; /* 0: none */

/* The linker puts these before the library's own: --wrap. */
int __real_psu_session_send_control(struct psu_session *session,
									const struct psu_control *control);
int __wrap_psu_session_send_control(struct psu_session *session,
									const struct psu_control *control);

int __wrap_psu_session_send_control(struct psu_session *session,
									const struct psu_control *control)
{
	struct psu_control told = *control;

	if (control->type == PSU_FRAME_COMMIT) {
		printf("COMMIT is due\n");
		pass(&commits);
	}
	if ((control->type == PSU_FRAME_FORGET && without_forget) ||
		(control->type == PSU_FRAME_RUNNING && without_running))
		return 0;
	if (control->type == PSU_FRAME_ABORTED && lie)
		told.code = lie;
	return __real_psu_session_send_control(session, &told);
}

bool __real_psu_session_is_quiet(struct psu_session *session);
bool __wrap_psu_session_is_quiet(struct psu_session *session);

bool __wrap_psu_session_is_quiet(struct psu_session *session)
{
	return blind || __real_psu_session_is_quiet(session);
}

int __real_psu_process_spawn(void *(*fn)(void *), void *arg);
int __wrap_psu_process_spawn(void *(*fn)(void *), void *arg);

int __wrap_psu_process_spawn(void *(*fn)(void *), void *arg)
{
	if (!poor)
		return __real_psu_process_spawn(fn, arg);
	poor = false;
	printf("too poor\n");
	return PSU_THREAD_E_NO_MEMORY;
}

#define WRITE_MOVED(name)                                                      \
	struct psu_letter *name(const struct psu_traveller *thread,                \
							uint64_t generation,                               \
							const struct psu_place *where)

WRITE_MOVED(__real_psu_courier_write_moved);
WRITE_MOVED(__wrap_psu_courier_write_moved);

WRITE_MOVED(__wrap_psu_courier_write_moved)
{
	if (reticent)
		return NULL;
	return __real_psu_courier_write_moved(thread, generation, where);
}

static void ask(const char *host)
{
	const struct psu_id *self = &psu_process_get()->incarnation;
	struct psu_endpoint endpoint;
	struct psu_session *session;
	struct psu_way way;
	bool dead;

	if (psu_socket_parse(host, PSU_THREAD_DEFAULT_PORT, &endpoint) != 0)
		return;
	psu_way_to_endpoint(&endpoint, &way);
	if (psu_line_take(&way, &session) != 0)
		return;
	if (psu_line_ask_after(session, self, &dead) == 0)
		printf("asked\n");
	psu_line_put(session);
}

static void stock(const char *host)
{
	const struct psu_id *self = &psu_process_get()->incarnation;
	struct psu_endpoint endpoint;
	struct psu_session *session;
	bool dead;

	if (psu_socket_parse(host, PSU_THREAD_DEFAULT_PORT, &endpoint) != 0)
		return;
	for (int i = 0; i < PSU_LINES_IDLE_MAX; i++) {
		if (psu_session_dial(&psu_process_get()->context, &endpoint,
							 &session) != 0 ||
			psu_line_ask_after(session, self, &dead) != 0)
			return;
		psu_line_adopt(host, session);
	}
	printf("stocked\n");
}

/** Sockets, what watches them, and what wakes who waits for them. */
static int count_connections(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		char path[32], target[32] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) > 0)
			count += *target == 's' || strstr(target, "[event") != NULL;
	}
	return count;
}

static void tell_child(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(printf("child has %d\n", count_connections()) < 0);
	waitpid(child, NULL, 0);
}

/** Whoever connects hears nothing. */
static void open_silent_port(char *address, size_t len)
{
	const struct psu_endpoint any = {.host = "127.0.0.1", .port = "0"};
	unsigned port;
	int fd;

	if (psu_socket_listen(&any, &fd, &port) != 0)
		abort();
	snprintf(address, len, "127.0.0.1:%u", port);
}

static int tell_location(struct psu_session *session,
						 const struct psu_location *location)
{
	uint8_t payload[PSU_LOCATION_LEN_MAX], noted[PSU_NOTED_LEN];
	int64_t deadline = psu_clock_deadline(PSU_ANSWER_MS);
	size_t len = psu_frame_put_location(location, payload);
	struct psu_frame_header header;
	int rc;

	rc = psu_session_send_frame(session, PSU_FRAME_LOCATION, payload, len);
	if (!rc)
		rc = psu_session_recv_answer(session, &header, deadline);
	if (!rc && header.type == PSU_FRAME_REFUSED)
		return psu_session_recv_refusal(session);
	if (!rc)
		rc = psu_session_recv(session, noted, header.payload_len, deadline);
	return rc;
}

/** Let it have moved on, to another process. */
static void move_on(struct psu_location *location, const struct psu_id *thread,
					uint64_t generation, const struct psu_trust *from,
					const struct psu_trust *to)
{
	struct psu_statement statement = {
		.kind = PSU_KIND_MOVE,
		.links = (uint8_t)location->itinerary.count,
		.thread = *thread,
		.generation = generation,
		.source = psu_trust_self(from)->digest,
		.destination = psu_trust_self(to)->digest,
	};
	uint8_t sealed[PSU_SEALED_LEN];

	randombytes_buf(&statement.incarnation, sizeof(statement.incarnation));
	psu_itinerary_previous(&location->itinerary, &statement.previous);
	psu_seal_sign(&statement, psu_trust_sign_secret(from), sealed);
	psu_itinerary_append(&location->itinerary, sealed);
	location->where.identity = statement.destination;
	location->where.incarnation = statement.incarnation;
}

static const struct psu_traveller *find_guest(void)
{
	const struct psu_traveller *guest = psu_process_get()->threads;

	while (guest->born_here)
		guest = guest->next;
	return guest;
}

static struct psu_traveller kept; /* no generation: none */

static void flood(int count, const char *certs)
{
	const struct psu_traveller *guest = kept.generation ? &kept : find_guest();
	struct psu_location location = {.where = {.name = "b"}};
	const struct psu_trust *here = psu_process_get()->trust;
	struct psu_trust *there;
	struct psu_session *session;
	struct psu_way way;
	int rc = 0;

	psu_way_to_place(&guest->home, &way);
	if (psu_line_take(&way, &session) != 0 ||
		psu_trust_load(certs, &there) != 0)
		return;
	open_silent_port(location.where.address, sizeof(location.where.address));
	location.itinerary = guest->itinerary;
	for (int i = 1; i <= count && !rc; i++) {
		move_on(&location, &guest->id, guest->generation + (unsigned)i,
				i % 2 ? here : there, i % 2 ? there : here);
		rc = tell_location(session, &location);
	}
	psu_trust_free(there);
	psu_line_put(session);
	printf("flooded: %s\n", rc ? psu_error_name(rc) : "OK");
}

static void tell_name(void)
{
	const struct psu_id *self = &psu_process_get()->incarnation;
	char hex[2 * sizeof(self->bytes) + 1];

	psu_bytes_hex(self->bytes, sizeof(self->bytes), hex);
	printf("named %s\n", hex);
}

static void pose(const char *hex)
{
	struct psu_process *process = psu_process_get();
	struct psu_id *id = &process->incarnation;

	if (sodium_hex2bin(id->bytes, sizeof(id->bytes), hex, strlen(hex), NULL,
					   NULL, NULL) != 0)
		return;
	process->place.incarnation = process->dest.incarnation = *id;
	process->context.hello.incarnation = *id;
}

static void sever(void)
{
	psu_process_lock();
	for (struct psu_caller *at = psu_process_get()->callers; at; at = at->next)
		shutdown(at->fd, SHUT_RDWR);
	psu_process_unlock();
	printf("severed\n");
}

bool do_wrong(char **words, int count)
{
	const char *word = words[0];

	if (strcmp(word, "hold") == 0)
		set_gate(&commits, false);
	else if (strcmp(word, "commit") == 0)
		set_gate(&commits, true);
	else if (strcmp(word, "forget") == 0)
		without_forget = true;
	else if (strcmp(word, "lie") == 0 && count > 1)
		lie = atoi(words[1]);
	else if (strcmp(word, "mute") == 0)
		without_running = true;
	else if (strcmp(word, "speak") == 0)
		without_running = false;
	else if (strcmp(word, "ask") == 0 && count > 1)
		ask(words[1]);
	else if (strcmp(word, "stock") == 0 && count > 1)
		stock(words[1]);
	else if (strcmp(word, "blind") == 0)
		blind = printf("cannot see\n") > 0;
	else if (strcmp(word, "deaf") == 0)
		shutdown(psu_process_get()->listen_fd, SHUT_RDWR);
	else if (strcmp(word, "sever") == 0)
		sever();
	else if (strcmp(word, "fork") == 0)
		tell_child();
	else if (strcmp(word, "reticent") == 0)
		reticent = true;
	else if (strcmp(word, "poor") == 0)
		poor = true;
	else if (strcmp(word, "keep") == 0)
		kept = *find_guest();
	else if (strcmp(word, "flood") == 0 && count > 2)
		flood(atoi(words[1]), words[2]);
	else if (strcmp(word, "name") == 0)
		tell_name();
	else if (strcmp(word, "pose") == 0 && count > 1)
		pose(words[1]);
	else
		return false;
	return true;
}
