/* SPDX-License-Identifier: ISC */
/*
 * sha256.c - SHA-256 by OpenSSL, for its SHA-NI code
 *
 * By the low-level calls: unlike EVP they allocate nothing, look nothing up in
 * a library context and read no configuration file, which may load code.
 * OpenSSL 3 calls them deprecated in favour of EVP; they are used here alone.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "bytes/sha256.h"

void psu_sha256_init(struct psu_sha256 *hash)
{
	SHA256_Init(&hash->context);
}

void psu_sha256_update(struct psu_sha256 *hash, const void *bytes, size_t len)
{
	SHA256_Update(&hash->context, bytes, len);
}

void psu_sha256_final(struct psu_sha256 *hash, struct psu_digest *digest_out)
{
	SHA256_Final(digest_out->bytes, &hash->context);
}

void psu_sha256(const void *bytes, size_t len, struct psu_digest *digest_out)
{
	struct psu_sha256 hash;

	psu_sha256_init(&hash);
	psu_sha256_update(&hash, bytes, len);
	psu_sha256_final(&hash, digest_out);
}
