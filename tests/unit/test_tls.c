/* SPDX-License-Identifier: ISC */
/*
 * test_tls.c - hosts of one deployment agree, by the name that was dialled;
 * what breaks is told; no configuration has a say
 */
#include "test_tls.h"

/* ---- good ones */

static void expect_peer(SSL *ssl, const char *name, const char *dir)
{
	struct psu_identity identity;
	struct psu_digest key;
	char hex[65];

	ck_assert_int_eq(psu_tls_peer(ssl, &identity, &key), 0);
	ck_assert_str_eq(identity.name, name);
	psu_bytes_hex(key.bytes, sizeof(key.bytes), hex);
	run("openssl x509 -in %s/host.crt -noout -pubkey | openssl pkey -pubin "
		"-outform DER | sha256sum | grep -q %s",
		dir, hex);
}

START_TEST(hosts_agree)
{
	static const char *const names[] = {"b", "127.0.0.1", "::1"};
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct psu_digest first = {{0}};

	for (size_t i = 0; i < COUNT(names); i++) {
		struct pair pair = connect_hosts(&a, &b, names[i]);
		struct psu_digest client;
		struct psu_digest server;

		expect_success(&pair);
		expect_parameters(pair.client.ssl);
		expect_parameters(pair.server.ssl);
		expect_peer(pair.client.ssl, "b", in_top("work/b"));
		expect_peer(pair.server.ssl, "a", in_top("work/a"));
		ck_assert_int_eq(psu_tls_exporter(pair.client.ssl, &client), 0);
		ck_assert_int_eq(psu_tls_exporter(pair.server.ssl, &server), 0);
		ck_assert(psu_digest_equal(&client, &server));
		ck_assert(!psu_digest_equal(&client, &first));
		first = client;
		pair_free(&pair);
	}
	host_free(&a);
	host_free(&b);
}
END_TEST

/** Send until the socket is full, each piece from another buffer. */
static size_t send_some(SSL *ssl, uint8_t bytes[2][1 << 20], size_t sent)
{
	size_t n = 0;

	for (int turn = 0; sent < 1 << 20; turn = !turn, sent += n) {
		ERR_clear_error();
		if (!SSL_write_ex(ssl, bytes[turn] + sent, (1 << 20) - sent, &n)) {
			ck_assert(SSL_get_error(ssl, 0) == SSL_ERROR_WANT_WRITE);
			/* try again from the other one, which has the same bytes */
			ERR_clear_error();
			ck_assert(
				!SSL_write_ex(ssl, bytes[!turn] + sent, (1 << 20) - sent, &n));
			ck_assert(SSL_get_error(ssl, 0) == SSL_ERROR_WANT_WRITE);
			return sent;
		}
	}
	return sent;
}

START_TEST(bytes_pass)
{
	static uint8_t out[2][1 << 20];
	static uint8_t in[1 << 20];
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct pair pair = connect_hosts(&a, &b, "b");
	size_t sent = 0;
	size_t got = 0;
	size_t n;

	expect_success(&pair);
	for (size_t i = 0; i < sizeof(in); i++)
		out[0][i] = out[1][i] = (uint8_t)(i * 2654435761u >> 13);
	for (int round = 0; got < sizeof(in); round++) {
		sent = send_some(pair.client.ssl, out, sent);
		while (got < sizeof(in) &&
			   SSL_read_ex(pair.server.ssl, in + got, sizeof(in) - got, &n))
			got += n;
		ck_assert_int_lt(round, 1000);
	}
	ck_assert_mem_eq(in, out[0], sizeof(in));
	pair_free(&pair);
	host_free(&a);
	host_free(&b);
}
END_TEST

/* ---- other names */

START_TEST(name_differs)
{
	static const char *const names[] = {"a",   "b.",		"xb",  "127.0.0.2",
										"::2", "localhost", "B.b", "*"};
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));

	for (size_t i = 0; i < COUNT(names); i++) {
		struct pair pair = connect_hosts(&a, &b, names[i]);
		char words[80];

		snprintf(words, sizeof(words),
				 "it is for b, 127.0.0.1, ::1, not for "
				 "'%s'",
				 names[i]);
		expect(&pair.client, PSU_THREAD_E_NAME_MISMATCH, words);
		expect(&pair.server, PSU_THREAD_E_NAME_MISMATCH,
			   "refused this host's certificate: ");
		pair_free(&pair);
	}
	host_free(&a);
	host_free(&b);
}
END_TEST

/** The certificate has a common name and no other one. */
START_TEST(common_name_is_no_name)
{
	struct plain plain = {.dir = in_top("work/a"), .alpn = ALPN};
	struct host b = host_new(in_top("work/b"));
	struct pair pair = pair_new();

	run("cd %s && rm -rf ca2 && cp -a deployment/ca ca2 && cd ca2 && exec "
		"2>../log && (echo basicConstraints=critical,CA:FALSE; "
		"echo keyUsage=critical,digitalSignature; "
		"echo extendedKeyUsage=serverAuth,clientAuth; "
		"echo subjectKeyIdentifier=hash; "
		"echo authorityKeyIdentifier=keyid:always; "
		"echo subjectAltName=URI:spiffe://$(cat domain)/psu-thread/a) >ext && "
		"openssl req -new -config openssl.cnf -key ../work/a/host.key "
		"-subj /O=x/CN=stranger -out req && "
		"openssl ca -batch -notext -config openssl.cnf -extfile ext -in req "
		"-out ../work/a/host.crt",
		deployment_top);
	open_ours(&pair.client, &b, "stranger");
	open_plain(&pair.server, &plain, false);
	shake_hands(&pair);
	expect(&pair.client, PSU_THREAD_E_NAME_MISMATCH,
		   "it is for no name or address, not for 'stranger'");
	pair_free(&pair);
	host_free(&b);
}
END_TEST

START_TEST(name_is_no_name)
{
	struct host a = host_new(in_top("work/a"));
	char name[300];
	SSL *ssl = NULL;

	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	ck_assert_int_eq(psu_tls_open(a.tls, -1, name, &ssl),
					 PSU_THREAD_E_INVALID_ARGUMENT);
	ck_assert_int_eq(psu_tls_open(a.tls, -1, "", &ssl),
					 PSU_THREAD_E_INVALID_ARGUMENT);
	name[255] = '\0';
	ck_assert_int_eq(psu_tls_open(a.tls, -1, name, &ssl), 0);
	SSL_free(ssl);
	host_free(&a);
}
END_TEST

/* ---- connections that break */

START_TEST(peer_goes)
{
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct pair pair = pair_new();
	char byte;
	int result;

	/* in the handshake */
	open_ours(&pair.client, &a, "b");
	side_step(&pair.client);
	side_close(&pair.server);
	side_step(&pair.client);
	expect(&pair.client, PSU_THREAD_E_CONNECTION_LOST, "server:1");
	pair_free(&pair);

	/* after it, with and without notice */
	pair = connect_hosts(&a, &b, "b");
	SSL_shutdown(pair.server.ssl);
	side_listen(&pair.client);
	expect(&pair.client, PSU_THREAD_E_CONNECTION_LOST, "ended the session");
	pair_free(&pair);

	pair = connect_hosts(&a, &b, "b");
	SSL_set_quiet_shutdown(pair.server.ssl, 1);
	side_close(&pair.server);
	result = SSL_write(pair.client.ssl, "x", 1); /* no SIGPIPE */
	ck_assert_int_le(result, 0);
	side_fail(&pair.client, result);
	expect(&pair.client, PSU_THREAD_E_CONNECTION_LOST, "Broken pipe");
	pair.client.code = 0;
	result = SSL_read(pair.client.ssl, &byte, 1);
	side_fail(&pair.client, result);
	expect(&pair.client, PSU_THREAD_E_CONNECTION_LOST, "");
	pair_free(&pair);
	host_free(&a);
	host_free(&b);
}
END_TEST

/** The server refuses and closes; the client, which believes in the session,
 * writes before it reads. */
START_TEST(alert_is_met_by_writing)
{
	struct plain plain = {.dir = in_top("bad/expired"), .alpn = ALPN};
	struct host b = host_new(in_top("work/b"));
	struct pair pair = pair_new();
	int result;

	open_plain(&pair.client, &plain, true);
	SSL_set_bio(pair.client.ssl, psu_tls_socket(pair.client.fd), NULL);
	SSL_set0_wbio(pair.client.ssl, psu_tls_socket(pair.client.fd));
	open_ours(&pair.server, &b, NULL);
	for (int i = 0; i < 5; i++) {
		side_step(&pair.client);
		side_step(&pair.server);
	}
	ck_assert(pair.client.done);
	expect(&pair.server, PSU_THREAD_E_CERT_EXPIRED,
		   "it has expired: run certs/make-certs.sh --renew");
	side_close(&pair.server);

	ERR_clear_error();
	result = SSL_write(pair.client.ssl, "x", 1);
	ck_assert_int_le(result, 0);
	side_fail(&pair.client, result);
	expect(&pair.client, PSU_THREAD_E_CERT_EXPIRED,
		   "refused this host's certificate: it has expired, by that host's "
		   "clock: run certs/make-certs.sh --renew");
	pair_free(&pair);
	host_free(&b);
}
END_TEST

START_TEST(handshake_is_missing)
{
	struct host a = host_new(in_top("work/a"));
	struct pair pair = pair_new();
	struct psu_identity identity;
	struct psu_digest digest;

	open_ours(&pair.client, &a, "b");
	ck_assert_int_eq(psu_tls_exporter(pair.client.ssl, &digest),
					 PSU_THREAD_E_TLS_FAILED);
	ck_assert_int_eq(psu_tls_peer(pair.client.ssl, &identity, &digest),
					 PSU_THREAD_E_CERT_MISSING);
	ck_assert_int_eq(psu_tls_recheck(a.tls, pair.client.ssl),
					 PSU_THREAD_E_CERT_MISSING);
	pair_free(&pair);
	host_free(&a);
}
END_TEST

/** What OpenSSL's queue says of this host is not the peer's doing. */
START_TEST(shortage_is_ours)
{
	struct host a = host_new(in_top("work/a"));
	struct pair pair = pair_new();

	open_ours(&pair.client, &a, "b");
	ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	ck_assert_int_eq(psu_tls_error(pair.client.ssl, -1, "peer"),
					 PSU_THREAD_E_NO_MEMORY);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "ulimit -v"));
	ERR_raise(ERR_LIB_SSL, ERR_R_EVP_LIB);
	ck_assert_int_eq(psu_tls_error(pair.client.ssl, -1, "peer"),
					 PSU_THREAD_E_TLS_FAILED);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "ulimit -v"));
	pair_free(&pair);
	host_free(&a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls");
	TCase *tcase = tls_case(suite, "tls");

	tcase_add_test(tcase, hosts_agree);
	tcase_add_test(tcase, bytes_pass);
	tcase_add_test(tcase, name_differs);
	tcase_add_test(tcase, common_name_is_no_name);
	tcase_add_test(tcase, name_is_no_name);
	tcase_add_test(tcase, peer_goes);
	tcase_add_test(tcase, alert_is_met_by_writing);
	tcase_add_test(tcase, handshake_is_missing);
	tcase_add_test(tcase, shortage_is_ours);
	return run_suite(suite);
}
