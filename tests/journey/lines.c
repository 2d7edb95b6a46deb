/* SPDX-License-Identifier: ISC */
/*
 * lines.c - two processes that ask each other, on sessions that one dialled
 *
 *     lines serve CERTS         at each line of stdin, "INCARNATION [HOST]",
 *                               asks that process, COUNT times in each of
 *                               THREADS threads; "INCARNATION elsewhere" asks
 *                               for such a process of another host;
 *                               "INCARNATION HOST|nowhere WORD": see there
 *     lines go CERTS HOST       at each line "go" asks that server as often;
 *                               its other words: see there; has no port itself
 *
 * Both say their incarnation first.  Whether a CALL crosses a request is up to
 * the scheduler; some of so many do.
 */
#include "deadlines.h"
#include "journey/line.h"
#include "journey/process.h"
#include "net/limits.h"
#include "seal/seal.h"

#include <psu_thread.h>

#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define THREADS 4
#define COUNT 200

static struct psu_way way;
static _Atomic unsigned waits; /* for a line, that have begun */

/* The linker puts it before the library's own: --wrap. */
bool __real_psu_process_wait_for(pthread_cond_t *condition, int64_t deadline);
bool __wrap_psu_process_wait_for(pthread_cond_t *condition, int64_t deadline);

bool __wrap_psu_process_wait_for(pthread_cond_t *condition, int64_t deadline)
{
	waits++;
	return __real_psu_process_wait_for(condition, deadline);
}

static void *ask(void *argument)
{
	const struct psu_id *self = &psu_process_get()->incarnation;
	unsigned *failures = argument;

	for (int i = 0; i < COUNT; i++) {
		struct psu_session *session;
		bool dead;
		int rc = psu_line_take(&way, &session);

		if (rc == PSU_LINE_DEAD)
			puts("It has died");
		if (rc != 0) {
			(*failures)++;
			break;
		}
		if (psu_line_ask_after(session, self, &dead) != 0 || dead)
			(*failures)++;
		psu_line_put(session);
	}
	return NULL;
}

static void ask_often(void)
{
	unsigned failures[THREADS] = {0}, sum = 0;
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, ask, &failures[i]) != 0)
			abort();
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += failures[i];
	}
	printf("%u failed\n", sum);
}

static void say_incarnation(void)
{
	const struct psu_id *self = &psu_process_get()->incarnation;
	char hex[2 * sizeof(self->bytes) + 1];

	sodium_bin2hex(hex, sizeof(hex), self->bytes, sizeof(self->bytes));
	puts(hex);
}

/** Have a session, and ask on it only when the server has called for it: its
 * CALL is void then, and it must call again. */
static void hold(void)
{
	const struct psu_id *self = &psu_process_get()->incarnation;
	int64_t deadline = psu_clock_deadline(PSU_MESSAGE_MS);
	struct psu_session *session;
	bool dead = true;

	if (psu_line_take(&way, &session) != 0)
		return;
	puts("Held");
	if (psu_session_await(session, -1, deadline) &&
		psu_line_ask_after(session, self, &dead) == 0 && !dead)
		puts("Crossed");
	psu_line_put(session);
}

/** Have a session until the server has called for it, and OpenSSL has read the
 * CALL: the kernel does not tell of it any more. */
static void read_ahead(void)
{
	int64_t deadline = psu_clock_deadline(PSU_MESSAGE_MS);
	struct psu_session *session;
	char byte;

	if (psu_line_take(&way, &session) != 0)
		return;
	puts("Held");
	if (psu_session_await(session, -1, deadline) &&
		SSL_peek(session->ssl, &byte, 1) == 1)
		puts("Read");
	psu_line_put(session);
}

static void tell_end(const char *what, int64_t begin_ms)
{
	printf("%s after %lld ms\n", what,
		   (long long)(psu_clock_now_ms() - begin_ms));
}

/** Have all sessions that may be had, and want one more. */
static void fill(void)
{
	struct psu_session *session;
	int64_t begin_ms;

	for (int i = 0; i < PSU_LINES_PEER_MAX; i++)
		if (psu_line_take(&way, &session) != 0)
			return;
	begin_ms = psu_clock_now_ms();
	if (psu_line_take(&way, &session) != 0)
		tell_end("Failed", begin_ms);
}

/** The first byte of a request, and not one more. */
static void begin(void)
{
	int64_t begin_ms = psu_clock_now_ms(), end_ms = begin_ms + 60000;
	struct psu_session *session;
	char byte = 0;

	if (psu_line_take(&way, &session) != 0 ||
		psu_session_send(session, &(struct iovec){&byte, 1}, 1, end_ms) != 0)
		return;
	if (psu_session_recv(session, &byte, 1, end_ms) != 0)
		tell_end("Closed", begin_ms);
}

/** An OFFER that nobody has signed: be refused, and stay.  That the other side
 * is gone then shows by what it makes of bytes. */
static void stay(void)
{
	const uint8_t offer[PSU_SEALED_LEN] = {0};
	int64_t begin_ms = psu_clock_now_ms();
	struct psu_session *session;

	if (psu_line_take(&way, &session) != 0 ||
		psu_session_send_frame(session, PSU_FRAME_OFFER, offer,
							   sizeof(offer)) != 0)
		return;
	while (psu_clock_now_ms() < begin_ms + 60000 &&
		   send(session->fd, "", 1, MSG_NOSIGNAL) == 1)
		poll(NULL, 0, 10);
	tell_end("Closed", begin_ms);
}

static void *wait_for_line(void *argument)
{
	const struct psu_way *its_way = argument;
	struct psu_session *session;

	if (psu_line_take(its_way, &session) != 0)
		return NULL;
	puts(its_way == &way ? "One is served" : "Another is served");
	psu_line_put(session);
	return NULL;
}

static void await_waits(unsigned count)
{
	for (int i = 0; waits < count && i < 20000; i++)
		poll(NULL, 0, 1);
}

/** Have all sessions, and let two wait, the second of them for any of that
 * host's; the first must look again before one is put back. */
static void put_in_order(void)
{
	struct psu_session *session;
	struct psu_way other = way;
	pthread_t one, another;

	other.incarnation = (struct psu_id){{0}};
	for (int i = 0; i < PSU_LINES_PEER_MAX; i++)
		if (psu_line_take(&way, &session) != 0)
			return;
	if (pthread_create(&one, NULL, wait_for_line, &way) != 0)
		abort();
	await_waits(1);
	if (pthread_create(&another, NULL, wait_for_line, &other) != 0)
		abort();
	await_waits(2);
	psu_process_lock();
	psu_line_look_again(&way.incarnation);
	psu_process_unlock();
	await_waits(3);
	psu_line_put(session);
	pthread_join(one, NULL);
	pthread_join(another, NULL);
}

/** Take one that the peer does not give up: it has been used. */
static struct psu_session *take_used(void)
{
	const struct psu_id *self = &psu_process_get()->incarnation;
	struct psu_session *session;
	bool dead;

	if (psu_line_take(&way, &session) != 0 ||
		psu_line_ask_after(session, self, &dead) != 0)
		return NULL;
	return session;
}

/** For good. */
static void keep(void)
{
	if (take_used())
		puts("Kept");
}

/** Take two, and put the older one back. */
static void keep_newer(void)
{
	struct psu_session *older = take_used();

	keep();
	psu_line_put(older);
}

static const struct {
	const char *name;
	void (*run)(void);
} words[] = {
	{"hold", hold},	  {"read", read_ahead},	 {"fill", fill},
	{"begin", begin}, {"stay", stay},		 {"order", put_in_order},
	{"keep", keep},	  {"newer", keep_newer},
};

static bool run(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i].name) == 0) {
			words[i].run();
			return true;
		}
	return false;
}

/** One of these, "go", or the incarnation of who is to be asked, and perhaps
 * where, and one of these. */
static void obey(char *line)
{
	struct psu_id *id = &way.incarnation;
	const char *hex = strtok(line, " \n"), *where = strtok(NULL, " \n");
	const char *word = strtok(NULL, " \n");

	if (run(hex))
		return;
	if (sodium_hex2bin(id->bytes, sizeof(id->bytes), hex, strlen(hex), NULL,
					   NULL, NULL) != 0)
		*id = (struct psu_id){0};
	way.at_once = where && strcmp(where, "elsewhere") == 0;
	way.identity = (struct psu_digest){{0}};
	if (way.at_once)
		way.identity = psu_process_get()->place.identity;
	else if (where && strcmp(where, "nowhere") != 0)
		way.has_endpoint = psu_socket_parse(where, PSU_THREAD_DEFAULT_PORT,
											&way.endpoint) == 0;
	if (!word || !run(word))
		ask_often();
}

int main(int argc, char **argv)
{
	bool server = argc == 3;
	struct psu_endpoint endpoint;
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	set_deadlines();
	if (argc < 3 ||
		psu_thread_setup_init(server ? PSU_THREAD_SERVER : PSU_THREAD_CLIENT,
							  argv[2]) != 0)
		return EXIT_FAILURE;
	snprintf(way.name, sizeof(way.name), "the client");
	if (!server) {
		if (psu_socket_parse(argv[3], PSU_THREAD_DEFAULT_PORT, &endpoint) != 0)
			return EXIT_FAILURE;
		psu_way_to_endpoint(&endpoint, &way);
	}
	say_incarnation();
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
