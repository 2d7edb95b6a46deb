/* SPDX-License-Identifier: ISC */
/*
 * tls_verify.c - judge the peer: in the handshake, after it, and again later
 *
 * Every byte of a peer's certificate is hostile.  Each refusal has its own
 * code, which is kept with the TLS object, and its own alert, from which the
 * peer's tls_error.c tells why its certificate was refused.
 */
#include "net/tls.h"
#include "net/tls_state.h"
#include "trust/certificate.h"
#include "trust/credentials.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int state_index = -1;

/* ---- the state */

static void free_state(void *ssl, void *parameter, CRYPTO_EX_DATA *data,
					   int index, long number, void *context)
{
	struct psu_tls_state *state = parameter;

	(void)ssl;
	(void)data;
	(void)index;
	(void)number;
	(void)context;
	if (state)
		X509_STORE_free(state->judged_by);
	free(state);
}

static void make_index(void)
{
	state_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_state);
}

struct psu_tls_state *psu_tls_state_new(SSL *ssl)
{
	struct psu_tls_state *state = calloc(1, sizeof(*state));

	pthread_once(&once, make_index);
	if (state &&
		(state_index < 0 || !SSL_set_ex_data(ssl, state_index, state))) {
		free(state);
		state = NULL;
	}
	return state;
}

struct psu_tls_state *psu_tls_state(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, state_index);
}

/* ---- in the handshake */

/**
 * The error that makes OpenSSL send the alert of our choice, RFC 8446, 6.2.
 * tls_error.c has the reverse.
 */
static int error_of(int verdict)
{
	switch (verdict) {
	case PSU_THREAD_E_CERT_EXPIRED:
		return X509_V_ERR_CERT_HAS_EXPIRED; /* certificate_expired */
	case PSU_THREAD_E_CERT_NOT_YET_VALID:
		return X509_V_ERR_CERT_NOT_YET_VALID; /* bad_certificate */
	case PSU_THREAD_E_CERT_REVOKED:
		return X509_V_ERR_CERT_REVOKED; /* certificate_revoked */
	case PSU_THREAD_E_CERT_IDENTITY:
		return X509_V_ERR_INVALID_PURPOSE; /* unsupported_certificate */
	case PSU_THREAD_E_NAME_MISMATCH:
		return X509_V_ERR_PERMITTED_VIOLATION; /* certificate_unknown */
	case PSU_THREAD_E_CERT_FOREIGN:
		return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY; /* unknown_ca */
	default:						  /* the fault is at this host */
		return X509_V_ERR_OUT_OF_MEM; /* internal_error */
	}
}

static void keep_why(struct psu_tls_state *state, X509 *certificate,
					 const char *why)
{
	char names[160];

	if (state->verdict != PSU_THREAD_E_NAME_MISMATCH) {
		snprintf(state->why, sizeof(state->why), "%s", why);
		return;
	}
	psu_certificate_names(certificate, names, sizeof(names));
	snprintf(state->why, sizeof(state->why),
			 "it is for %s, not for '%.80s': dial a name it is for, or add "
			 "a host that has that name with certs/make-certs.sh --add",
			 *names ? names : "no name or address", state->dialled);
}

int psu_tls_verify(X509_STORE_CTX *context, void *unused)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(
		context, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct psu_tls_state *state = psu_tls_state(ssl);
	const char *why = "";

	(void)unused;
	state->verdict = psu_certificate_judge(context, state->self, &why);
	if (state->verdict == 0)
		return 1;
	keep_why(state, X509_STORE_CTX_get0_cert(context), why);
	X509_STORE_CTX_set_error(context, error_of(state->verdict));
	return 0;
}

/* ---- after it */

static bool alpn_agreed(const SSL *ssl)
{
	const unsigned char *protocol = NULL;
	unsigned int len = 0;

	SSL_get0_alpn_selected(ssl, &protocol, &len);
	return len == strlen(PSU_TLS_PROTOCOL) &&
		   memcmp(protocol, PSU_TLS_PROTOCOL, len) == 0;
}

int psu_tls_peer(SSL *ssl, struct psu_identity *identity_out,
				 struct psu_digest *key_out)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);

	if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
		return psu_error_set(PSU_THREAD_E_CERT_MISSING,
							 "the peer showed no certificate: give it a "
							 "directory made by certs/make-certs.sh");
	if (!alpn_agreed(ssl))
		return psu_error_set(PSU_THREAD_E_PROTOCOL,
							 "the peer did not agree on " PSU_TLS_PROTOCOL
							 ": dial a program that uses psu_thread");
	if (psu_certificate_identity(certificate, identity_out))
		return psu_error_set(PSU_THREAD_E_CERT_IDENTITY,
							 "the peer's certificate does not name exactly "
							 "one host: add that host under another "
							 "name with certs/make-certs.sh --add");
	if (psu_certificate_key_digest(certificate, key_out))
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for the peer's key: free some");
	return 0;
}

/** The dates of the peer's certificate and of its CA's. */
static struct psu_validity chain_validity(const SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	struct psu_validity validity = {INT64_MIN, INT64_MAX};

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *certificate = sk_X509_value(chain, i);

		psu_certificate_narrow(&validity, X509_get0_notBefore(certificate),
							   X509_get0_notAfter(certificate));
	}
	return validity;
}

static int check_dates(SSL *ssl, const char **why_out)
{
	struct psu_validity *validity = &psu_tls_state(ssl)->validity;
	int64_t now_s = time(NULL);

	if (!validity->end_s)
		*validity = chain_validity(ssl);
	*why_out = "it is not valid yet: set this host's clock";
	if (now_s < validity->begin_s)
		return PSU_THREAD_E_CERT_NOT_YET_VALID;
	*why_out = "it has expired: run certs/make-certs.sh --renew";
	if (now_s >= validity->end_s)
		return PSU_THREAD_E_CERT_EXPIRED;
	return 0;
}

/** By the same CA and CRL only the clock can make a difference; by others
 * everything is judged anew. */
static int judge_again(struct psu_trust *trust, SSL *ssl, X509_STORE *store,
					   const char **why_out)
{
	struct psu_tls_state *state = psu_tls_state(ssl);
	int rc;

	if (state->judged_by == store)
		return check_dates(ssl, why_out);
	rc = psu_certificate_judge_alone(SSL_get0_peer_certificate(ssl),
									 psu_trust_library(trust), store,
									 psu_trust_self(trust), why_out);
	if (!rc) {
		X509_STORE_free(state->judged_by);
		X509_STORE_up_ref(store);
		state->judged_by = store;
	}
	return rc;
}

int psu_tls_recheck(struct psu_tls *tls, SSL *ssl)
{
	struct psu_trust *trust = psu_tls_trust(tls);
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	struct psu_identity identity;
	X509_STORE *store = NULL;
	const char *why = "";
	bool named;
	int rc;

	if (!certificate)
		return psu_error_set(PSU_THREAD_E_CERT_MISSING,
							 "the session has no peer's certificate: connect "
							 "again");
	rc = psu_trust_store(trust, &store);
	if (rc)
		return rc;
	rc = judge_again(trust, ssl, store, &why);
	X509_STORE_free(store);
	if (!rc)
		return 0;
	named = psu_certificate_identity(certificate, &identity) == 0;
	return psu_error_set(rc, "the certificate of '%s' is not good any more: %s",
						 named ? identity.uri : "?", why);
}

int psu_tls_exporter(SSL *ssl, struct psu_digest *value_out)
{
	static const char label[] = "EXPORTER-Channel-Binding";

	/* RFC 9266, 2: no context, which in TLS 1.3 equals an empty one */
	if (SSL_export_keying_material(ssl, value_out->bytes,
								   sizeof(value_out->bytes), label,
								   strlen(label), NULL, 0, 0) != 1) {
		ERR_clear_error();
		return psu_error_set(PSU_THREAD_E_TLS_FAILED,
							 "the session has no channel binding: connect "
							 "again");
	}
	return 0;
}
