/* SPDX-License-Identifier: ISC */
/*
 * test_tls_live.c - live sessions are judged again, as files change and time
 * passes
 */
#include "test_tls.h"

#include "trust/credentials.h"

#include "net/limits.h"

#include <signal.h>
#include <time.h>

#define DAY_S (24 * 60 * 60)

/* OpenSSL asks this clock. */
static time_t clock_offset_s;

time_t time(time_t *time_out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += clock_offset_s;
	if (time_out)
		*time_out = now.tv_sec;
	return now.tv_sec;
}

/* ---- live sessions are judged again */

/** Both a live session and a new one get this code. */
static void expect_judged(struct host *host, struct side *side, int recheck,
						  int reopen)
{
	SSL *ssl = NULL;
	int code = psu_tls_recheck(host->tls, side->ssl);

	ck_assert_msg(code == recheck, "%s instead of %s: %s", psu_error_name(code),
				  psu_error_name(recheck), psu_error_sentence());
	ck_assert_int_eq(psu_tls_open(host->tls, side->fd, NULL, &ssl), reopen);
	SSL_free(ssl);
}

START_TEST(crl_changes)
{
	struct plain plain = {.dir = in_top("bad/revoked"), .alpn = ALPN};
	struct host b = host_new(in_top("work/b"));
	const char *crl = in_top("work/b/crl.pem");
	struct pair pair = pair_new();
	struct side *server = &pair.server;

	open_plain(&pair.client, &plain, true);
	open_ours(server, &b, NULL);
	shake_hands(&pair);
	expect_success(&pair);
	expect_judged(&b, server, 0, 0);

	run("cp %s %s", in_top("bad/crl-revoked.pem"), crl);
	expect_judged(&b, server, PSU_THREAD_E_CERT_REVOKED, 0);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "psu-thread/a"));
	write_text(crl, "garbage");
	expect_judged(&b, server, PSU_THREAD_E_CERTS_INVALID,
				  PSU_THREAD_E_CERTS_INVALID);
	expect_judged(&b, server, PSU_THREAD_E_CERTS_INVALID,
				  PSU_THREAD_E_CERTS_INVALID);
	run("chmod 666 %s", crl);
	expect_judged(&b, server, PSU_THREAD_E_KEY_EXPOSED,
				  PSU_THREAD_E_KEY_EXPOSED);
	ck_assert_int_eq(unlink(crl), 0);
	expect_judged(&b, server, PSU_THREAD_E_CERTS_INCOMPLETE,
				  PSU_THREAD_E_CERTS_INCOMPLETE);
	make_crl("20200101000000Z", "20200201000000Z", crl);
	expect_judged(&b, server, PSU_THREAD_E_CERTS_INVALID,
				  PSU_THREAD_E_CERTS_INVALID);
	run("cp %s %s", in_top("deployment/b/crl.pem"), crl);
	expect_judged(&b, server, 0, 0);
	pair_free(&pair);
	host_free(&b);
}
END_TEST

/** Update the client's keys, and send a byte with the new ones. */
static int read_after_update(struct pair *pair)
{
	char byte = 'x';

	ck_assert_int_eq(
		SSL_key_update(pair->client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
	if (SSL_write(pair->client.ssl, &byte, 1) != 1)
		return 0;
	return SSL_read(pair->server.ssl, &byte, 1);
}

START_TEST(key_updates_end)
{
	struct plain plain = {.dir = in_top("deployment/a"), .alpn = ALPN};
	struct host b = host_new(in_top("deployment/b"));
	struct pair pair = pair_new();

	signal(SIGPIPE, SIG_IGN);
	open_plain(&pair.client, &plain, true);
	open_ours(&pair.server, &b, NULL);
	shake_hands(&pair);
	expect_success(&pair);
	for (int i = 0; i < PSU_PEER_KEY_UPDATES_MAX; i++)
		ck_assert_int_eq(read_after_update(&pair), 1);
	read_after_update(&pair);
	ck_assert_int_le(read_after_update(&pair), 0);
	pair_free(&pair);
	host_free(&b);
}
END_TEST

START_TEST(time_passes)
{
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct pair pair = connect_hosts(&a, &b, "b");
	struct side *server = &pair.server;

	expect_success(&pair);
	clock_offset_s = 364 * DAY_S;
	expect_judged(&b, server, 0, 0);
	clock_offset_s = 366 * DAY_S; /* certificate and CRL end together */
	expect_judged(&b, server, PSU_THREAD_E_CERTS_INVALID,
				  PSU_THREAD_E_CERTS_INVALID);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "crl.pem has expired"));

	clock_offset_s = 0;
	make_crl("20200101000000Z", "20490101000000Z", in_top("work/b/crl.pem"));
	expect_judged(&b, server, 0, 0);
	clock_offset_s = 366 * DAY_S;
	expect_judged(&b, server, PSU_THREAD_E_CERT_EXPIRED, 0);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "expired: run certs/"));
	clock_offset_s = -DAY_S;
	expect_judged(&b, server, PSU_THREAD_E_CERTS_INVALID, 0);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "ca.crt is not valid"));
	clock_offset_s = 3651 * (time_t)DAY_S;
	expect_judged(&b, server, PSU_THREAD_E_CERTS_INVALID, 0);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "ca.crt has expired"));
	pair_free(&pair);
	host_free(&a);
	host_free(&b);
}
END_TEST

/** Wait until the CRL is old enough to be believed without reading it
 * again. */
static void await_settled_crl(struct host *host)
{
	X509_STORE *first, *second;
	bool settled = false;

	while (!settled) {
		ck_assert_int_eq(psu_trust_store(host->trust, &first), 0);
		ck_assert_int_eq(psu_trust_store(host->trust, &second), 0);
		settled = first == second;
		X509_STORE_free(first);
		X509_STORE_free(second);
		usleep(20000);
	}
}

START_TEST(time_passes_for_the_same_crl)
{
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct pair pair;

	make_crl("20200101000000Z", "20490101000000Z", in_top("work/b/crl.pem"));
	await_settled_crl(&b);
	pair = connect_hosts(&a, &b, "b");
	expect_success(&pair);
	expect_judged(&b, &pair.server, 0, 0);
	clock_offset_s = 364 * DAY_S;
	expect_judged(&b, &pair.server, 0, 0);
	clock_offset_s = 366 * DAY_S;
	expect_judged(&b, &pair.server, PSU_THREAD_E_CERT_EXPIRED, 0);
	clock_offset_s = -DAY_S;
	expect_judged(&b, &pair.server, PSU_THREAD_E_CERT_NOT_YET_VALID, 0);
	pair_free(&pair);
	host_free(&a);
	host_free(&b);
}
END_TEST

/** The CRL runs out between opening and the handshake: the judge's own
 * fault, and the peer is told only that. */
START_TEST(crl_expires_meanwhile)
{
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct pair pair = pair_new();

	make_crl("20200101000000Z", "20490101000000Z", in_top("work/a/crl.pem"));
	open_ours(&pair.client, &a, "b");
	open_ours(&pair.server, &b, NULL);
	clock_offset_s = 366 * DAY_S;
	for (int i = 0; i < 5; i++) {
		side_step(&pair.client);
		side_step(&pair.server);
	}
	expect(&pair.client, PSU_THREAD_E_CERT_EXPIRED, "server:1");
	pair_free(&pair);

	clock_offset_s = 0;
	make_crl("20200101000000Z", "20490101000000Z", in_top("work/b/crl.pem"));
	pair = pair_new();
	run("cp %s %s", in_top("deployment/a/crl.pem"), in_top("work/a/crl.pem"));
	open_ours(&pair.client, &a, "b");
	open_ours(&pair.server, &b, NULL);
	clock_offset_s = 365 * DAY_S + 60 * 60;
	shake_hands(&pair);
	expect(&pair.client, PSU_THREAD_E_CERTS_INVALID,
		   "this host's crl.pem has expired");
	expect(&pair.server, PSU_THREAD_E_TLS_FAILED, "see that host's log");
	pair_free(&pair);
	host_free(&a);
	host_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_live");
	TCase *tcase = tls_case(suite, "live");

	tcase_add_test(tcase, crl_changes);
	tcase_add_test(tcase, time_passes);
	tcase_add_test(tcase, time_passes_for_the_same_crl);
	tcase_add_test(tcase, key_updates_end);
	tcase_add_test(tcase, crl_expires_meanwhile);
	return run_suite(suite);
}
