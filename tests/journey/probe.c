/* SPDX-License-Identifier: ISC */
/*
 * probe.c - one migratable program for the cases in which somebody misbehaves
 *
 *     probe WHAT HOST CERTS
 *
 * As the apps do, it says on stdout where its thread is, and leaves what is
 * wrong to the library's log.  WHAT is a row of the table at the end; some
 * use the library's internals, to do what the library would not.
 */
#include "deadlines.h"
#include "journey/line.h"
#include "journey/process.h"
#include "net/limits.h"
#include "seal/seal.h"
#include "slot/slot.h"

#include <psu_thread.h>

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed; /* a call that should not have */

static void expect(int rc)
{
	if (rc != 0)
		failed = 1;
}

/* ---- the thread */

static void say(const char *when)
{
	printf("%s the move\n", when);
}

static void *travel(void *host)
{
	say("Before");
	expect(psu_thread_migrate(host));
	say("After");
	return NULL;
}

/** With too large a stack for one flight. */
static void *travel_heavily(void *host)
{
	volatile char luggage[PSU_ONE_FLIGHT_LEN_MAX + 1];

	luggage[0] = 1;
	travel(host);
	return luggage[0] == 1 ? NULL : host;
}

/* ---- as they should be */

static void await_word(void)
{
	char word[8];

	if (!fgets(word, sizeof(word), stdin))
		return;
}

static void go(const char *host, const char *certs)
{
	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	if (!failed)
		expect(psu_thread_create(travel, (void *)(uintptr_t)host));
}

static void serve(const char *unused, const char *certs)
{
	(void)unused;
	expect(psu_thread_setup_init(PSU_THREAD_SERVER, certs));
	if (!failed)
		expect(psu_thread_create(NULL, NULL));
}

/* ---- servers that cannot take a thread in */

/** Nobody waits for a thread until a word comes. */
static void serve_late(const char *unused, const char *certs)
{
	(void)unused;
	expect(psu_thread_setup_init(PSU_THREAD_SERVER, certs));
	await_word();
	if (!failed)
		expect(psu_thread_create(NULL, NULL));
}

/** The addresses of zone @zone are taken. */
static void serve_occupied(const char *zone, const char *certs)
{
	void *addr = (void *)psu_slot_addr((uint32_t)atoi(zone), 0);

	if (mmap(addr, PSU_ZONE_LEN, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
			 -1, 0) != addr)
		perror("mmap");
	serve(NULL, certs);
}

/* ---- another version, another machine */

static void go_as(const char *host, const char *certs,
				  const struct psu_hello *change)
{
	struct psu_hello *hello;

	expect(psu_thread_setup_init(!host, certs));
	if (failed)
		return;
	hello = &psu_process_get()->context.hello;
	hello->version = (uint16_t)(hello->version + change->version);
	hello->page_len += change->page_len;
	hello->isa_needed |= change->isa_needed;
	if (host)
		expect(psu_thread_create(travel, (void *)(uintptr_t)host));
	else
		expect(psu_thread_create(NULL, NULL));
}

static void go_otherwise(const char *host, const char *certs)
{
	go_as(host, certs, &(struct psu_hello){.version = 1});
}

static void serve_otherwise(const char *unused, const char *certs)
{
	(void)unused;
	go_as(NULL, certs, &(struct psu_hello){.version = 1});
}

static void go_elsewhere(const char *host, const char *certs)
{
	go_as(host, certs, &(struct psu_hello){.page_len = 1});
}

static void go_demanding(const char *host, const char *certs)
{
	go_as(host, certs, &(struct psu_hello){.isa_needed = UINT32_MAX});
}

/* ---- calls at the wrong time, from the wrong place, with nothing */

static void unprepared(const char *host, const char *unused)
{
	(void)unused;
	expect(psu_thread_create(travel, (void *)(uintptr_t)host));
}

static void twice(const char *host, const char *certs)
{
	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	expect(psu_thread_create(travel, (void *)(uintptr_t)host));
}

static void outside(const char *host, const char *certs)
{
	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	say("Before");
	expect(psu_thread_migrate(host));
	say("After");
}

/** Take all slots of the zone until a word comes. */
static void hoard(const char *unused, const char *certs)
{
	uint32_t slot;

	(void)unused;
	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	expect(psu_runtime_lock_slots(psu_process_get()->runtime, PSU_ZONE_SLOTS,
								  PSU_ZONE_SLOTS, &slot));
	puts("All taken");
	await_word();
}

static void nowhere(const char *unused, const char *certs)
{
	(void)unused;
	go("", certs);
}

static void nothing(const char *unused, const char *certs)
{
	(void)unused;
	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	expect(psu_thread_create(NULL, NULL));
}

static void *sit(void *unused)
{
	(void)unused;
	pause();
	return NULL;
}

static void late(const char *host, const char *certs)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, sit, NULL) == 0)
		go(host, certs);
}

static void forked(const char *host, const char *certs)
{
	int status = 0;

	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	if (fork() == 0) {
		expect(psu_thread_create(travel, (void *)(uintptr_t)host));
		exit(failed);
	}
	wait(&status);
	expect(status);
}

/* ---- sessions of our own making */

static struct psu_session *dial(const char *host, const char *certs, char *name)
{
	struct psu_endpoint endpoint;
	struct psu_session *session = NULL;

	expect(psu_thread_setup_init(PSU_THREAD_CLIENT, certs));
	if (failed ||
		psu_socket_parse(host, PSU_THREAD_DEFAULT_PORT, &endpoint) != 0 ||
		psu_session_dial(&psu_process_get()->context, &endpoint, &session) != 0)
		exit(EXIT_FAILURE);
	psu_socket_name(&endpoint, name);
	return session;
}

/** Ask about a move that never was, as a first request. */
static void ask(struct psu_session *session)
{
	struct psu_control control = {.type = PSU_FRAME_STATUS};
	struct psu_frame_header header;

	randombytes_buf(&control.migration, sizeof(control.migration));
	control.incarnation = session->hello.incarnation;
	expect(psu_session_send_control(session, &control));
	expect(psu_session_recv_answer(session, &header,
								   psu_clock_deadline(PSU_ANSWER_MS)));
	expect(psu_session_recv_control(session, &header, &control));
}

/** Have a warm session, wait for a word, then move on it. */
static void go_warm(const char *host, const char *certs, void *(*fn)(void *))
{
	struct psu_session *session;
	char name[300];

	session = dial(host, certs, name);
	ask(session);
	psu_line_adopt(name, session);
	puts("Warm");
	await_word();
	expect(psu_thread_create(fn, (void *)(uintptr_t)host));
}

static void warm(const char *host, const char *certs)
{
	go_warm(host, certs, travel);
}

static void warm_heavy(const char *host, const char *certs)
{
	go_warm(host, certs, travel_heavily);
}

/** Say for how long the other side bears with us; close our end then. */
static void await_close(struct psu_session *session)
{
	int64_t begin = psu_clock_now_ms();
	char byte;

	while (psu_session_recv(session, &byte, 1, begin + 60000) == 0)
		continue;
	printf("Closed after %lld ms\n", (long long)(psu_clock_now_ms() - begin));
	psu_session_close(session);
}

/** Authenticated, and not a word more than the hello. */
static void dumb(const char *host, const char *certs)
{
	char name[300];

	await_close(dial(host, certs, name));
}

/** One question, and not a word more. */
static void idle(const char *host, const char *certs)
{
	char name[300];
	struct psu_session *session = dial(host, certs, name);

	ask(session);
	await_close(session);
}

/** A good OFFER with a body of 8 KiB, of which only half is sent. */
static void send_half(struct psu_session *session)
{
	struct psu_process *process = psu_process_get();
	uint8_t frame[PSU_FRAME_HEADER_LEN + PSU_SEALED_LEN];
	uint8_t body[PSU_FRAME_HEADER_LEN + 4096] = {0};
	struct psu_statement statement = {
		.kind = PSU_KIND_MOVE,
		.one_flight = true,
		.generation = 1,
		.incarnation = session->hello.incarnation,
		.source = psu_trust_self(process->trust)->digest,
		.destination = session->peer.digest,
		.program = process->manifest.digest,
		.slot_addr = psu_slot_addr(psu_trust_zone(process->trust), 0),
		.slot_len = PSU_SLOT_LEN,
		.stack_room = PSU_SLOT_STACK_LEN,
		.head_len = 4096,
		.stack_len = 4096,
		.stream = 1,
		.exporter = session->exporter,
	};
	const struct psu_frame_header offer = {PSU_SEALED_LEN, PSU_FRAME_OFFER, 1};
	const struct psu_frame_header half = {8192, PSU_FRAME_BODY, 1};
	const struct iovec parts[] = {{frame, sizeof(frame)}, {body, sizeof(body)}};

	randombytes_buf(&statement.migration, sizeof(statement.migration));
	randombytes_buf(&statement.thread, sizeof(statement.thread));
	psu_seal_sign(&statement, psu_trust_sign_secret(process->trust),
				  frame + PSU_FRAME_HEADER_LEN);
	psu_frame_put_header(&offer, frame);
	psu_frame_put_header(&half, body);
	expect(
		psu_session_send(session, parts, 2, psu_clock_deadline(PSU_ANSWER_MS)));
}

static void stop_halfway(const char *host, const char *certs)
{
	struct psu_session *session;
	char name[300];

	session = dial(host, certs, name);
	send_half(session);
	await_close(session);
}

/* ---- the command line */

static const struct {
	const char *name;
	void (*run)(const char *host, const char *certs);
} table[] = {
	{"go", go},
	{"serve", serve},
	{"serve-late", serve_late},
	{"serve-occupied", serve_occupied},
	{"go-otherwise", go_otherwise},
	{"serve-otherwise", serve_otherwise},
	{"go-elsewhere", go_elsewhere},
	{"go-demanding", go_demanding},
	{"hoard", hoard},
	{"unprepared", unprepared},
	{"twice", twice},
	{"outside", outside},
	{"nowhere", nowhere},
	{"nothing", nothing},
	{"late", late},
	{"forked", forked},
	{"warm", warm},
	{"warm-heavy", warm_heavy},
	{"dumb", dumb},
	{"idle", idle},
	{"stop-halfway", stop_halfway},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, NULL, NULL);
	set_deadlines();
	for (size_t i = 0; argc == 4 && i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].name, argv[1]) == 0) {
			table[i].run(argv[2], argv[3]);
			return failed ? EXIT_FAILURE : EXIT_SUCCESS;
		}
	fprintf(stderr, "usage: probe WHAT HOST CERTS\n");
	return 2;
}
