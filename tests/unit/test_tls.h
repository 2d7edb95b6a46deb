/* SPDX-License-Identifier: ISC */
/*
 * test_tls.h - two ends of a TLS connection, driven in one thread
 *
 * Over a socketpair: this library against itself, and against plain OpenSSL
 * that breaks one rule.  Both sides' verdicts are kept.
 */
#ifndef TEST_TLS_H
#define TEST_TLS_H

#include "../certs/deployment.h"
#include "run_suite.h"

#include "net/tls.h"
#include "net/tls_state.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define ALPN "\x0cpsu-thread/1"

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

static inline struct host host_new(const char *dir)
{
	struct host host = {0};
	int code = psu_trust_load(dir, &host.trust);

	if (code == 0)
		code = psu_tls_new(host.trust, &host.tls);
	ck_assert_msg(code == 0, "%s", psu_error_sentence());
	return host;
}

static inline void host_free(struct host *host)
{
	psu_tls_free(host->tls);
	psu_trust_free(host->trust);
}

static inline struct pair pair_new(void)
{
	struct pair pair = {.client.peer = "server:1", .server.peer = "client:2"};
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
					 0);
	pair.client.fd = fds[0];
	pair.server.fd = fds[1];
	return pair;
}

static inline void side_close(struct side *side)
{
	SSL_free(side->ssl);
	side->ssl = NULL;
	if (side->fd >= 0)
		close(side->fd);
	side->fd = -1;
}

static inline void pair_free(struct pair *pair)
{
	side_close(&pair->client);
	side_close(&pair->server);
}

static inline void open_ours(struct side *side, struct host *host,
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

static inline int select_any(SSL *ssl, const unsigned char **out,
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

static inline int accept_any(X509_STORE_CTX *context, void *unused)
{
	(void)context;
	(void)unused;
	return 1;
}

static inline void use_certificate(SSL_CTX *context, const struct plain *plain)
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

static inline void open_plain(struct side *side, const struct plain *plain,
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

static inline void side_fail(struct side *side, int result)
{
	side->code = psu_tls_error(side->ssl, result, side->peer);
	snprintf(side->sentence, sizeof(side->sentence), "%s",
			 psu_error_sentence());
	ck_assert_int_lt(side->code, 0);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	shutdown(side->fd, SHUT_WR);
}

static inline bool wants_more(const struct side *side, int result)
{
	int kind = SSL_get_error(side->ssl, result);

	return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
}

static inline void side_step(struct side *side)
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
static inline void side_listen(struct side *side)
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

static inline void shake_hands(struct pair *pair)
{
	for (int i = 0; i < 20; i++) {
		side_step(&pair->client);
		side_step(&pair->server);
	}
	side_listen(&pair->client);
	side_listen(&pair->server);
}

static inline void expect(const struct side *side, int code, const char *words)
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

static inline void expect_success(const struct pair *pair)
{
	expect(&pair->client, 0, "");
	expect(&pair->server, 0, "");
	ck_assert(pair->client.done && pair->server.done);
}

/** Client a dials server b. */
static inline struct pair connect_hosts(struct host *a, struct host *b,
										const char *dialled)
{
	struct pair pair = pair_new();

	open_ours(&pair.client, a, dialled);
	open_ours(&pair.server, b, NULL);
	shake_hands(&pair);
	return pair;
}

static inline TCase *tls_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	tcase_add_unchecked_fixture(tcase, make_deployment, remove_deployment);
	tcase_add_checked_fixture(tcase, copy_hosts, NULL);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/** Both ends speak as they must, whatever the host's configuration says. */
static inline void expect_parameters(SSL *ssl)
{
	ck_assert_int_eq(SSL_version(ssl), TLS1_3_VERSION);
	ck_assert_str_eq(SSL_get_cipher_name(ssl), "TLS_AES_256_GCM_SHA384");
	ck_assert_int_eq((int)SSL_get_negotiated_group(ssl), NID_X25519);
	ck_assert(!SSL_session_reused(ssl));
	ck_assert(!SSL_SESSION_is_resumable(SSL_get0_session(ssl)));
}

#endif
