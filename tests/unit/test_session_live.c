/* SPDX-License-Identifier: ISC */
/*
 * test_session_live.c - an open session is judged again before each request,
 * takes well-formed frames only, and waits for nothing without end
 */
#include "test_session.h"

static void close_both(void)
{
	psu_session_close(client.session);
	psu_session_close(server.session);
}

/* ---- judged again */

static const struct {
	const char *command; /* run in work/, once the session is open */
	bool sending;		 /* client judges server, or server judges client */
	int code;
} changes[] = {
	{"true", true, 0},
	{"true", false, 0},
	{"sed -i s/direction=both/direction=send/ a/peers", true,
	 PSU_THREAD_E_DIRECTION_DENIED},
	{"sed -i s/direction=both/direction=receive/ a/peers", true, 0},
	{"sed -i s/direction=both/direction=receive/ b/peers", false,
	 PSU_THREAD_E_DIRECTION_DENIED},
	{"sed -i s/direction=both/direction=send/ b/peers", false, 0},
	{"sed -i /^peer/d a/peers", true, PSU_THREAD_E_PEER_NOT_LISTED},
	{"sed -i /^peer/d b/peers", false, PSU_THREAD_E_PEER_NOT_LISTED},
	{"echo x >>b/peers", false, PSU_THREAD_E_PEERS_INVALID},
	{"sed -i \"/^peer/s/$/ pin=$(printf %064d 0)/\" a/peers", true,
	 PSU_THREAD_E_PIN_MISMATCH},
	{"sed -i \"/^peer/s/$/ pin=$(printf %064d 0)/\" b/peers", false,
	 PSU_THREAD_E_PIN_MISMATCH},
	{"cp ../bad/crl-revoked.pem b/crl.pem", false, PSU_THREAD_E_CERT_REVOKED},
	{"echo x >b/crl.pem", false, PSU_THREAD_E_CERTS_INVALID},
};

START_TEST(files_change)
{
	struct end *judge = changes[_i].sending ? &client : &server;
	struct psu_peer peer;

	/* a has a certificate that the other CRL revokes */
	run("cp %s/host.* %s", in_top("bad/revoked"), in_top("work/a"));
	dial_well();
	run("cd %s && %s", in_top("work"), changes[_i].command);
	check_code(psu_session_judge(&judge->context, judge->session,
								 changes[_i].sending, &peer),
			   changes[_i].code);
	close_both();
}
END_TEST

START_TEST(session_grows_old)
{
	struct psu_peer peer;

	dial_well();
	server.session->opened_ms -= PSU_SESSION_AGE_MS - 5000;
	ck_assert_int_eq(psu_session_judge(&server.context, server.session,
									   PSU_RIGHT_SEND, &peer),
					 0);
	ck_assert_str_eq(peer.identity.name, "a");
	server.session->opened_ms -= 5001;
	ck_assert_int_eq(psu_session_judge(&server.context, server.session,
									   PSU_RIGHT_SEND, &peer),
					 PSU_THREAD_E_TLS_FAILED);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "too old"));
	close_both();
}
END_TEST

/* ---- frames */

static void send_bytes(const void *bytes, size_t len)
{
	ck_assert_int_eq(
		psu_session_send(client.session,
						 &(struct iovec){(void *)(uintptr_t)bytes, len}, 1,
						 psu_clock_deadline(1000)),
		0);
}

static int recv_header(struct psu_frame_header *header_out)
{
	return psu_session_recv_header(server.session, header_out,
								   psu_clock_deadline(1000));
}

static const uint8_t bad_headers[][PSU_FRAME_HEADER_LEN] = {
	{0, 0, 0, 48, 99, 0, 0, 0},				  /* no type */
	{0, 0, 0, 48, PSU_FRAME_STATUS, 1, 0, 0}, /* reserved byte */
	{0, 0, 0, 48, PSU_FRAME_STATUS, 0, 0, 1}, /* a stream */
	{0, 0, 0, 49, PSU_FRAME_STATUS, 0, 0, 0}, /* too long */
	{0, 0, 0, 47, PSU_FRAME_STATUS, 0, 0, 0}, /* too short */
	{0, 0, 1, 129, PSU_FRAME_OFFER, 0, 0, 1}, /* 385 bytes */
	{0, 16, 0, 1, PSU_FRAME_BODY, 0, 0, 1},	  /* 2^20 + 1 bytes */
	{255, 255, 255, 255, PSU_FRAME_BODY, 0, 0, 1},
	{0, 0, 0, 0, PSU_FRAME_BODY, 0, 0, 1},
};

START_TEST(headers_are_judged)
{
	struct psu_frame_header header;

	dial_well();
	send_bytes(bad_headers[_i], PSU_FRAME_HEADER_LEN);
	check_code(recv_header(&header), PSU_THREAD_E_PROTOCOL);
	ck_assert(server.session->broken);
	close_both();
}
END_TEST

START_TEST(control_frames_arrive)
{
	const struct psu_control sent = {
		.type = PSU_FRAME_COMMIT, .migration = {{1}}, .token = 7};
	struct psu_frame_header header;
	struct psu_control control;

	dial_well();
	ck_assert(psu_session_is_quiet(server.session));
	ck_assert_int_eq(psu_session_send_control(client.session, &sent), 0);
	ck_assert_int_eq(recv_header(&header), 0);
	ck_assert(!psu_session_is_quiet(server.session)); /* the payload */
	ck_assert_int_eq(
		psu_session_recv_control(server.session, &header, &control), 0);
	ck_assert_uint_eq(control.token, 7);
	ck_assert(psu_id_equal(&control.migration, &sent.migration));
	ck_assert(psu_session_is_quiet(server.session));
	server.session->broken = true;
	ck_assert(!psu_session_is_quiet(server.session));
	close_both();
}
END_TEST

/** A field that a STATUS does not use; a frame of another kind. */
START_TEST(control_frames_are_judged)
{
	static const uint8_t with_token[] = {
		[3] = 48, [4] = PSU_FRAME_STATUS, [8 + 32] = 1, [8 + 47] = 0};
	const struct psu_frame_header body = {
		.type = PSU_FRAME_BODY, .payload_len = PSU_CONTROL_LEN, .stream = 1};
	struct psu_frame_header header = body;
	struct psu_control control;

	dial_well();
	if (_i == 0) {
		send_bytes(with_token, sizeof(with_token));
		ck_assert_int_eq(recv_header(&header), 0);
	}
	check_code(psu_session_recv_control(server.session, &header, &control),
			   PSU_THREAD_E_PROTOCOL);
	ck_assert(server.session->broken);
	close_both();
}
END_TEST

/* ---- refusals */

static const struct {
	int said;
	int heard;
} refusals[] = {
	{PSU_THREAD_E_BUSY, PSU_THREAD_E_BUSY},
	{PSU_THREAD_E_REPLAYED, PSU_THREAD_E_REPLAYED},
	{0, PSU_THREAD_E_PROTOCOL},
	{1, PSU_THREAD_E_PROTOCOL},
	{-12345, PSU_THREAD_E_PROTOCOL},
};

static void *refuse(void *code)
{
	psu_session_refuse(server.session, *(const int *)code);
	return NULL;
}

START_TEST(refusal_is_heard)
{
	struct psu_frame_header header;
	int said = refusals[_i].said;
	pthread_t thread;

	dial_well();
	ck_assert_int_eq(pthread_create(&thread, NULL, refuse, &said), 0);
	ck_assert_int_eq(psu_session_recv_header(client.session, &header,
											 psu_clock_deadline(1000)),
					 0);
	ck_assert_int_eq(header.type, PSU_FRAME_REFUSED);
	check_code(psu_session_recv_refusal(client.session), refusals[_i].heard);
	psu_session_close(client.session);
	pthread_join(thread, NULL);
	ck_assert(server.session->broken);
	psu_session_close(server.session);
}
END_TEST

/* ---- waits */

static void check_silent(int rc, int64_t begin, int64_t limit_ms)
{
	int64_t took_ms = psu_clock_now_ms() - begin;

	check_code(rc, PSU_THREAD_E_HOST_SILENT);
	ck_assert_int_ge(took_ms, limit_ms);
	ck_assert_int_le(took_ms, limit_ms + 2000);
	ck_assert(server.session->broken);
}

START_TEST(nothing_comes)
{
	struct psu_frame_header header;
	int64_t begin;

	dial_well();
	begin = psu_clock_now_ms();
	check_silent(psu_session_recv_header(server.session, &header, begin + 200),
				 begin, 200);
	close_both();
}
END_TEST

/** Half a header; a header, and half its payload. */
START_TEST(the_rest_does_not_come)
{
	static const uint8_t bytes[PSU_FRAME_HEADER_LEN + 10] = {
		[3] = 48, [4] = PSU_FRAME_STATUS};
	struct psu_frame_header header;
	struct psu_control control;
	int64_t begin;
	int rc;

	ck_assert_int_eq(psu_thread_set_deadline(PSU_THREAD_WAIT_MESSAGE, 500), 0);
	dial_well();
	send_bytes(bytes, _i == 0 ? 4 : sizeof(bytes));
	begin = psu_clock_now_ms();
	rc = psu_session_recv_header(server.session, &header, begin + 20000);
	if (_i == 1) {
		ck_assert_int_eq(rc, 0);
		rc = psu_session_recv_control(server.session, &header, &control);
	}
	check_silent(rc, begin, 500);
	close_both();
}
END_TEST

/** The peer reads nothing, until there is no room left on the way. */
START_TEST(nothing_is_taken)
{
	static uint8_t bytes[16 << 20];
	int64_t begin;
	int rc;

	dial_well();
	begin = psu_clock_now_ms();
	rc = psu_session_send(server.session, &(struct iovec){bytes, sizeof(bytes)},
						  1, begin + 200);
	check_silent(rc, begin, 200);
	close_both();
}
END_TEST

START_TEST(the_peer_goes)
{
	struct psu_frame_header header;

	dial_well();
	psu_session_close(client.session);
	check_code(recv_header(&header), PSU_THREAD_E_CONNECTION_LOST);
	ck_assert(server.session->broken);
	psu_session_close(server.session);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session_live");
	TCase *live = session_case(suite, "live");
	TCase *limits = session_case(suite, "limits");

	tcase_add_loop_test(live, files_change, 0, (int)COUNT(changes));
	tcase_add_test(live, session_grows_old);
	tcase_add_loop_test(live, headers_are_judged, 0, (int)COUNT(bad_headers));
	tcase_add_test(live, control_frames_arrive);
	tcase_add_loop_test(live, control_frames_are_judged, 0, 2);
	tcase_add_loop_test(live, refusal_is_heard, 0, (int)COUNT(refusals));
	tcase_add_test(live, nothing_comes);
	tcase_add_test(live, nothing_is_taken);
	tcase_add_test(live, the_peer_goes);
	tcase_add_loop_test(limits, the_rest_does_not_come, 0, 2);
	return run_suite(suite);
}
