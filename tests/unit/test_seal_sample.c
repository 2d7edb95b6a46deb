/* SPDX-License-Identifier: ISC */
/*
 * test_seal_sample.c - the statement of tests/fuzz/make_corpus.py
 */
#include "test_seal_sample.h"

#include <sodium.h>
#include <string.h>

uint8_t public[PSU_SIGN_PUBLIC_LEN];
uint8_t secret[PSU_SIGN_SECRET_LEN];
struct psu_statement statement;
struct psu_expectation expected;
uint8_t sealed[PSU_SEALED_LEN];

void sample_setup(void)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	ck_assert_int_ge(sodium_init(), 0);
	crypto_sign_seed_keypair(public, secret, seed);
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);

	statement = (struct psu_statement){.kind = PSU_KIND_MOVE,
									   .generation = 1,
									   .time_ms = 1700000000123,
									   .slot_addr = 0x300000000000,
									   .slot_len = 128u << 20,
									   .stack_room = 8u << 20,
									   .head_len = 234,
									   .stack_len = 96,
									   .sequence = 7,
									   .stream = 3};
	memset(&statement.migration, 0x11, 16);
	memset(&statement.thread, 0x22, 16);
	memset(&statement.incarnation, 0x33, 16);
	memset(&statement.source, 0x44, 32);
	memset(&statement.destination, 0x55, 32);
	memset(&statement.program, 0x66, 32);
	memset(&statement.body, 0x77, 32);
	memset(&statement.exporter, 0x88, 32);
	expected = (struct psu_expectation){.sign_public = public,
										.source = statement.source,
										.destination = statement.destination,
										.incarnation = statement.incarnation,
										.program = statement.program,
										.exporter = statement.exporter,
										.sequence = statement.sequence};
	psu_seal_sign(&statement, secret, sealed);
}

int sample_verify(const uint8_t *bytes, size_t len)
{
	struct psu_untrusted untrusted = {bytes, len};
	struct psu_verified *verified = NULL;
	int code = psu_seal_verify(&untrusted, &expected, &verified);

	ck_assert_int_eq(code == 0, verified != NULL);
	if (code != 0)
		ck_assert_ptr_nonnull(strstr(psu_error_sentence(), ": "));
	psu_verified_free(verified);
	return code;
}
