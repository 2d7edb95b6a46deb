/* SPDX-License-Identifier: ISC */
/*
 * test_traffic.c - who looks for an answer, and who sleeps
 *
 * Whether somebody has looked in vain shows in the session: it says when the
 * next look is due.
 */
#include "net/limits.h"
#include "net/session.h"
#include "net/socket.h"
#include "report/traffic.h"
#include "run_suite.h"

#include <sys/socket.h>
#include <unistd.h>

static struct psu_session session;
static int peer_fd;

static void set_up(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	session = (struct psu_session){.fd = fds[0], .ssl = SSL_new(context)};
	peer_fd = fds[1];
	SSL_CTX_free(context);
	psu_traffic_enter();
}

static void tear_down(void)
{
	psu_traffic_leave();
	SSL_free(session.ssl);
	close(session.fd);
	close(peer_fd);
}

START_TEST(counts)
{
	ck_assert(psu_traffic_is_alone());
	psu_traffic_enter();
	ck_assert(!psu_traffic_is_alone());
	psu_traffic_leave();
	ck_assert(psu_traffic_is_alone());
}
END_TEST

START_TEST(looks_once_in_vain)
{
	int64_t before = psu_clock_now_us(), again;

	psu_session_watch(&session);
	again = session.watch_again_us;
	ck_assert_int_ge(again, before + PSU_WATCH_US + PSU_WATCH_PAUSE_US);
	session.watch_again_us = again = INT64_MAX;
	psu_session_watch(&session);
	ck_assert_int_eq(session.watch_again_us, again);
}
END_TEST

START_TEST(looks_until_it_comes)
{
	ck_assert_int_eq(send(peer_fd, "", 1, 0), 1);
	psu_session_watch(&session);
	ck_assert_int_eq(session.watch_again_us, 0);
}
END_TEST

START_TEST(sleeps_among_others)
{
	psu_traffic_enter();
	psu_session_watch(&session);
	psu_traffic_leave();
	ck_assert_int_eq(session.watch_again_us, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("traffic");
	TCase *tests = tcase_create("traffic");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, counts);
	tcase_add_test(tests, looks_once_in_vain);
	tcase_add_test(tests, looks_until_it_comes);
	tcase_add_test(tests, sleeps_among_others);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
