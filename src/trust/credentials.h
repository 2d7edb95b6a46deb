/* SPDX-License-Identifier: ISC */
/*
 * credentials.h - what TLS needs of a loaded certificate directory
 *
 * Out: this host's certificate and key, the library context they live in,
 * which no configuration file has touched, and the CA with the newest CRL.
 * Everything but the store is owned by @trust.
 */
#ifndef PSU_CREDENTIALS_H
#define PSU_CREDENTIALS_H

#include "trust/trust.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

OSSL_LIB_CTX *psu_trust_library(const struct psu_trust *trust);
X509 *psu_trust_certificate(const struct psu_trust *trust);
EVP_PKEY *psu_trust_key(const struct psu_trust *trust);

/**
 * The CA and the CRL, by which peers are judged.  If crl.pem has changed on
 * disk since it was read, it is read again first; one that is not valid any
 * more, or has expired, lets nobody in.  Called by any thread.
 *
 * @store_out  X509_STORE_free() by the caller
 *
 * Returns 0, CERTS_INVALID, or, if the file cannot be read any more,
 * CERTS_MISSING, CERTS_INCOMPLETE, KEY_EXPOSED, NO_MEMORY.
 */
PSU_MUST_CHECK int psu_trust_store(struct psu_trust *trust,
								   X509_STORE **store_out);

#endif
