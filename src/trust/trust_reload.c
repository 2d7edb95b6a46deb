/* SPDX-License-Identifier: ISC */
/*
 * trust_reload.c - the peers file and the CRL, as they are on disk now
 *
 * Every request is judged by the newest files.  A new file that is not valid
 * takes the old one's place all the same: it lets nobody in, and is read
 * again each time until it is mended.
 */
#include "trust/certificate.h"
#include "trust/credentials.h"
#include "trust/openssl.h"
#include "trust/pem.h"
#include "trust/trust_state.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- peers */

int psu_trust_read_peers(struct psu_trust *trust)
{
	struct psu_file file = {0};
	char path[PATH_MAX];
	int rc;

	psu_peers_free(trust->peers);
	trust->peers = NULL;
	memset(&trust->peers_stamp, 0, sizeof(trust->peers_stamp));
	rc = psu_files_load(trust->dir, PSU_FILE_PEERS, &file);
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "%s/%s", trust->dir,
			 psu_files_name(trust->dir, PSU_FILE_PEERS));
	rc = psu_peers_parse(file.text, file.len, path, &trust->peers);
	if (!rc)
		trust->peers_stamp = file.stamp;
	psu_files_free(&file);
	return rc;
}

/** This host stays who it was when it was started. */
static int check_self(struct psu_trust *trust)
{
	const struct psu_peers *peers = trust->peers;

	if (psu_digest_equal(&peers->self.digest, &trust->self.digest) &&
		peers->zone == trust->zone)
		return 0;
	return psu_error_set(PSU_THREAD_E_PEERS_INVALID,
						 "%s/peers names '%s' with zone %u as this host, which "
						 "was '%s' with zone %u when the program started: "
						 "restart it, or put the old entry back",
						 trust->dir, peers->self.uri, peers->zone,
						 trust->self.uri, trust->zone);
}

static int refresh_peers(struct psu_trust *trust)
{
	int rc = 0;

	if (psu_files_changed(trust->dir, PSU_FILE_PEERS, &trust->peers_stamp))
		rc = psu_trust_read_peers(trust);
	return rc ? rc : check_self(trust);
}

static int find_peer(struct psu_trust *trust,
					 const struct psu_identity *identity,
					 struct psu_peer *peer_out)
{
	const struct psu_peer *peer;
	int rc = refresh_peers(trust);

	if (rc)
		return rc;
	if (psu_digest_equal(&identity->digest, &trust->self.digest))
		return psu_error_set(PSU_THREAD_E_PEER_NOT_LISTED,
							 "the peer shows this host's own identity '%s': "
							 "give each host a certificate directory of its "
							 "own",
							 identity->uri);
	peer = psu_peers_find(trust->peers, &identity->digest);
	if (!peer)
		return psu_error_set(PSU_THREAD_E_PEER_NOT_LISTED,
							 "'%s' is not listed in %s/peers: add its line, "
							 "if it may exchange threads with this host",
							 identity->uri, trust->dir);
	*peer_out = *peer;
	return 0;
}

int psu_trust_peer(struct psu_trust *trust, const struct psu_identity *identity,
				   struct psu_peer *peer_out)
{
	int rc;

	pthread_mutex_lock(&trust->lock);
	rc = find_peer(trust, identity, peer_out);
	pthread_mutex_unlock(&trust->lock);
	return rc;
}

int psu_trust_hold_peers(struct psu_trust *trust,
						 const struct psu_peers **peers_out)
{
	int rc;

	pthread_mutex_lock(&trust->lock);
	rc = refresh_peers(trust);
	if (rc)
		pthread_mutex_unlock(&trust->lock);
	else
		*peers_out = trust->peers;
	return rc;
}

void psu_trust_release_peers(struct psu_trust *trust)
{
	pthread_mutex_unlock(&trust->lock);
}

_Static_assert(PSU_NAME_LEN == 2 * sizeof(struct psu_digest) + 1, "both fit");

void psu_trust_name(struct psu_trust *trust, const struct psu_digest *identity,
					char name_out[PSU_NAME_LEN])
{
	const struct psu_peer *peer = NULL;

	pthread_mutex_lock(&trust->lock);
	if (trust->peers)
		peer = psu_peers_find(trust->peers, identity);
	if (peer)
		memcpy(name_out, peer->identity.name, PSU_NAME_LEN);
	else if (psu_digest_equal(identity, &trust->self.digest))
		memcpy(name_out, trust->self.name, PSU_NAME_LEN);
	else
		psu_bytes_hex(identity->bytes, sizeof(identity->bytes), name_out);
	pthread_mutex_unlock(&trust->lock);
}

/* ---- the CRL */

static int refuse_crl(const struct psu_trust *trust, const char *why)
{
	if (psu_openssl_starved())
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory to judge %s/%s: raise `ulimit -v`, or "
							 "free some",
							 trust->dir,
							 psu_files_name(trust->dir, PSU_FILE_CRL));
	return psu_error_set(PSU_THREAD_E_CERTS_INVALID, "%s/%s %s", trust->dir,
						 psu_files_name(trust->dir, PSU_FILE_CRL), why);
}

/** Who ever uses the store checks strictly, and everything against the CRL. */
static X509_STORE *store_new(X509 *authority, X509_CRL *crl)
{
	X509_STORE *store = X509_STORE_new();

	if (!store)
		return NULL;
	if (!X509_STORE_add_cert(store, authority) ||
		!X509_STORE_add_crl(store, crl) ||
		!X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT |
										 X509_V_FLAG_CRL_CHECK |
										 X509_V_FLAG_CRL_CHECK_ALL) ||
		!X509_STORE_set_depth(store, 0)) {
		X509_STORE_free(store);
		store = NULL;
	}
	return store;
}

int psu_trust_read_crl(struct psu_trust *trust)
{
	struct psu_file_stamp stamp = {0};
	X509_CRL *crl = NULL;
	int rc;

	X509_STORE_free(trust->store);
	trust->store = NULL;
	memset(&trust->crl_stamp, 0, sizeof(trust->crl_stamp));
	rc = psu_pem_crl(trust->dir, trust->library, &crl, &stamp);
	if (rc)
		return rc;
	if (X509_CRL_verify(crl, X509_get0_pubkey(trust->authority)) != 1) {
		rc = refuse_crl(trust, "is not signed by ca.crt: copy both files "
							   "from the CA's directory again");
		goto out;
	}
	trust->store = store_new(trust->authority, crl);
	if (!trust->store) {
		ERR_clear_error();
		rc = psu_error_set(PSU_THREAD_E_NO_MEMORY,
						   "no memory for %s/crl.pem: free some", trust->dir);
		goto out;
	}
	trust->crl_validity = (struct psu_validity){INT64_MIN, INT64_MAX};
	psu_certificate_narrow(&trust->crl_validity, X509_CRL_get0_lastUpdate(crl),
						   X509_CRL_get0_nextUpdate(crl));
	trust->crl_stamp = stamp;
out:
	X509_CRL_free(crl);
	return rc;
}

/** A CRL without an end, or past it, may hide a revocation. */
static int check_dates(const struct psu_trust *trust)
{
	int64_t now_s = time(NULL);

	if (now_s >= trust->crl_validity.end_s)
		return refuse_crl(trust, "has expired: issue a new one, as "
								 "make-certs.sh --help says, and copy it to "
								 "every host");
	if (now_s < trust->crl_validity.begin_s)
		return refuse_crl(trust, "is not valid yet: set this host's clock");
	return 0;
}

int psu_trust_store(struct psu_trust *trust, X509_STORE **store_out)
{
	int rc = 0;

	pthread_mutex_lock(&trust->lock);
	if (psu_files_changed(trust->dir, PSU_FILE_CRL, &trust->crl_stamp))
		rc = psu_trust_read_crl(trust);
	if (!rc)
		rc = check_dates(trust);
	if (!rc) {
		X509_STORE_up_ref(trust->store);
		*store_out = trust->store;
	}
	pthread_mutex_unlock(&trust->lock);
	return rc;
}
