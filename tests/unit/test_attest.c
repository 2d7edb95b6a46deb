/* SPDX-License-Identifier: ISC */
/*
 * test_attest.c - is a list of digests believed only with its signature, about
 * its statement, and if it is the list of what has come?
 */
#include "run_suite.h"

#include "bytes/sha256.h"
#include "seal/attest.h"

#include <sodium.h>
#include <string.h>

#define CHUNKS 3u

static uint8_t public[32], secret[64], sealed[PSU_SEALED_LEN];
static struct psu_digest digests[CHUNKS];
static uint8_t bytes[sizeof(digests) + PSU_SIGNATURE_LEN];

static void setup(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	ck_assert_int_ge(sodium_init(), 0);
	crypto_sign_keypair(public, secret);
	memset(sealed, 7, sizeof(sealed));
	for (unsigned i = 0; i < CHUNKS; i++)
		memset(&digests[i], (int)i + 1, sizeof(digests[i]));
	memcpy(bytes, digests, sizeof(digests));
	psu_attest_sign(sealed, CHUNKS, secret, bytes);
}

static int verify(void)
{
	return psu_attest_verify(sealed, public, CHUNKS, digests[0].bytes, bytes);
}

START_TEST(lengths)
{
	ck_assert_uint_eq(psu_attest_chunks(0), 0);
	ck_assert_uint_eq(psu_attest_chunks(1), 1);
	ck_assert_uint_eq(psu_attest_chunks(1 << 20), 1);
	ck_assert_uint_eq(psu_attest_chunks((1 << 20) + 1), 2);
	ck_assert_uint_eq(psu_attest_chunks(UINT64_C(32) << 30), 32768);
	ck_assert_uint_eq(psu_attest_len(0), 64);
	ck_assert_uint_eq(psu_attest_len(3 << 20), 3 * 32 + 64);
}
END_TEST

START_TEST(every_bit)
{
	ck_assert_int_eq(verify(), 0);
	for (size_t at = 0; at < sizeof(bytes); at++) {
		bytes[at] ^= 1;
		ck_assert_int_eq(verify(), PSU_THREAD_E_SIGNATURE_INVALID);
		bytes[at] ^= 1;
	}
	for (size_t at = 0; at < sizeof(sealed); at++) {
		sealed[at] ^= 1;
		ck_assert_int_eq(verify(), PSU_THREAD_E_SIGNATURE_INVALID);
		sealed[at] ^= 1;
	}
	ck_assert_int_eq(verify(), 0);
}
END_TEST

/** The pages are others than the sender has signed. */
START_TEST(other_pages)
{
	for (unsigned i = 0; i < CHUNKS; i++) {
		digests[i].bytes[31] ^= 1;
		ck_assert_int_eq(verify(), PSU_THREAD_E_DIGEST_MISMATCH);
		digests[i].bytes[31] ^= 1;
	}
}
END_TEST

/** Nobody else can make it, and it is no statement. */
START_TEST(other_signatures)
{
	uint8_t other_public[32], other_secret[64];
	uint8_t *signature = bytes + sizeof(digests);
	struct psu_digest list, statement;
	uint8_t message[32 + sizeof(statement) + sizeof(list)] = {0};

	crypto_sign_keypair(other_public, other_secret);
	psu_attest_sign(sealed, CHUNKS, other_secret, bytes);
	ck_assert_int_eq(verify(), PSU_THREAD_E_SIGNATURE_INVALID);
	psu_sha256(sealed, sizeof(sealed), &statement);
	psu_sha256(digests, sizeof(digests), &list);
	memcpy(message + 32, &statement, sizeof(statement));
	memcpy(message + 32 + sizeof(statement), &list, sizeof(list));
	crypto_sign_detached(signature, NULL, message, sizeof(message), secret);
	ck_assert_int_eq(verify(), PSU_THREAD_E_SIGNATURE_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attest");
	TCase *tests = tcase_create("attest");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, lengths);
	tcase_add_test(tests, every_bit);
	tcase_add_test(tests, other_pages);
	tcase_add_test(tests, other_signatures);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
