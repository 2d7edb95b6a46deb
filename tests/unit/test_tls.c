/* SPDX-License-Identifier: ISC */
/*
 * test_tls.c - handshakes that must succeed, and many that must not
 *
 * Over a socketpair, in one thread: this library against itself, and against
 * plain OpenSSL that breaks one rule.  Both sides' verdicts are checked.
 */
#include "../certs/deployment.h"

#include "net/tls.h"
#include "net/tls_state.h"
#include "trust/certificate.h"
#include "trust/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <signal.h>
#include <sodium.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define ALPN "\x0cpsu-thread/1"
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

/** One end of a connection. */
struct side {
	const char *peer;
	int fd;
	SSL *ssl;
	bool done;
	int code; /* 0, or why it failed */
	char sentence[PSU_ERROR_SENTENCE_LEN];
};

struct pair {
	struct side client;
	struct side server;
};

/** A host of the deployment. */
struct host {
	struct psu_trust *trust;
	struct psu_tls *tls;
};

static struct host host_new(const char *dir)
{
	struct host host = {0};
	int code = psu_trust_load(dir, &host.trust);

	if (code == 0)
		code = psu_tls_new(host.trust, &host.tls);
	ck_assert_msg(code == 0, "%s", psu_error_sentence());
	return host;
}

static void host_free(struct host *host)
{
	psu_tls_free(host->tls);
	psu_trust_free(host->trust);
}

static struct pair pair_new(void)
{
	struct pair pair = {.client.peer = "server:1", .server.peer = "client:2"};
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	pair.client.fd = fds[0];
	pair.server.fd = fds[1];
	return pair;
}

static void side_close(struct side *side)
{
	SSL_free(side->ssl);
	side->ssl = NULL;
	if (side->fd >= 0)
		close(side->fd);
	side->fd = -1;
}

static void pair_free(struct pair *pair)
{
	side_close(&pair->client);
	side_close(&pair->server);
}

static void open_ours(struct side *side, struct host *host,
					  const char *dialled)
{
	ck_assert_msg(psu_tls_open(host->tls, side->fd, dialled, &side->ssl) == 0,
				  "%s", psu_error_sentence());
}

/* ---- plain OpenSSL, which obeys no rule of ours */

struct plain {
	const char *dir; /* with host.crt and host.key; NULL: no certificate */
	const char *alpn;
	int version; /* 0: whatever OpenSSL likes */
	int extra_certificates;
};

static int select_any(SSL *ssl, const unsigned char **out,
					  unsigned char *out_len, const unsigned char *in,
					  unsigned int in_len, void *alpn)
{
	(void)ssl;
	(void)in_len;
	if (!alpn)
		return SSL_TLSEXT_ERR_NOACK;
	*out = in + 1;
	*out_len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static int accept_any(X509_STORE_CTX *context, void *unused)
{
	(void)context;
	(void)unused;
	return 1;
}

static void use_certificate(SSL_CTX *context, const struct plain *plain)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/host.crt", plain->dir);
	ck_assert_int_eq(
		SSL_CTX_use_certificate_file(context, path, SSL_FILETYPE_PEM), 1);
	for (int i = 0; i < plain->extra_certificates; i++)
		SSL_CTX_add1_chain_cert(context, SSL_CTX_get0_certificate(context));
	snprintf(path, sizeof(path), "%s/host.key", plain->dir);
	ck_assert_int_eq(
		SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM), 1);
}

static void open_plain(struct side *side, const struct plain *plain,
					   bool is_client)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());

	ck_assert_ptr_nonnull(context);
	if (plain->version)
		SSL_CTX_set_max_proto_version(context, plain->version);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
	if (plain->alpn)
		SSL_CTX_set_alpn_protos(context, (const unsigned char *)plain->alpn,
								(unsigned)strlen(plain->alpn));
	SSL_CTX_set_alpn_select_cb(context, select_any, (void *)plain->alpn);
	if (plain->dir)
		use_certificate(context, plain);
	side->ssl = SSL_new(context);
	ck_assert_ptr_nonnull(psu_tls_state_new(side->ssl));
	SSL_set_fd(side->ssl, side->fd);
	if (is_client)
		SSL_set_connect_state(side->ssl);
	else
		SSL_set_accept_state(side->ssl);
	SSL_CTX_free(context);
}

/* ---- driving both sides */

static void side_fail(struct side *side, int result)
{
	side->code = psu_tls_error(side->ssl, result, side->peer);
	snprintf(side->sentence, sizeof(side->sentence), "%s",
			 psu_error_sentence());
	ck_assert_int_lt(side->code, 0);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	shutdown(side->fd, SHUT_WR);
}

static bool wants_more(const struct side *side, int result)
{
	int kind = SSL_get_error(side->ssl, result);

	return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
}

static void side_step(struct side *side)
{
	int result;

	if (side->done || side->code)
		return;
	ERR_clear_error();
	result = SSL_do_handshake(side->ssl);
	if (result == 1)
		side->done = true;
	else if (!wants_more(side, result))
		side_fail(side, result);
}

/** The first read: where a client learns that it was refused. */
static void side_listen(struct side *side)
{
	char byte;
	int result;

	if (side->code)
		return;
	ERR_clear_error();
	result = SSL_read(side->ssl, &byte, 1);
	if (result <= 0 && !wants_more(side, result))
		side_fail(side, result);
}

static void shake_hands(struct pair *pair)
{
	for (int i = 0; i < 20; i++) {
		side_step(&pair->client);
		side_step(&pair->server);
	}
	side_listen(&pair->client);
	side_listen(&pair->server);
}

static void expect(const struct side *side, int code, const char *words)
{
	ck_assert_msg(side->code == code, "%s instead of %s: %s",
				  psu_error_name(side->code), psu_error_name(code),
				  side->sentence);
	ck_assert_msg(strstr(side->sentence, words), "'%s' is not in: %s", words,
				  side->sentence);
	if (code) { /* who, and what to do now */
		ck_assert_ptr_nonnull(strstr(side->sentence, side->peer));
		ck_assert_ptr_nonnull(strstr(side->sentence, ": "));
	}
}

static void expect_success(const struct pair *pair)
{
	expect(&pair->client, 0, "");
	expect(&pair->server, 0, "");
	ck_assert(pair->client.done && pair->server.done);
}

/** Client a dials server b. */
static struct pair connect_hosts(struct host *a, struct host *b,
								 const char *dialled)
{
	struct pair pair = pair_new();

	open_ours(&pair.client, a, dialled);
	open_ours(&pair.server, b, NULL);
	shake_hands(&pair);
	return pair;
}

/* ---- good ones */

static void expect_parameters(SSL *ssl)
{
	ck_assert_int_eq(SSL_version(ssl), TLS1_3_VERSION);
	ck_assert_str_eq(SSL_get_cipher_name(ssl), "TLS_AES_256_GCM_SHA384");
	ck_assert_int_eq((int)SSL_get_negotiated_group(ssl), NID_X25519);
	ck_assert(!SSL_session_reused(ssl));
	ck_assert(!SSL_SESSION_is_resumable(SSL_get0_session(ssl)));
}

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
			ck_assert(!SSL_write_ex(ssl, bytes[!turn] + sent,
									(1 << 20) - sent, &n));
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
		expect(judge, client_judges ? PSU_THREAD_E_TLS_FAILED
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

/* ---- other names */

START_TEST(name_differs)
{
	static const char *const names[] = {"a", "b.", "xb", "127.0.0.2", "::2",
										"localhost", "B.b", "*"};
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));

	for (size_t i = 0; i < COUNT(names); i++) {
		struct pair pair = connect_hosts(&a, &b, names[i]);
		char words[80];

		snprintf(words, sizeof(words), "it is for b, 127.0.0.1, ::1, not for "
				 "'%s'", names[i]);
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

/* ---- peers that speak otherwise */

static const struct {
	struct plain plain; /* with a's own good certificate, if it has one */
	int server_code;
	int client_code;
	const char *server_words;
	const char *client_words;
} other_clients[] = {
	{{"", NULL, 0, 0}, PSU_THREAD_E_TLS_FAILED, PSU_THREAD_E_TLS_FAILED,
	 "does not offer psu-thread/1", "demands psu-thread/1"},
	{{"", "\x02h2", 0, 0}, PSU_THREAD_E_TLS_FAILED, PSU_THREAD_E_TLS_FAILED,
	 "does not offer psu-thread/1", "demands psu-thread/1"},
	{{"", "\x0cpsu-thread/2\x02h2", 0, 0}, PSU_THREAD_E_TLS_FAILED,
	 PSU_THREAD_E_TLS_FAILED, "does not offer psu-thread/1",
	 "demands psu-thread/1"},
	{{"", ALPN, TLS1_2_VERSION, 0}, PSU_THREAD_E_TLS_FAILED,
	 PSU_THREAD_E_TLS_FAILED, "unsupported protocol", "TLS 1.3"},
	{{NULL, ALPN, 0, 0}, PSU_THREAD_E_CERT_MISSING, PSU_THREAD_E_CERT_MISSING,
	 "showed no certificate", "this host showed none"},
	{{"", ALPN, 0, 60}, PSU_THREAD_E_TLS_FAILED, PSU_THREAD_E_TLS_FAILED,
	 "excessive message size", "alert"},
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
	struct plain plain = {.dir = in_top("work/a"),
						  .alpn = ALPN,
						  .version = TLS1_2_VERSION};
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
	expect(&pair.server, PSU_THREAD_E_CERT_EXPIRED, "it has expired");
	side_close(&pair.server);

	ERR_clear_error();
	result = SSL_write(pair.client.ssl, "x", 1);
	ck_assert_int_le(result, 0);
	side_fail(&pair.client, result);
	expect(&pair.client, PSU_THREAD_E_CERT_EXPIRED,
		   "refused this host's certificate: it has expired");
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

/* ---- live sessions are judged again */

/** Both a live session and a new one get this code. */
static void expect_judged(struct host *host, struct side *side, int recheck,
						  int reopen)
{
	SSL *ssl = NULL;
	int code = psu_tls_recheck(host->tls, side->ssl);

	ck_assert_msg(code == recheck, "%s instead of %s: %s",
				  psu_error_name(code), psu_error_name(recheck),
				  psu_error_sentence());
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

/* ---- nothing outside has a say */

static void write_hostile_conf(void)
{
	static const char text[] =
		"openssl_conf = openssl_init\n"
		"[openssl_init]\n"
		"ssl_conf = ssl_sect\n"
		"providers = provider_sect\n"
		"alg_section = evp\n"
		"[provider_sect]\n"
		"base = base_sect\n"
		"[base_sect]\n"
		"activate = 1\n"
		"[evp]\n"
		"default_properties = fips=yes\n"
		"[ssl_sect]\n"
		"system_default = hostile\n"
		"[hostile]\n"
		"MinProtocol = TLSv1.2\n"
		"MaxProtocol = TLSv1.2\n"
		"CipherString = aNULL:@SECLEVEL=0\n"
		"Ciphersuites = TLS_AES_128_GCM_SHA256\n"
		"SignatureAlgorithms = RSA+SHA1\n"
		"ClientSignatureAlgorithms = RSA+SHA1\n"
		"Groups = P-256\n"
		"VerifyMode = Request\n"
		"Options = SessionTicket,UnsafeLegacyRenegotiation\n"
		"NumTickets = 5\n";

	write_text(in_top("hostile.cnf"), text);
	setenv("OPENSSL_CONF", in_top("hostile.cnf"), 1);
	setenv("OPENSSL_MODULES", deployment_top, 1);
	setenv("OPENSSL_ENGINES", deployment_top, 1);
	setenv("SSL_CERT_FILE", in_top("bad/foreign-ca/ca.crt"), 1);
	setenv("SSL_CERT_DIR", deployment_top, 1);
}

static void expect_unimpressed(void)
{
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct pair pair = connect_hosts(&a, &b, "b");

	expect_success(&pair);
	expect_parameters(pair.client.ssl);
	expect_parameters(pair.server.ssl);
	ck_assert_uint_eq(SSL_get_options(pair.server.ssl) &
						  (SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
						   SSL_OP_NO_TICKET),
					  SSL_OP_NO_TICKET);
	ck_assert_uint_eq(SSL_get_num_tickets(pair.server.ssl), 0);
	pair_free(&pair);
	host_free(&a);
	host_free(&b);
}

START_TEST(environment_is_hostile)
{
	SSL_CTX *context;

	write_hostile_conf();
	expect_unimpressed();

	/* not even the rest of the program has read the file */
	context = SSL_CTX_new(TLS_method());
	ck_assert_ptr_nonnull(context);
	ck_assert_int_ne((int)SSL_CTX_get_max_proto_version(context),
					 TLS1_2_VERSION);
	SSL_CTX_free(context);
}
END_TEST

/** The program itself has loaded the file before. */
START_TEST(program_is_hostile)
{
	SSL_CTX *context;
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

	write_hostile_conf();
	ck_assert_int_eq(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL), 1);
	context = SSL_CTX_new_ex(library, NULL, TLS_method());
	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq((int)SSL_CTX_get_max_proto_version(context),
					 TLS1_2_VERSION);
	SSL_CTX_free(context);
	OSSL_LIB_CTX_free(library);
	expect_unimpressed();
}
END_TEST

/* ---- the suite */

static void add_bad_peers(TCase *tcase)
{
	tcase_add_loop_test(tcase, bad_client, 0, BAD_COUNT);
	tcase_add_loop_test(tcase, bad_server, 0, BAD_COUNT);
	tcase_add_test(tcase, name_differs);
	tcase_add_test(tcase, common_name_is_no_name);
	tcase_add_test(tcase, name_is_no_name);
	tcase_add_loop_test(tcase, client_speaks_otherwise, 0,
						(int)COUNT(other_clients));
	tcase_add_test(tcase, server_speaks_tls_1_2);
	tcase_add_test(tcase, server_selects_no_protocol);
	tcase_add_test(tcase, peer_speaks_no_tls);
}

static TCase *tls_case(void)
{
	TCase *tcase = tcase_create("tls");

	tcase_add_unchecked_fixture(tcase, make_deployment, remove_deployment);
	tcase_add_checked_fixture(tcase, copy_hosts, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, hosts_agree);
	tcase_add_test(tcase, bytes_pass);
	add_bad_peers(tcase);
	tcase_add_test(tcase, peer_goes);
	tcase_add_test(tcase, alert_is_met_by_writing);
	tcase_add_test(tcase, handshake_is_missing);
	tcase_add_test(tcase, crl_changes);
	tcase_add_test(tcase, time_passes);
	tcase_add_test(tcase, crl_expires_meanwhile);
	tcase_add_test(tcase, environment_is_hostile);
	tcase_add_test(tcase, program_is_hostile);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("tls");
	SRunner *runner = srunner_create(suite);
	int failed;

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	suite_add_tcase(suite, tls_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
