/* SPDX-License-Identifier: ISC */
/*
 * tls.h - mutual TLS 1.3 between hosts of one deployment
 *
 * TLS 1.3 only, Ed25519 certificates of the deployment's own CA, X25519,
 * AES-256-GCM or ChaCha20-Poly1305, ALPN "psu-thread/1" demanded by both, no
 * tickets, no resumption, no early data, an OSSL_LIB_CTX of our own without
 * any configuration file, the CRL honoured.  The certificate names exactly
 * one host (one URI SAN) and, for a server, the name that was dialled.
 */
#ifndef PSU_TLS_H
#define PSU_TLS_H

#include "trust/trust.h"

#include <openssl/ssl.h>

/** The application protocol, as ALPN names it. */
#define PSU_TLS_PROTOCOL "psu-thread/1"

struct psu_tls;

/**
 * Make the contexts of both roles.  @trust outlives @tls_out, which outlives
 * the TLS objects opened from it.
 *
 * @tls_out  psu_tls_free()
 *
 * Returns 0 or TLS_FAILED (OpenSSL cannot do what is needed).
 */
PSU_MUST_CHECK int psu_tls_new(struct psu_trust *trust,
							   struct psu_tls **tls_out);
void psu_tls_free(struct psu_tls *tls);

/**
 * A TLS object over a connected non-blocking socket.  The CRL, if it changed
 * on disk, is read again first.
 *
 * @dialled  the name or address dialled, without port: the peer's certificate
 *           must have it as DNS or IP SAN.  NULL: this is the server's side.
 * @ssl_out  SSL_free() and close(@fd) by the caller; writing to it never
 *           raises SIGPIPE
 *
 * Returns 0, INVALID_ARGUMENT (@dialled), CERTS_INVALID (the CRL on disk is
 * not valid any more, or has expired), CERTS_MISSING, CERTS_INCOMPLETE,
 * KEY_EXPOSED (it cannot be read any more), NO_MEMORY.
 */
PSU_MUST_CHECK int psu_tls_open(struct psu_tls *tls, int fd,
								const char *dialled, SSL **ssl_out);

/**
 * After a handshake: who the peer is.  0, or CERT_MISSING, CERT_IDENTITY,
 * PROTOCOL (no ALPN), NO_MEMORY.  The key's digest is of the
 * SubjectPublicKeyInfo, for the peers file's pin.
 */
PSU_MUST_CHECK int psu_tls_peer(SSL *ssl, struct psu_identity *identity_out,
								struct psu_digest *key_out);

/**
 * Judge a live session's peer once more: both validity dates, and the CRL as
 * it is on disk now.  0, CERT_EXPIRED, CERT_NOT_YET_VALID, CERT_REVOKED,
 * CERT_MISSING (no handshake yet), or what psu_tls_open() returns if the CRL
 * on disk is not good any more.
 */
PSU_MUST_CHECK int psu_tls_recheck(struct psu_tls *tls, SSL *ssl);

/** The tls-exporter channel binding of this connection, RFC 9266.  0, or
 * TLS_FAILED (no handshake yet). */
PSU_MUST_CHECK int psu_tls_exporter(SSL *ssl, struct psu_digest *value_out);

/**
 * Why a TLS call failed: looks at SSL_get_error(@ssl, @result), the verify
 * result, the error queue (an alert from the peer, or our own refusal) and
 * errno; empties the queue.  The caller emptied it before the TLS call
 * (ERR_clear_error()), or an older error is taken for this one's.
 *
 * @peer  how to name the other side in the sentence, as "hostB:7310"
 *
 * Records the sentence (what, where, why, what to do now) and returns the
 * code: CERT_FOREIGN, CERT_EXPIRED, CERT_NOT_YET_VALID, CERT_REVOKED,
 * CERT_MISSING, CERT_IDENTITY, NAME_MISMATCH, CERTS_INVALID (this host's CRL
 * or CA expired meanwhile), NO_MEMORY, TLS_FAILED, CONNECTION_LOST.  The
 * sentence says whose certificate it is: the peer tells by an alert that ours
 * is refused.  A client that was refused learns it at its first read, after
 * SSL_connect() has succeeded, and calls this for it as well.
 */
int psu_tls_error(SSL *ssl, int result, const char *peer);

#endif
