/* SPDX-License-Identifier: ISC */
/*
 * test_tls_zoo.c - bad certificates and peers that speak otherwise, as client
 * and as server: each is refused, with its code on both sides
 */
#include "test_tls.h"

#include "trust/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* ---- bad certificates, offered by a client and by a server */

/** What is known about a certificate whose key cannot sign as demanded: it
 * is never shown, and would be refused if it were. */
static bool cannot_be_shown(const char *name)
{
	return strcmp(name, "rsa-key") == 0 || strcmp(name, "p256-key") == 0 ||
		   strcmp(name, "ed448-key") == 0;
}

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *certificate;

	ck_assert_ptr_nonnull(file);
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_ptr_nonnull(certificate);
	return certificate;
}

static void expect_would_be_refused(struct host *judge,
									const struct bad_certificate *bad)
{
	X509 *certificate = read_certificate(in_top("bad/%s/host.crt", bad->name));
	const char *why = "";
	int code = psu_certificate_check(certificate, psu_trust_self(judge->trust),
									 &why);

	ck_assert_str_eq(psu_error_name(code), bad->error);
	ck_assert_ptr_nonnull(strstr(why, "not Ed25519"));
	X509_free(certificate);
}

static int code_named(const char *name)
{
	for (int code = -1; code > -200; code--)
		if (strcmp(psu_error_name(code), name) == 0)
			return code;
	ck_abort_msg("no code %s", name);
}

static void expect_not_listed(struct host *judge, struct side *side)
{
	struct psu_identity identity;
	struct psu_digest key;
	struct psu_peer peer;

	ck_assert_int_eq(psu_tls_peer(side->ssl, &identity, &key), 0);
	ck_assert_int_eq(psu_trust_peer(judge->trust, &identity, &peer),
					 PSU_THREAD_E_PEER_NOT_LISTED);
}

static void expect_refusal(struct host *host, const struct side *judge,
						   const struct side *judged,
						   const struct bad_certificate *bad)
{
	bool client_judges = judge->ssl && !SSL_is_server(judge->ssl);

	if (cannot_be_shown(bad->name)) {
		expect_would_be_refused(host, bad);
		expect(judge,
			   client_judges ? PSU_THREAD_E_TLS_FAILED
							 : PSU_THREAD_E_CERT_MISSING,
			   "Ed25519");
		expect(judged, judge->code, ": ");
		return;
	}
	expect(judge, code_named(bad->error), "the certificate of ");
	expect(judged, judge->code, "refused this host's certificate: ");
}

static struct host judge_of(const struct bad_certificate *bad)
{
	if (wants(bad, "CERT_REVOKED"))
		run("cp %s %s", in_top("bad/crl-revoked.pem"),
			in_top("work/b/crl.pem"));
	return host_new(in_top("work/b"));
}

START_TEST(bad_client)
{
	const struct bad_certificate *bad = &manifest[_i];
	struct plain plain = {.dir = in_top("bad/%s", bad->name), .alpn = ALPN};
	struct host b = judge_of(bad);
	struct pair pair = pair_new();

	open_plain(&pair.client, &plain, true);
	open_ours(&pair.server, &b, NULL);
	shake_hands(&pair);
	if (wants(bad, "PEER_NOT_LISTED")) {
		expect_success(&pair);
		expect_not_listed(&b, &pair.server);
	} else {
		expect_refusal(&b, &pair.server, &pair.client, bad);
	}
	pair_free(&pair);
	host_free(&b);
}
END_TEST

START_TEST(bad_server)
{
	const struct bad_certificate *bad = &manifest[_i];
	struct plain plain = {.dir = in_top("bad/%s", bad->name), .alpn = ALPN};
	struct host b = judge_of(bad);
	struct pair pair = pair_new();

	open_ours(&pair.client, &b, "a");
	open_plain(&pair.server, &plain, false);
	shake_hands(&pair);
	if (wants(bad, "PEER_NOT_LISTED")) {
		expect_success(&pair);
		expect_not_listed(&b, &pair.client);
	} else {
		expect_refusal(&b, &pair.client, &pair.server, bad);
	}
	pair_free(&pair);
	host_free(&b);
}
END_TEST

static void expect_check(struct host *judge, X509 *certificate, int code)
{
	const char *why = "";

	ck_assert_int_eq(
		psu_certificate_check(certificate, psu_trust_self(judge->trust), &why),
		code);
	X509_free(certificate);
}

/** What make-certs.sh and the zoo never make. */
START_TEST(version_and_key_usage)
{
	struct host b = host_new(in_top("work/b"));
	const char *path = in_top("work/a/host.crt");
	X509 *old = read_certificate(path), *other = read_certificate(path);
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();

	expect_check(&b, read_certificate(path), 0);
	ck_assert_int_eq(X509_set_version(old, X509_VERSION_1), 1);
	expect_check(&b, old, PSU_THREAD_E_CERT_IDENTITY);

	/* for the agreement on keys, not for signatures (RFC 5280, 4.2.1.3) */
	ASN1_BIT_STRING_set_bit(usage, 4, 1);
	X509_EXTENSION_free(
		X509_delete_ext(other, X509_get_ext_by_NID(other, NID_key_usage, -1)));
	ck_assert_int_eq(X509_add1_ext_i2d(other, NID_key_usage, usage, 1, 0), 1);
	expect_check(&b, other, PSU_THREAD_E_CERT_FOREIGN);
	ASN1_BIT_STRING_free(usage);
	host_free(&b);
}
END_TEST

/* ---- peers that speak otherwise */

static const struct {
	struct plain plain; /* with a's own good certificate, if it has one */
	int server_code;
	int client_code;
	const char *server_words;
	const char *client_words;
} other_clients[] = {
	{{"", NULL, 0, 0},
	 PSU_THREAD_E_TLS_FAILED,
	 PSU_THREAD_E_TLS_FAILED,
	 "does not offer psu-thread/1",
	 "demands psu-thread/1"},
	{{"", "\x02h2", 0, 0},
	 PSU_THREAD_E_TLS_FAILED,
	 PSU_THREAD_E_TLS_FAILED,
	 "does not offer psu-thread/1",
	 "demands psu-thread/1"},
	{{"", "\x0cpsu-thread/2\x02h2", 0, 0},
	 PSU_THREAD_E_TLS_FAILED,
	 PSU_THREAD_E_TLS_FAILED,
	 "does not offer psu-thread/1",
	 "demands psu-thread/1"},
	{{"", ALPN, TLS1_2_VERSION, 0},
	 PSU_THREAD_E_TLS_FAILED,
	 PSU_THREAD_E_TLS_FAILED,
	 "unsupported protocol",
	 "TLS 1.3"},
	{{NULL, ALPN, 0, 0},
	 PSU_THREAD_E_CERT_MISSING,
	 PSU_THREAD_E_CERT_MISSING,
	 "showed no certificate",
	 "this host showed none"},
	{{"", ALPN, 0, 60},
	 PSU_THREAD_E_TLS_FAILED,
	 PSU_THREAD_E_TLS_FAILED,
	 "excessive message size",
	 "alert"},
	{{"", "\x02h2" ALPN, 0, 0}, 0, 0, "", ""},
};

START_TEST(client_speaks_otherwise)
{
	struct plain plain = other_clients[_i].plain;
	struct host b = host_new(in_top("work/b"));
	struct pair pair = pair_new();

	if (plain.dir)
		plain.dir = in_top("work/a");
	open_plain(&pair.client, &plain, true);
	open_ours(&pair.server, &b, NULL);
	shake_hands(&pair);
	expect(&pair.server, other_clients[_i].server_code,
		   other_clients[_i].server_words);
	expect(&pair.client, other_clients[_i].client_code,
		   other_clients[_i].client_words);
	pair_free(&pair);
	host_free(&b);
}
END_TEST

START_TEST(server_speaks_tls_1_2)
{
	struct plain plain = {
		.dir = in_top("work/a"), .alpn = ALPN, .version = TLS1_2_VERSION};
	struct host b = host_new(in_top("work/b"));
	struct pair pair = pair_new();

	open_ours(&pair.client, &b, "a");
	open_plain(&pair.server, &plain, false);
	shake_hands(&pair);
	expect(&pair.client, PSU_THREAD_E_TLS_FAILED, "TLS 1.3");
	expect(&pair.server, PSU_THREAD_E_TLS_FAILED, "");
	pair_free(&pair);
	host_free(&b);
}
END_TEST

START_TEST(server_selects_no_protocol)
{
	struct plain plain = {.dir = in_top("work/a")};
	struct host b = host_new(in_top("work/b"));
	struct pair pair = pair_new();
	struct psu_identity identity;
	struct psu_digest key;

	open_ours(&pair.client, &b, "a");
	open_plain(&pair.server, &plain, false);
	shake_hands(&pair);
	expect_success(&pair);
	ck_assert_int_eq(psu_tls_peer(pair.client.ssl, &identity, &key),
					 PSU_THREAD_E_PROTOCOL);
	pair_free(&pair);
	host_free(&b);
}
END_TEST

START_TEST(peer_speaks_no_tls)
{
	static const char texts[][24] = {"GET / HTTP/1.0\r\n\r\n",
									 "SSH-2.0-OpenSSH_9.2\r\n", ""};
	struct host b = host_new(in_top("work/b"));

	for (size_t i = 0; i < COUNT(texts); i++)
		for (int is_client = 0; is_client < 2; is_client++) {
			struct pair pair = pair_new();

			open_ours(&pair.client, &b, is_client ? "a" : NULL);
			ck_assert_int_gt(write(pair.server.fd, texts[i], 24), 0);
			for (int step = 0; step < 5; step++)
				side_step(&pair.client);
			expect(&pair.client, PSU_THREAD_E_TLS_FAILED, ": ");
			pair_free(&pair);
		}
	host_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_zoo");
	TCase *tcase = tls_case(suite, "zoo");

	tcase_add_loop_test(tcase, bad_client, 0, BAD_COUNT);
	tcase_add_loop_test(tcase, bad_server, 0, BAD_COUNT);
	tcase_add_test(tcase, version_and_key_usage);
	tcase_add_loop_test(tcase, client_speaks_otherwise, 0,
						(int)COUNT(other_clients));
	tcase_add_test(tcase, server_speaks_tls_1_2);
	tcase_add_test(tcase, server_selects_no_protocol);
	tcase_add_test(tcase, peer_speaks_no_tls);
	return run_suite(suite);
}
