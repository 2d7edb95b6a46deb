/* SPDX-License-Identifier: ISC */
/*
 * tls.c - the TLS contexts of both roles, and connections made from them
 *
 * In: a loaded certificate directory.  Out: TLS 1.3 with everything that
 * could be chosen chosen here, so that neither a default nor a configuration
 * file changes it.
 */
#include "net/tls.h"
#include "net/limits.h"
#include "net/tls_state.h"
#include "trust/credentials.h"
#include "trust/openssl.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CERTIFICATE_LEN_MAX (16 << 10)
#define SECURITY_BITS_128 3 /* SSL_CTX_set_security_level(3) */

/** The list of one protocol, RFC 7301, 3.1. */
static const unsigned char alpn[] = "\x0c" PSU_TLS_PROTOCOL;
static const unsigned int alpn_len = sizeof(alpn) - 1;
_Static_assert(sizeof(PSU_TLS_PROTOCOL) - 1 == 0x0c, "its length byte");

struct psu_tls {
	struct psu_trust *trust;
	SSL_CTX *client;
	SSL_CTX *server;
};

/* ---- the server's demands on a ClientHello */

/** OpenSSL asks select_protocol() only if the client offers anything. */
static int demand_protocol(SSL *ssl, int *alert_out, void *unused)
{
	const unsigned char *list;
	size_t len;

	(void)unused;
	if (SSL_client_hello_get0_ext(
			ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &list,
			&len))
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert_out = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

static int select_protocol(SSL *ssl, const unsigned char **out,
						   unsigned char *out_len, const unsigned char *in,
						   unsigned int in_len, void *unused)
{
	unsigned char *chosen = NULL;

	(void)ssl;
	(void)unused;
	if (SSL_select_next_proto(&chosen, out_len, alpn, alpn_len, in, in_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* ---- contexts */

static bool set_protocol(SSL_CTX *context)
{
	return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) &&
		   SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) &&
		   SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:"
											 "TLS_CHACHA20_POLY1305_SHA256") &&
		   SSL_CTX_set1_groups_list(context, "X25519") &&
		   SSL_CTX_set1_sigalgs_list(context, "ed25519") &&
		   SSL_CTX_set1_client_sigalgs_list(context, "ed25519") &&
		   SSL_CTX_set_num_tickets(context, 0) &&
		   SSL_CTX_set_max_early_data(context, 0) &&
		   SSL_CTX_set_recv_max_early_data(context, 0) &&
		   SSL_CTX_set_block_padding(context, 0) &&
		   SSL_CTX_set_alpn_protos(context, alpn, alpn_len) == 0;
}

/** What has no failure.  All flags are cleared first: a configuration that
 * the program has loaded may have set some. */
static void set_behaviour(SSL_CTX *context)
{
	SSL_CTX_clear_options(context, SSL_CTX_get_options(context));
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
									 SSL_OP_NO_COMPRESSION |
									 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_clear_mode(context, SSL_CTX_get_mode(context));
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
								  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
								  SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_security_level(context, SECURITY_BITS_128);
	SSL_CTX_set_max_cert_list(context, CERTIFICATE_LEN_MAX);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_post_handshake_auth(context, 0);
	SSL_CTX_set_quiet_shutdown(context, 0);
	SSL_CTX_set_verify(context,
					   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(context, psu_tls_verify, NULL);
	SSL_CTX_set_client_hello_cb(context, demand_protocol, NULL);
	SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
}

static bool set_credentials(SSL_CTX *context, const struct psu_trust *trust)
{
	return SSL_CTX_use_certificate(context, psu_trust_certificate(trust)) &&
		   SSL_CTX_clear_chain_certs(context) &&
		   SSL_CTX_use_PrivateKey(context, psu_trust_key(trust)) &&
		   SSL_CTX_check_private_key(context);
}

static SSL_CTX *context_new(const struct psu_trust *trust,
							const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new_ex(psu_trust_library(trust), NULL, method);

	if (!context)
		return NULL;
	set_behaviour(context);
	if (!set_protocol(context) || !set_credentials(context, trust)) {
		SSL_CTX_free(context);
		context = NULL;
	}
	return context;
}

int psu_tls_new(struct psu_trust *trust, struct psu_tls **tls_out)
{
	struct psu_tls *tls = calloc(1, sizeof(*tls));

	if (tls) {
		tls->trust = trust;
		tls->client = context_new(trust, TLS_client_method());
		tls->server = context_new(trust, TLS_server_method());
	}
	if (!tls || !tls->client || !tls->server) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());
		int rc = psu_error_set(psu_openssl_starved() ? PSU_THREAD_E_NO_MEMORY
													 : PSU_THREAD_E_TLS_FAILED,
							   "OpenSSL cannot do TLS 1.3 with Ed25519 as "
							   "needed (%s): install a complete OpenSSL 3, "
							   "raise `ulimit -v`, or free memory",
							   reason ? reason : "no reason given");

		psu_tls_free(tls);
		return rc;
	}
	*tls_out = tls;
	return 0;
}

void psu_tls_free(struct psu_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->client);
	SSL_CTX_free(tls->server);
	free(tls);
}

struct psu_trust *psu_tls_trust(const struct psu_tls *tls)
{
	return tls->trust;
}

/* ---- connections */

/** Demand that the server's certificate has the name or address dialled
 * among its DNS names or addresses; never its common name, no wildcards. */
static bool expect_name(SSL *ssl, const char *dialled)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct in6_addr address;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
											   X509_CHECK_FLAG_NO_WILDCARDS);
	if (inet_pton(AF_INET, dialled, &address) == 1 ||
		inet_pton(AF_INET6, dialled, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, dialled);
	return X509_VERIFY_PARAM_set1_host(param, dialled, 0);
}

/** OpenSSL answers any number of a peer's key updates; each of them
 * costs it more than the peer.  A peer that asks for too many is cut off:
 * the next read or write fails. */
static void count_key_updates(int writing, int version, int type,
							  const void *message, size_t len, SSL *ssl,
							  void *unused)
{
	struct psu_tls_state *state = psu_tls_state(ssl);

	(void)version;
	(void)unused;
	if (writing || type != SSL3_RT_HANDSHAKE || !len ||
		*(const uint8_t *)message != SSL3_MT_KEY_UPDATE)
		return;
	if (++state->key_updates > PSU_PEER_KEY_UPDATES_MAX)
		shutdown(SSL_get_fd(ssl), SHUT_RDWR);
}

static bool prepare(struct psu_tls *tls, SSL *ssl, int fd, const char *dialled)
{
	struct psu_tls_state *state = psu_tls_state_new(ssl);
	BIO *bio = psu_tls_socket(fd);

	if (!bio)
		return false;
	SSL_set_bio(ssl, bio, bio);
	if (!state)
		return false;
	state->self = psu_trust_self(tls->trust);
	SSL_set_msg_callback(ssl, count_key_updates);
	if (!dialled) {
		SSL_set_accept_state(ssl);
		return true;
	}
	memcpy(state->dialled, dialled, strlen(dialled) + 1);
	SSL_set_connect_state(ssl);
	return expect_name(ssl, dialled);
}

int psu_tls_open(struct psu_tls *tls, int fd, const char *dialled,
				 SSL **ssl_out)
{
	X509_STORE *store = NULL;
	SSL *ssl = NULL;
	int rc;

	if (dialled && (!*dialled || strlen(dialled) >= PSU_TLS_DIALLED_LEN))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "'%.80s' is no name of a host: give one of 1 to "
							 "255 bytes",
							 dialled);
	rc = psu_trust_store(tls->trust, &store);
	if (rc)
		return rc;
	ssl = SSL_new(dialled ? tls->client : tls->server);
	if (!ssl || !prepare(tls, ssl, fd, dialled) ||
		!SSL_set1_verify_cert_store(ssl, store)) {
		ERR_clear_error();
		rc = psu_error_set(PSU_THREAD_E_NO_MEMORY,
						   "no memory for a TLS session: free some");
		goto out;
	}
	psu_tls_state(ssl)->judged_by = store;
	store = NULL;
	*ssl_out = ssl;
	ssl = NULL;
out:
	SSL_free(ssl);
	X509_STORE_free(store);
	return rc;
}
