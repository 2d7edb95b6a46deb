/* SPDX-License-Identifier: ISC */
/*
 * attest.h - a signed list of digests of a heap's pages, behind the pages
 *
 * A statement signs head and stack.  The heap's pages are bound to it by the
 * connection that it names; whoever demands more gets, behind the last page,
 * SHA-256 of each chunk of them and a signature over all digests and the
 * sealed statement (FORMAT.md, "Attestation").
 */
#ifndef PSU_ATTEST_H
#define PSU_ATTEST_H

#include "seal/seal.h"

/** Bytes of the heap's pages, one behind the other, that one digest is of; the
 * last one may be of fewer. */
#define PSU_CHUNK_LEN (1u << 20)

/** Chunks of so many bytes of pages. */
size_t psu_attest_chunks(uint64_t heap_len);
/** Bytes of an attestation of so many bytes of pages. */
size_t psu_attest_len(uint64_t heap_len);

/**
 * Sign: @bytes has the digests already, and room for the signature behind
 * them.  @secret as crypto_sign_detached() takes it.  Cannot fail.
 */
void psu_attest_sign(const uint8_t sealed[PSU_SEALED_LEN], size_t chunks,
					 const uint8_t *secret, uint8_t *bytes);

/**
 * Whether an attestation, as a peer sent it, is signed with that peer's key,
 * about that statement, and says the same @digests, one behind the other.
 *
 * Returns 0, PSU_THREAD_E_SIGNATURE_INVALID or PSU_THREAD_E_DIGEST_MISMATCH.
 */
PSU_MUST_CHECK int psu_attest_verify(const uint8_t sealed[PSU_SEALED_LEN],
									 const uint8_t *sign_public, size_t chunks,
									 const uint8_t *digests,
									 const uint8_t *bytes);

#endif
