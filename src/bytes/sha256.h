/* SPDX-License-Identifier: ISC */
/*
 * sha256.h - SHA-256, in one go or piece by piece
 *
 * Cannot fail, allocates nothing and needs no setup: the early restart hashes
 * the program before anything else is there.
 */
#ifndef PSU_SHA256_H
#define PSU_SHA256_H

#include "bytes/bytes.h"

#include <openssl/sha.h>

struct psu_sha256 {
	SHA256_CTX context;
};

void psu_sha256_init(struct psu_sha256 *hash);
void psu_sha256_update(struct psu_sha256 *hash, const void *bytes, size_t len);
void psu_sha256_final(struct psu_sha256 *hash, struct psu_digest *digest_out);

/** All three. */
void psu_sha256(const void *bytes, size_t len, struct psu_digest *digest_out);

#endif
