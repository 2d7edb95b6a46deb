/* SPDX-License-Identifier: ISC */
/*
 * certificate.h - what a host's certificate must be, whoever shows it
 *
 * One judge for this host's own certificate, a peer's in a handshake, and a
 * peer's on a live session.  Beyond what OpenSSL checks (chain, dates, CRL),
 * a host's certificate is X.509 v3, no CA's, for servers and for clients,
 * has an Ed25519 key, names exactly one host of the deployment's domain by a
 * URI, and has no wildcards.
 */
#ifndef PSU_CERTIFICATE_H
#define PSU_CERTIFICATE_H

#include "trust/trust.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

/**
 * Judge the certificate that @context was made for.  Every byte of it is
 * hostile.
 *
 * @self     gives the domain
 * @why_out  static; goes on "the certificate of X is refused: ", with what to
 *           do now
 *
 * Returns 0 or, without a sentence: CERT_FOREIGN, CERT_EXPIRED,
 * CERT_NOT_YET_VALID, CERT_REVOKED, CERT_IDENTITY, NAME_MISMATCH (if a name
 * is wanted), CERTS_INVALID (this host's CRL or CA), NO_MEMORY.
 */
PSU_MUST_CHECK int psu_certificate_judge(X509_STORE_CTX *context,
										 const struct psu_identity *self,
										 const char **why_out);

/** The same without a handshake, by the CA and the CRL of @store. */
PSU_MUST_CHECK int psu_certificate_judge_alone(X509 *certificate,
											   OSSL_LIB_CTX *library,
											   X509_STORE *store,
											   const struct psu_identity *self,
											   const char **why_out);

/** The last part of the judgement: all that needs no CA and no clock. */
PSU_MUST_CHECK int psu_certificate_check(X509 *certificate,
										 const struct psu_identity *self,
										 const char **why_out);

/** Who it is for.  0, or CERT_IDENTITY without a sentence. */
PSU_MUST_CHECK int psu_certificate_identity(X509 *certificate,
											struct psu_identity *identity_out);

/** SHA-256 of its SubjectPublicKeyInfo (DER).  0, or NO_MEMORY without a
 * sentence. */
PSU_MUST_CHECK int psu_certificate_key_digest(X509 *certificate,
											  struct psu_digest *digest_out);

/**
 * Let @validity begin and end no wider than these.  They are made numbers
 * once, since OpenSSL needs longer to compare one with the clock than all else
 * that is judged before a request.  @end NULL, or what is no time: never.
 */
void psu_certificate_narrow(struct psu_validity *validity,
							const ASN1_TIME *begin, const ASN1_TIME *end);

/** Write its DNS names and addresses as "a, 127.0.0.1", cut at @room. */
void psu_certificate_names(X509 *certificate, char *text_out, size_t room);

#endif
