/* SPDX-License-Identifier: ISC */
/*
 * trust.c - load a certificate directory
 *
 * In: the directory.  Out: secrets in guarded memory, this host's certificate
 * and key, the peers.  Refused: files.h's list; a certificate that the judge
 * of peers' certificates would refuse, that is another host's, or whose key
 * is not host.key.  Neither openssl.cnf nor the environment has a say.
 */
#include "trust/trust.h"
#include "trust/certificate.h"
#include "trust/credentials.h"
#include "trust/pem.h"
#include "trust/trust_state.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_memory(void)
{
	ERR_clear_error();
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "no memory for the certificate directory: free some");
}

static int start_sodium(void)
{
	if (sodium_init() < 0)
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "libsodium cannot start, it gets no random bytes: "
							 "allow this process getrandom or /dev/urandom");
	return 0;
}

/** A working directory that changes later must not change what is read. */
static char *absolute(const char *dir)
{
	char cwd[PATH_MAX];
	size_t room;
	char *path;

	if (*dir == '/' || *dir == '\0') /* "" is no directory, not this one */
		return strdup(dir);
	if (!getcwd(cwd, sizeof(cwd)))
		return NULL;
	room = strlen(cwd) + strlen(dir) + 2;
	path = malloc(room);
	if (path)
		snprintf(path, room, "%s/%s", cwd, dir);
	return path;
}

/** Open a library context of our own, which no configuration has touched. */
static int open_library(struct psu_trust *trust)
{
	/* NO_ATEXIT: threads may still talk while the program exits */
	if (!OPENSSL_init_crypto(
			OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		return no_memory();
	trust->library = OSSL_LIB_CTX_new();
	if (!trust->library)
		return no_memory();
	trust->provider = OSSL_PROVIDER_load(trust->library, "default");
	if (!trust->provider) {
		ERR_clear_error();
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "OpenSSL has no default provider: install a "
							 "complete OpenSSL 3");
	}
	return 0;
}

/* ---- secrets */

static int load_deployment_key(const char *dir,
							   uint8_t key_out[PSU_DEPLOYMENT_KEY_LEN])
{
	const size_t digits = 2 * PSU_DEPLOYMENT_KEY_LEN;
	struct psu_file file = {0};
	size_t len = 0;
	int rc = psu_files_load(dir, PSU_FILE_DEPLOYMENT, &file);

	if (rc)
		return rc;
	if (file.len != digits + 1 || file.text[digits] != '\n' ||
		sodium_hex2bin(key_out, PSU_DEPLOYMENT_KEY_LEN, file.text, digits, NULL,
					   &len, NULL) ||
		len != PSU_DEPLOYMENT_KEY_LEN)
		rc = psu_error_set(PSU_THREAD_E_CERTS_INVALID,
						   "%s/%s is not one line of %zu hexadecimal digits: "
						   "copy the file again as certs/make-certs.sh made "
						   "it",
						   dir, psu_files_name(dir, PSU_FILE_DEPLOYMENT),
						   digits);
	psu_files_free(&file);
	return rc;
}

int psu_trust_load_deployment_key(const char *dir,
								  uint8_t key_out[PSU_DEPLOYMENT_KEY_LEN])
{
	int rc = start_sodium();

	return rc ? rc : load_deployment_key(dir, key_out);
}

static int load_sign_key(struct psu_trust *trust)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	uint8_t public[PSU_SIGN_PUBLIC_LEN];
	size_t len = sizeof(seed);
	EVP_PKEY *key = NULL;
	int rc = psu_pem_key(trust->dir, PSU_FILE_SIGN_KEY, trust->library, &key);

	if (rc)
		return rc;
	if (EVP_PKEY_get_raw_private_key(key, seed, &len) != 1 ||
		len != sizeof(seed))
		rc = no_memory();
	else
		crypto_sign_seed_keypair(public, trust->secrets->sign, seed);
	sodium_memzero(seed, sizeof(seed));
	EVP_PKEY_free(key); /* overwrites */
	return rc;
}

static int load_secrets(struct psu_trust *trust)
{
	int rc;

	trust->secrets = sodium_malloc(sizeof(*trust->secrets));
	if (!trust->secrets)
		return no_memory();
	rc = load_deployment_key(trust->dir, trust->secrets->deployment);
	return rc ? rc : load_sign_key(trust);
}

/* ---- certificates */

static int load_certificates(struct psu_trust *trust)
{
	int rc = psu_pem_certificate(trust->dir, PSU_FILE_CA, trust->library,
								 &trust->authority);

	if (!rc && !EVP_PKEY_is_a(X509_get0_pubkey(trust->authority), "ED25519"))
		rc = psu_error_set(PSU_THREAD_E_CERTS_INVALID,
						   "%s/ca.crt has a key that is not Ed25519: make "
						   "the deployment with certs/make-certs.sh",
						   trust->dir);
	if (!rc)
		rc = psu_trust_read_crl(trust);
	if (!rc)
		rc = psu_pem_certificate(trust->dir, PSU_FILE_HOST, trust->library,
								 &trust->certificate);
	if (!rc)
		rc = psu_pem_key(trust->dir, PSU_FILE_HOST_KEY, trust->library,
						 &trust->key);
	return rc;
}

/** What the judge finds wrong with this host's own certificate. */
static int own_code(int code)
{
	switch (code) {
	case PSU_THREAD_E_CERT_EXPIRED:
	case PSU_THREAD_E_CERT_NOT_YET_VALID:
	case PSU_THREAD_E_NO_MEMORY:
		return code;
	default:
		return PSU_THREAD_E_CERTS_INVALID;
	}
}

static int check_own_certificate(struct psu_trust *trust)
{
	const char *name = psu_files_name(trust->dir, PSU_FILE_HOST);
	struct psu_identity identity;
	const char *why = "";
	X509_STORE *store = NULL;
	int rc = psu_trust_store(trust, &store);

	if (rc)
		return rc;
	rc = psu_certificate_judge_alone(trust->certificate, trust->library, store,
									 &trust->self, &why);
	X509_STORE_free(store);
	if (rc)
		return psu_error_set(own_code(rc),
							 "this host's own certificate %s/%s would be "
							 "refused: %s",
							 trust->dir, name, why);
	if (psu_certificate_identity(trust->certificate, &identity) ||
		!psu_digest_equal(&identity.digest, &trust->self.digest))
		return psu_error_set(PSU_THREAD_E_CERTS_INVALID,
							 "%s/%s is for '%s', but the peers file's self is "
							 "'%s': use files of one host",
							 trust->dir, name, identity.uri, trust->self.uri);
	if (X509_check_private_key(trust->certificate, trust->key) != 1) {
		ERR_clear_error();
		return psu_error_set(
			PSU_THREAD_E_CERTS_INVALID,
			"%s/%s is not the key of %s: use files of one "
			"host",
			trust->dir, psu_files_name(trust->dir, PSU_FILE_HOST_KEY), name);
	}
	return 0;
}

/* ---- the directory */

static int load_all(struct psu_trust *trust)
{
	int rc = open_library(trust);

	if (!rc)
		rc = psu_trust_read_peers(trust);
	if (rc)
		return rc;
	trust->self = trust->peers->self;
	trust->zone = trust->peers->zone;
	rc = load_secrets(trust);
	if (!rc)
		rc = load_certificates(trust);
	return rc ? rc : check_own_certificate(trust);
}

int psu_trust_load(const char *dir, struct psu_trust **trust_out)
{
	struct psu_trust *trust = NULL;
	int rc = start_sodium();

	if (rc)
		return rc;
	trust = calloc(1, sizeof(*trust));
	if (!trust)
		return no_memory();
	pthread_mutex_init(&trust->lock, NULL);
	trust->dir = absolute(dir);
	rc = trust->dir ? load_all(trust) : no_memory();
	if (rc)
		psu_trust_free(trust);
	else
		*trust_out = trust;
	return rc;
}

void psu_trust_free(struct psu_trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	psu_peers_free(trust->peers);
	EVP_PKEY_free(trust->key);
	X509_free(trust->certificate);
	X509_free(trust->authority);
	sodium_free(trust->secrets);
	if (trust->provider)
		OSSL_PROVIDER_unload(trust->provider);
	OSSL_LIB_CTX_free(trust->library);
	pthread_mutex_destroy(&trust->lock);
	free(trust->dir);
	free(trust);
}

void psu_trust_wipe(struct psu_trust *trust)
{
	sodium_memzero(trust->secrets, sizeof(*trust->secrets));
}

/* ---- what it holds */

const char *psu_trust_dir(const struct psu_trust *trust)
{
	return trust->dir;
}

const struct psu_identity *psu_trust_self(const struct psu_trust *trust)
{
	return &trust->self;
}

uint32_t psu_trust_zone(const struct psu_trust *trust)
{
	return trust->zone;
}

const uint8_t *psu_trust_deployment_key(const struct psu_trust *trust)
{
	return trust->secrets->deployment;
}

const uint8_t *psu_trust_sign_secret(const struct psu_trust *trust)
{
	return trust->secrets->sign;
}

const uint8_t *psu_trust_sign_public(const struct psu_trust *trust)
{
	/* libsodium's secret key is a seed and the public key */
	return trust->secrets->sign + PSU_SIGN_SECRET_LEN - PSU_SIGN_PUBLIC_LEN;
}

OSSL_LIB_CTX *psu_trust_library(const struct psu_trust *trust)
{
	return trust->library;
}

X509 *psu_trust_certificate(const struct psu_trust *trust)
{
	return trust->certificate;
}

EVP_PKEY *psu_trust_key(const struct psu_trust *trust)
{
	return trust->key;
}
