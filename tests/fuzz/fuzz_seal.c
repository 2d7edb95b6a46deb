/* SPDX-License-Identifier: ISC */
/*
 * fuzz_seal.c - sealed statements
 *
 * Input: a sealed statement; or only its 352 signed bytes, which are signed
 * here, with a key made here, to get behind the signature.  What is accepted
 * must be sealed again to the very same bytes.
 */
#include "fuzz.h"
#include "seal/seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
static uint8_t secret_key[crypto_sign_SECRETKEYBYTES];

/** What make_corpus.py's statements say. */
static struct psu_expectation expected = {.sign_public = public_key,
										  .sequence = 7};

static void prepare(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES];
	static bool prepared;

	if (prepared)
		return;
	if (sodium_init() < 0)
		abort();
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	memset(&expected.source, 0x44, sizeof(expected.source));
	memset(&expected.destination, 0x55, sizeof(expected.destination));
	memset(&expected.incarnation, 0x33, sizeof(expected.incarnation));
	memset(&expected.program, 0x66, sizeof(expected.program));
	memset(&expected.exporter, 0x88, sizeof(expected.exporter));
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	prepared = true;
}

static void try_sealed(const uint8_t *bytes, size_t len)
{
	struct psu_untrusted untrusted = {bytes, len};
	struct psu_verified *verified;
	uint8_t again[PSU_SEALED_LEN];

	if (psu_seal_verify(&untrusted, &expected, &verified) != 0)
		return;
	psu_seal_sign(psu_verified_statement(verified), secret_key, again);
	if (len != sizeof(again) || memcmp(again, bytes, len) != 0)
		abort();
	psu_verified_free(verified);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t sealed[PSU_SEALED_LEN];

	prepare();
	try_sealed(bytes, len);
	if (len == PSU_STATEMENT_LEN) {
		memcpy(sealed, bytes, len);
		crypto_sign_detached(sealed + len, NULL, bytes, len, secret_key);
		try_sealed(sealed, sizeof(sealed));
	}
	return 0;
}
