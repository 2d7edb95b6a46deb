/* SPDX-License-Identifier: ISC */
/*
 * attest.c - sign and verify a list of digests
 *
 * In: digests; or an attestation from a peer, every byte of which is hostile.
 * Out: a signature; or that all digests are those that the peer has signed for
 * this very statement.
 */
#include "seal/attest.h"
#include "bytes/sha256.h"

#include <sodium.h>
#include <string.h>

/** First in what is signed, so that no other signature of this key can be
 * taken for an attestation; zeros behind the words. */
static const char domain[32] = "psu_thread attestation";

#define SIGNED_LEN (sizeof(domain) + 2 * sizeof(struct psu_digest))

size_t psu_attest_chunks(uint64_t heap_len)
{
	return (size_t)((heap_len + PSU_CHUNK_LEN - 1) / PSU_CHUNK_LEN);
}

size_t psu_attest_len(uint64_t heap_len)
{
	return psu_attest_chunks(heap_len) * sizeof(struct psu_digest) +
		   PSU_SIGNATURE_LEN;
}

static void make_signed(const uint8_t sealed[PSU_SEALED_LEN], size_t chunks,
						const uint8_t *list, uint8_t signed_out[SIGNED_LEN])
{
	struct psu_digest statement, digests;

	psu_sha256(sealed, PSU_SEALED_LEN, &statement);
	psu_sha256(list, chunks * sizeof(digests), &digests);
	memcpy(signed_out, domain, sizeof(domain));
	memcpy(signed_out + sizeof(domain), &statement, sizeof(statement));
	memcpy(signed_out + sizeof(domain) + sizeof(statement), &digests,
		   sizeof(digests));
}

void psu_attest_sign(const uint8_t sealed[PSU_SEALED_LEN], size_t chunks,
					 const uint8_t *secret, uint8_t *bytes)
{
	uint8_t message[SIGNED_LEN];

	make_signed(sealed, chunks, bytes, message);
	crypto_sign_detached(bytes + chunks * sizeof(struct psu_digest), NULL,
						 message, sizeof(message), secret);
}

int psu_attest_verify(const uint8_t sealed[PSU_SEALED_LEN],
					  const uint8_t *sign_public, size_t chunks,
					  const uint8_t *digests, const uint8_t *bytes)
{
	size_t list_len = chunks * sizeof(struct psu_digest);
	uint8_t message[SIGNED_LEN];

	make_signed(sealed, chunks, bytes, message);
	if (crypto_sign_verify_detached(bytes + list_len, message, sizeof(message),
									sign_public) != 0)
		return psu_error_set(PSU_THREAD_E_SIGNATURE_INVALID,
							 "cannot take a thread in: the digests of its heap "
							 "are not signed with the key that the peers file "
							 "lists for the sender: bring that entry up to "
							 "date if the sender has a new sign.key");
	if (memcmp(bytes, digests, list_len) != 0)
		return psu_error_set(PSU_THREAD_E_DIGEST_MISMATCH,
							 "cannot take a thread in: its heap is not the one "
							 "that the sender has signed: let it try again, "
							 "and look into it if that does not help");
	return 0;
}
