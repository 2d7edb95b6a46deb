/* SPDX-License-Identifier: ISC */
/*
 * tls_state.h - what we keep with each TLS object
 *
 * Only for tls*.c.  OpenSSL hands our verdict on a peer's certificate to its
 * caller as "verify failed"; the code and the words wait here meanwhile.
 */
#ifndef PSU_TLS_STATE_H
#define PSU_TLS_STATE_H

#include "report/report.h"
#include "trust/trust.h"

#include <openssl/ssl.h>

#define PSU_TLS_DIALLED_LEN 256 /* longest name dialled, with its NUL */

struct psu_tls_state {
	const struct psu_identity *self;
	char dialled[PSU_TLS_DIALLED_LEN]; /* "": this is the server's side */
	X509_STORE *judged_by;			   /* CA and CRL that let the peer in */
	struct psu_validity validity;	   /* of its chain, once looked at */
	unsigned key_updates;			   /* that the peer has asked for */
	int verdict;					   /* 0, or why the peer is refused */
	char why[PSU_ERROR_SENTENCE_LEN];  /* with what to do now */
};

struct psu_tls;
struct psu_trust *psu_tls_trust(const struct psu_tls *tls);

/** Give @ssl a state, which is freed with it; NULL: no memory. */
struct psu_tls_state *psu_tls_state_new(SSL *ssl);
struct psu_tls_state *psu_tls_state(const SSL *ssl);

/** Judge the peer's certificate in a handshake, in the place of
 * X509_verify_cert().  Returns 1 or 0; the verdict is in the state. */
int psu_tls_verify(X509_STORE_CTX *context, void *unused);

/**
 * A BIO over a socket that never raises SIGPIPE and does not close @fd.
 * NULL: no memory.
 */
BIO *psu_tls_socket(int fd);

#endif
