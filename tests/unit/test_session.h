/* SPDX-License-Identifier: ISC */
/*
 * test_session.h - two processes' worth of session in one: a dials b, over
 * loopback, with a real deployment
 */
#ifndef TEST_SESSION_H
#define TEST_SESSION_H

#include "../certs/deployment.h"
#include "run_suite.h"

#include "net/limits.h"
#include "net/session.h"
#include "seal/seal.h"

#include <pthread.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/** A process of host a or b. */
struct end {
	struct psu_manifest manifest;
	struct psu_session_context context;
	struct psu_session *session; /* NULL: refused */
	int code;					 /* of opening it */
	int64_t took_ms;
};

static struct end client, server; /* too large for a stack */
static int listen_fd;
static struct psu_endpoint endpoint = {.host = "127.0.0.1"};

static inline void end_open(struct end *end, const char *dir)
{
	struct psu_session_context *context = &end->context;
	int code = psu_trust_load(dir, &context->trust);

	if (code == 0)
		code = psu_tls_new(context->trust, &context->tls);
	ck_assert_msg(code == 0, "%s", psu_error_sentence());
	end->manifest.count = 1;
	strcpy(end->manifest.objects[0].name, "program");
	context->manifest = &end->manifest;
	context->hello = (struct psu_hello){
		.version = PSU_WIRE_VERSION,
		.page_len = 4096,
		.window_addr = 1 << 20,
		.slot_len = 1 << 10,
		.zone_count = PSU_ZONE_COUNT,
		.zone = psu_trust_zone(context->trust),
		.isa_present = 7,
		.incarnation = {{(uint8_t)(1 + psu_trust_zone(context->trust))}},
	};
}

/** The two hosts, as the certificate directories are now. */
static inline void open_ends(void)
{
	struct psu_endpoint any = {.host = "127.0.0.1", .port = "0"};
	unsigned port;

	end_open(&client, in_top("work/a"));
	end_open(&server, in_top("work/b"));
	ck_assert_int_eq(psu_socket_listen(&any, &listen_fd, &port), 0);
	snprintf(endpoint.port, sizeof(endpoint.port), "%u", port);
}

/** The server's whole side, in a thread of its own. */
static inline void *serve(void *unused)
{
	int64_t begin = psu_clock_now_ms();
	char from[80];
	int fd;

	ck_assert_int_eq(psu_socket_accept(listen_fd, &fd, from, sizeof(from)), 0);
	server.code = psu_session_authenticate(&server.context, fd, from,
										   &server.session);
	if (server.code == 0) {
		server.code = psu_session_greet(&server.context, server.session);
		if (server.code != 0) {
			psu_session_close(server.session);
			server.session = NULL;
		}
	}
	server.took_ms = psu_clock_now_ms() - begin;
	return unused;
}

static inline pthread_t start_server(void)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	return thread;
}

/** Dial; both sides' codes, and sessions if they are 0, are kept. */
static inline void dial(void)
{
	pthread_t thread = start_server();

	client.code = psu_session_dial(&client.context, &endpoint, &client.session);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/** A session that both ends have opened. */
static inline void dial_well(void)
{
	open_ends();
	dial();
	ck_assert_int_eq(client.code, 0);
	ck_assert_int_eq(server.code, 0);
}

static inline void check_code(int code, int expected)
{
	ck_assert_msg(code == expected, "%s instead of %s", psu_error_name(code),
				  psu_error_name(expected));
}

static inline TCase *session_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	tcase_add_unchecked_fixture(tcase, make_deployment, remove_deployment);
	tcase_add_checked_fixture(tcase, copy_hosts, NULL);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return tcase;
}

#endif
