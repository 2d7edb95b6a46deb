/* SPDX-License-Identifier: ISC */
/*
 * test_seal_body.c - is a body tied to its statement, and does another
 * verifier say the same of the signature?
 */
#include "test_seal_sample.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

START_TEST(digest_is_sha256_of_head_then_stack)
{
	struct psu_digest digest;
	char hex[65];

	/* FIPS 180-4's example "abc" */
	psu_seal_digest((const uint8_t *)"a", 1, (const uint8_t *)"bc", 2, &digest);
	psu_bytes_hex(digest.bytes, 32, hex);
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223"
						  "b00361a396177a9cb410ff61f20015ad");
	psu_seal_digest(NULL, 0, NULL, 0, &digest);
	psu_bytes_hex(digest.bytes, 32, hex);
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb924"
						  "27ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(body_is_the_signed_one)
{
	struct psu_untrusted untrusted = {sealed, sizeof(sealed)};
	struct psu_verified *verified = NULL;
	struct psu_verified_body *body = NULL;
	uint8_t head[234], stack[96];

	memset(head, 1, sizeof(head));
	memset(stack, 2, sizeof(stack));
	psu_seal_digest(head, sizeof(head), stack, sizeof(stack), &statement.body);
	psu_seal_sign(&statement, secret, sealed);
	ck_assert_int_eq(psu_seal_verify(&untrusted, &expected, &verified), 0);

	for (size_t i = 0; i < sizeof(head) + sizeof(stack); i++) {
		uint8_t *byte = i < sizeof(head) ? &head[i] : &stack[i - sizeof(head)];

		*byte ^= 0x10;
		ck_assert_int_eq(psu_seal_verify_body(verified, head, stack, &body),
						 PSU_THREAD_E_DIGEST_MISMATCH);
		ck_assert_ptr_null(body);
		*byte ^= 0x10;
	}

	/* the result stands alone */
	ck_assert_int_eq(psu_seal_verify_body(verified, head, stack, &body), 0);
	psu_verified_free(verified);
	ck_assert_ptr_eq(psu_verified_body_head(body), head);
	ck_assert_ptr_eq(psu_verified_body_stack(body), stack);
	ck_assert_uint_eq(psu_verified_body_statement(body)->head_len, 234);
	psu_verified_body_free(body);
}
END_TEST

/* ---- the second verifier */

static void write_file(const char *name, const void *bytes, size_t len)
{
	FILE *file = fopen(name, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static int openssl_verify(void)
{
	return system("openssl pkeyutl -verify -rawin -pubin -inkey key.der "
				  "-keyform DER -in signed -sigfile sig >said 2>&1");
}

START_TEST(openssl_agrees)
{
	/* RFC 8410: SubjectPublicKeyInfo of an Ed25519 key */
	uint8_t spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
						0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	char directory[] = "/tmp/psu_seal_XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	memcpy(spki + 12, public, 32);
	write_file("key.der", spki, sizeof(spki));
	write_file("signed", sealed, PSU_STATEMENT_LEN);
	write_file("sig", sealed + PSU_STATEMENT_LEN, PSU_SIGNATURE_LEN);
	ck_assert_int_eq(openssl_verify(), 0);

	/* it would say so if it did not */
	sealed[200] ^= 1;
	write_file("signed", sealed, PSU_STATEMENT_LEN);
	ck_assert_int_ne(openssl_verify(), 0);

	ck_assert_int_eq(unlink("key.der") | unlink("signed") | unlink("sig") |
						 unlink("said") | chdir("/") | rmdir(directory),
					 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("seal_body");
	TCase *tests = tcase_create("seal_body");

	tcase_add_checked_fixture(tests, sample_setup, NULL);
	tcase_add_test(tests, digest_is_sha256_of_head_then_stack);
	tcase_add_test(tests, body_is_the_signed_one);
	tcase_add_test(tests, openssl_agrees);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
