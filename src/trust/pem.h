/* SPDX-License-Identifier: ISC */
/*
 * pem.h - certificates, lists of revoked ones and keys out of PEM files
 *
 * In: which file of a certificate directory.  Out: the one OpenSSL object in
 * it.  Refused: what files.h refuses, files with nothing or with more than
 * one object in them, encrypted keys, keys that are not Ed25519.
 */
#ifndef PSU_PEM_H
#define PSU_PEM_H

#include "trust/files.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* Each returns 0, what psu_files_load() returns, or CERTS_INVALID; the
 * caller frees the object. */
PSU_MUST_CHECK int psu_pem_certificate(const char *dir, enum psu_file_kind kind,
									   OSSL_LIB_CTX *library,
									   X509 **certificate_out);
PSU_MUST_CHECK int psu_pem_key(const char *dir, enum psu_file_kind kind,
							   OSSL_LIB_CTX *library, EVP_PKEY **key_out);

/** @stamp_out  by which a later change of crl.pem is noticed */
PSU_MUST_CHECK int psu_pem_crl(const char *dir, OSSL_LIB_CTX *library,
							   X509_CRL **crl_out,
							   struct psu_file_stamp *stamp_out);

#endif
