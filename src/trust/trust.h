/* SPDX-License-Identifier: ISC */
/*
 * trust.h - whom this host believes, and with which keys it speaks
 *
 * In: the certificate directory, as certs/make-certs.sh makes it.  Out: keys
 * in guarded memory, the peers file's entries, and the TLS contexts that are
 * made from them (net/tls.h).  A CA's signature authorises nothing by itself:
 * who is not in the peers file may not send and may not receive.
 */
#ifndef PSU_TRUST_H
#define PSU_TRUST_H

#include "bytes/bytes.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSU_ZONE_COUNT 256
#define PSU_IDENTITY_LEN 256 /* longest URI SAN taken, with its NUL */
#define PSU_NAME_LEN 65		 /* longest host name in it, with its NUL */
#define PSU_DEPLOYMENT_KEY_LEN 32
#define PSU_SIGN_PUBLIC_LEN 32
#define PSU_SIGN_SECRET_LEN 64 /* as crypto_sign_detached() takes it */

/** One host: spiffe://DOMAIN/psu-thread/NAME. */
struct psu_identity {
	char uri[PSU_IDENTITY_LEN];
	char name[PSU_NAME_LEN];
	struct psu_digest digest; /* SHA-256 of the URI without its NUL */
};

/**
 * Check and take apart an identity.  Returns 0, or PSU_THREAD_E_CERT_IDENTITY
 * without a sentence: the caller knows where it read it.  Every byte read
 * here is hostile.
 */
PSU_MUST_CHECK int psu_identity_parse(const char *uri, size_t len,
									  struct psu_identity *identity_out);

/** Whether two identities have the same DOMAIN. */
bool psu_identity_same_domain(const struct psu_identity *a,
							  const struct psu_identity *b);

struct psu_peer {
	struct psu_identity identity;
	uint32_t zone;
	uint8_t sign_public[PSU_SIGN_PUBLIC_LEN];
	bool may_send;	  /* threads to this host */
	bool may_receive; /* threads from this host */
	bool attest;	  /* the heaps of its threads must be signed, too */
	/* of its threads here, and of their slots; 0: no limit */
	uint32_t max_threads;
	uint64_t max_bytes;
	bool pinned;
	struct psu_digest pin; /* SHA-256 of the certificate's public key (SPKI) */
};

/** A signing key that a host, maybe this one, has given up: it still verifies
 * what the host signed then (seal/itinerary.h), and lets nobody in. */
struct psu_retired {
	struct psu_digest identity;
	uint8_t sign_public[PSU_SIGN_PUBLIC_LEN];
};

struct psu_peers {
	struct psu_identity self;
	uint32_t zone; /* of this host */
	size_t count;
	struct psu_peer *list;
	size_t retired_count;
	struct psu_retired *retired;
};

/**
 * Read a peers file's text.  Unknown words, an entry given twice, a zone given
 * twice, a missing self, a peer of another domain: PSU_THREAD_E_PEERS_INVALID
 * with path, line and what to write instead.
 *
 * @path       only for the sentences
 * @peers_out  owned by the caller, psu_peers_free()
 */
PSU_MUST_CHECK int psu_peers_parse(const char *text, size_t len,
								   const char *path,
								   struct psu_peers **peers_out);
void psu_peers_free(struct psu_peers *peers);

/** The entry of the host with this identity, or NULL. */
const struct psu_peer *psu_peers_find(const struct psu_peers *peers,
									  const struct psu_digest *identity);

/** When something is valid: begin <= now < end, seconds since 1970. */
struct psu_validity {
	int64_t begin_s;
	int64_t end_s;
};

/** A certificate directory, loaded.  Opaque: the secrets lie in guarded
 * memory that is in no core dump. */
struct psu_trust;

/**
 * Load a certificate directory: ca.crt crl.pem host.crt host.key sign.key
 * deployment.key peers (or tls.crt and tls.key for host.*).  Checked as OpenSSH
 * does: regular files, no symbolic links, owned by this user or root; no key
 * readable, and nothing writable, by others.  The certificate must be this
 * host's (self of the peers file), within its dates, signed by ca.crt, not on
 * the CRL, and host.key its key.
 *
 * @dir        the directory; copied
 * @trust_out  owned by the caller, psu_trust_free()
 *
 * Returns 0, CERTS_MISSING (no such directory), CERTS_INCOMPLETE (which
 * file), KEY_EXPOSED (which file, and the chmod that mends it),
 * CERTS_INVALID (also: the CRL has expired), CERT_EXPIRED,
 * CERT_NOT_YET_VALID, PEERS_INVALID, NO_MEMORY.
 */
PSU_MUST_CHECK int psu_trust_load(const char *dir,
								  struct psu_trust **trust_out);
void psu_trust_free(struct psu_trust *trust);

/**
 * Load only deployment.key, with the same checks.
 *
 * @key_out  wiped by the caller
 */
PSU_MUST_CHECK int
psu_trust_load_deployment_key(const char *dir,
							  uint8_t key_out[PSU_DEPLOYMENT_KEY_LEN]);

/* What a loaded directory holds; all owned by @trust. */
const char *psu_trust_dir(const struct psu_trust *trust);
const struct psu_identity *psu_trust_self(const struct psu_trust *trust);
uint32_t psu_trust_zone(const struct psu_trust *trust);
const uint8_t *psu_trust_deployment_key(const struct psu_trust *trust);
const uint8_t *psu_trust_sign_secret(const struct psu_trust *trust);
const uint8_t *psu_trust_sign_public(const struct psu_trust *trust);

/**
 * Copy the peers file's entry of a host.  If the peers file has changed on
 * disk since it was read, it is read again first, so that every request is
 * judged by the newest file; one that is not valid any more lists nobody.
 * Called by any thread.
 *
 * Returns 0, PEER_NOT_LISTED, PEERS_INVALID (also: self is another than when
 * the directory was loaded), or, if the file cannot be read any more,
 * CERTS_MISSING, CERTS_INCOMPLETE, KEY_EXPOSED, NO_MEMORY.
 */
PSU_MUST_CHECK int psu_trust_peer(struct psu_trust *trust,
								  const struct psu_identity *identity,
								  struct psu_peer *peer_out);

/**
 * Have the peers file's entries, the newest as above, and let no other thread
 * have any until psu_trust_release_peers().
 *
 * Returns as psu_trust_peer(), but for PEER_NOT_LISTED; nothing is held then.
 */
PSU_MUST_CHECK int psu_trust_hold_peers(struct psu_trust *trust,
										const struct psu_peers **peers_out);
void psu_trust_release_peers(struct psu_trust *trust);

/** The name of the host with this identity, as far as the peers file was last
 * read; else the identity's digest, as 64 hexadecimal digits. */
void psu_trust_name(struct psu_trust *trust, const struct psu_digest *identity,
					char name_out[PSU_NAME_LEN]);

/** Overwrite the deployment's and the signing secret: for a forked child,
 * which may not use them.  host.key lies in OpenSSL's own memory, where
 * nothing can overwrite it in place.  Async-signal-safe. */
void psu_trust_wipe(struct psu_trust *trust);

#endif
