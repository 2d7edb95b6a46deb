/* SPDX-License-Identifier: ISC */
/*
 * trust_state.h - what a loaded certificate directory consists of
 *
 * Only for trust.c and trust_reload.c.  What changes after loading, the peers
 * and the store, is under the lock.
 */
#ifndef PSU_TRUST_STATE_H
#define PSU_TRUST_STATE_H

#include "trust/files.h"
#include "trust/trust.h"

#include <openssl/provider.h>
#include <openssl/x509.h>
#include <pthread.h>

struct psu_secrets {
	uint8_t deployment[PSU_DEPLOYMENT_KEY_LEN];
	uint8_t sign[PSU_SIGN_SECRET_LEN];
};

struct psu_trust {
	char *dir; /* absolute */
	OSSL_LIB_CTX *library;
	OSSL_PROVIDER *provider;
	struct psu_secrets *secrets; /* sodium_malloc */
	X509 *authority;
	X509 *certificate;
	EVP_PKEY *key;
	struct psu_identity self;
	uint32_t zone;

	pthread_mutex_t lock;
	struct psu_peers *peers;		   /* NULL: the file is broken */
	struct psu_file_stamp peers_stamp; /* zeros: read it again */
	X509_STORE *store;				   /* NULL: the CRL is broken */
	struct psu_validity crl_validity;
	struct psu_file_stamp crl_stamp;
};

/* Read peers or crl.pem anew.  Called with the lock held, or by nobody else
 * yet; on failure nothing is left of the old one. */
PSU_MUST_CHECK int psu_trust_read_peers(struct psu_trust *trust);
PSU_MUST_CHECK int psu_trust_read_crl(struct psu_trust *trust);

#endif
