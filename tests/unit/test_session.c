/* SPDX-License-Identifier: ISC */
/*
 * test_session.c - a session opens only between hosts that may talk, of one
 * program, at the same places, with the same guards; both sides say why not
 */
#include "test_session.h"

/** In the host's directory. */
__attribute__((format(printf, 2, 3))) static void
change_file(const char *host, const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	run("cd %s && %s", in_top("work/%s", host), command);
}

#define HELLO(name, assignment)                                                \
	static void name(void)                                                     \
	{                                                                          \
		struct psu_hello *a = &client.context.hello;                           \
		struct psu_hello *b = &server.context.hello;                           \
                                                                               \
		(void)a;                                                               \
		(void)b;                                                               \
		assignment;                                                            \
	}
HELLO(nothing, (void)0)
HELLO(client_version, a->version = 1)
HELLO(server_version, b->version = 1)
HELLO(page_len, a->page_len = 16384)
HELLO(window_addr, a->window_addr++)
HELLO(slot_len, b->slot_len++)
HELLO(locale, b->locale.bytes[31]++)
HELLO(client_needs_more, (a->isa_needed = 8))
HELLO(server_needs_more, (b->isa_needed = 9))
HELLO(zone_count, a->zone_count = 128)
HELLO(client_zone, a->zone = 2)
HELLO(server_zone, b->zone = 2)
HELLO(guards, a->guards.bytes[31]++)
HELLO(program, a->program.bytes[31]++)
HELLO(contents,
	  (a->program.bytes[0]++, client.manifest.objects[0].digest.bytes[31]++))
HELLO(place, (b->program.bytes[0]++, server.manifest.objects[0].end_addr++))
#undef HELLO

static void unlisted_there(void)
{
	change_file("b", "sed -i /^peer/d peers");
}
static void unlisted_here(void)
{
	change_file("a", "sed -i /^peer/d peers");
}
static void may_not_send(void)
{
	change_file("b", "sed -i s/direction=both/direction=receive/ peers");
}
static void may_not_receive(void)
{
	change_file("a", "sed -i s/direction=both/direction=send/ peers");
}
static void may_only(void)
{
	change_file("b", "sed -i s/direction=both/direction=send/ peers");
	change_file("a", "sed -i s/direction=both/direction=receive/ peers");
}
static void pin_the_other(const char *host, const char *pinned)
{
	change_file(host,
				"pin=$(openssl x509 -in ../%s/host.crt -noout -pubkey | "
				"openssl pkey -pubin -outform DER | sha256sum) && "
				"sed -i \"/^peer/s/$/ pin=${pin%%%% *}/\" peers",
				pinned);
}
static void good_pins(void)
{
	pin_the_other("a", "b");
	pin_the_other("b", "a");
}
static void bad_pin_there(void)
{
	pin_the_other("b", "b");
}
static void bad_pin_here(void)
{
	pin_the_other("a", "a");
}

#define E(name) PSU_THREAD_E_##name

static const struct {
	void (*change)(void);
	int client;
	int server;
} openings[] = {
	{nothing, 0, 0},
	{good_pins, 0, 0},
	{may_only, 0, 0},
	{client_version, 0, E(VERSION_MISMATCH)},
	{server_version, E(VERSION_MISMATCH), 0},
	{page_len, E(PLATFORM_MISMATCH), E(PLATFORM_MISMATCH)},
	{window_addr, E(PLATFORM_MISMATCH), E(PLATFORM_MISMATCH)},
	{slot_len, E(PLATFORM_MISMATCH), E(PLATFORM_MISMATCH)},
	{locale, E(PLATFORM_MISMATCH), E(PLATFORM_MISMATCH)},
	{client_needs_more, E(CPU_MISMATCH), 0},
	{server_needs_more, 0, E(CPU_MISMATCH)},
	{zone_count, E(ZONE_MISMATCH), E(ZONE_MISMATCH)},
	{client_zone, 0, E(ZONE_MISMATCH)},
	{server_zone, E(ZONE_MISMATCH), 0},
	{guards, E(GUARDS_DIFFER), E(GUARDS_DIFFER)},
	{program, E(PROTOCOL), E(PROTOCOL)}, /* the lists are the same */
	{contents, E(BINARY_MISMATCH), E(BINARY_MISMATCH)},
	{place, E(LAYOUT_MISMATCH), E(LAYOUT_MISMATCH)},
	{unlisted_there, E(PEER_NOT_LISTED), E(PEER_NOT_LISTED)},
	{unlisted_here, E(PEER_NOT_LISTED), E(CONNECTION_LOST)},
	{may_not_send, 0, 0}, /* it may be asked, and receive */
	{may_not_receive, 0, 0},
	{bad_pin_there, E(PIN_MISMATCH), E(PIN_MISMATCH)},
	{bad_pin_here, E(PIN_MISMATCH), E(CONNECTION_LOST)},
};

START_TEST(both_sides_judge)
{
	open_ends();
	openings[_i].change();
	dial();
	check_code(client.code, openings[_i].client);
	check_code(server.code, openings[_i].server);
}
END_TEST

START_TEST(both_know_each_other)
{
	static const struct psu_digest zero;

	dial_well();
	ck_assert_str_eq(client.session->peer.name, "b");
	ck_assert_str_eq(server.session->peer.name, "a");
	ck_assert(
		psu_digest_equal(&client.session->exporter, &server.session->exporter));
	ck_assert(!psu_digest_equal(&client.session->exporter, &zero));
	ck_assert(psu_id_equal(&client.session->hello.incarnation,
						   &server.context.hello.incarnation));
	ck_assert(psu_id_equal(&server.session->hello.incarnation,
						   &client.context.hello.incarnation));
	ck_assert(!client.session->server && server.session->server);
	ck_assert_uint_eq(client.session->offers + server.session->offers, 0);
	psu_session_close(client.session);
	psu_session_close(server.session);
}
END_TEST

/* ---- callers that do not open a session as they should */

/** A caller that has shaken hands, and nothing more. */
static void open_raw(void)
{
	struct psu_session *session = calloc(1, sizeof(*session));
	int result;

	ck_assert_int_eq(psu_socket_dial(&endpoint, &session->fd), 0);
	ck_assert_int_eq(psu_tls_open(client.context.tls, session->fd,
								  endpoint.host, &session->ssl),
					 0);
	while ((result = SSL_do_handshake(session->ssl)) != 1) {
		ck_assert_int_eq(SSL_get_error(session->ssl, result),
						 SSL_ERROR_WANT_READ);
		ck_assert(
			psu_socket_wait(session->fd, false, psu_clock_deadline(5000)));
	}
	client.session = session;
}

/** It begins with another frame. */
START_TEST(hello_comes_first)
{
	static const struct psu_frame_header firsts[] = {
		{.type = PSU_FRAME_STATUS, .payload_len = PSU_CONTROL_LEN},
		{.type = PSU_FRAME_REFUSED, .payload_len = PSU_REFUSED_LEN},
		{.type = PSU_FRAME_OFFER, .payload_len = PSU_SEALED_LEN},
	};
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	pthread_t thread;

	open_ends();
	thread = start_server();
	open_raw();
	psu_frame_put_header(&firsts[_i], bytes);
	ck_assert_int_eq(psu_session_send(client.session,
									  &(struct iovec){bytes, sizeof(bytes)}, 1,
									  psu_clock_deadline(1000)),
					 0);
	pthread_join(thread, NULL);
	check_code(server.code, E(PROTOCOL));
}
END_TEST

static int error_count;

static void count_error(enum psu_thread_log_level level, const char *line,
						void *unused)
{
	(void)line;
	(void)unused;
	error_count += level == PSU_THREAD_LOG_ERROR;
}

/** It ends before its hello: only one that says goodbye has refused us. */
START_TEST(no_hello_comes)
{
	pthread_t thread;

	psu_thread_set_log(PSU_THREAD_LOG_ERROR, count_error, NULL);
	open_ends();
	thread = start_server();
	open_raw();
	client.session->broken = _i == 0;
	psu_session_close(client.session);
	pthread_join(thread, NULL);
	check_code(server.code, E(CONNECTION_LOST));
	ck_assert_int_eq(error_count, _i);
}
END_TEST

static void check_limit(int limit_ms)
{
	check_code(server.code, E(HOST_SILENT));
	ck_assert_int_ge(server.took_ms, limit_ms);
	ck_assert_int_le(server.took_ms, limit_ms + 2000);
}

START_TEST(hello_does_not_come)
{
	pthread_t thread;

	open_ends();
	thread = start_server();
	open_raw();
	pthread_join(thread, NULL);
	check_limit(PSU_FIRST_REQUEST_MS);
}
END_TEST

/** A byte now and then of a record that is long enough. */
START_TEST(handshake_drips)
{
	static const uint8_t first[] = {0x16, 3, 1, 2, 0};
	static const uint8_t byte;
	pthread_t thread;
	int fd;

	open_ends();
	thread = start_server();
	ck_assert_int_eq(psu_socket_dial(&endpoint, &fd), 0);
	ck_assert_int_eq(write(fd, first, sizeof(first)), sizeof(first));
	while (pthread_tryjoin_np(thread, NULL) != 0)
		if (!psu_socket_wait(fd, false, psu_clock_deadline(50)))
			ck_assert_int_eq(write(fd, &byte, 1), 1);
	check_limit(PSU_HANDSHAKE_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *opening = session_case(suite, "opening");
	TCase *limits = session_case(suite, "limits");

	tcase_add_loop_test(opening, both_sides_judge, 0, (int)COUNT(openings));
	tcase_add_test(opening, both_know_each_other);
	tcase_add_loop_test(opening, hello_comes_first, 0, 3);
	tcase_add_loop_test(opening, no_hello_comes, 0, 2);
	tcase_add_test(limits, hello_does_not_come);
	tcase_add_test(limits, handshake_drips);
	return run_suite(suite);
}
