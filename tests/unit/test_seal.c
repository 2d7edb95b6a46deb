/* SPDX-License-Identifier: ISC */
/*
 * test_seal.c - is a statement believed only if every bit of it is right?
 *
 * The golden bytes are of another encoder (tests/fuzz/make_corpus.py), their
 * signature of the openssl command.
 */
#include "seal/seal.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char golden_sealed[] =
	"7073755f7468726561642073746174656d656e74000000000000000000000000"
	"0000021111111111111111111111111111111122222222222222222222222222"
	"2222220000000000000001333333333333333333333333333333334444444444"
	"4444444444444444444444444444444444444444444444444444445555555555"
	"5555555555555555555555555555555555555555555555555555556666666666"
	"6666666666666666666666666666666666666666666666666666660000300000"
	"00000000000000000000ea000000000000006000000000000000000000000000"
	"0000070003777777777777777777777777777777777777777777777777777777"
	"7777777777888888888888888888888888888888888888888888888888888888"
	"8888888888000000000000000000000000000000000000000000000000000000"
	"f3cc51fd79871cb6d5d9491de9f2694d4965446fb03409d93d915e30a593a631"
	"95cd9ab181ffa79dfe729a0495be98af6d08823e1339653ffc9556f2c090e00d";

/* FORMAT.md, "Statement" */
#define VERSION_AT 32
#define FLIGHTS_AT 34
#define RESERVED_AT 293

static uint8_t public[crypto_sign_PUBLICKEYBYTES];
static uint8_t secret[crypto_sign_SECRETKEYBYTES];
static struct psu_statement statement;
static struct psu_expectation expected;
static uint8_t sealed[PSU_SEALED_LEN];

/** The golden statement, sealed, and what a receiver expects of it. */
static void setup(void)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	ck_assert_int_ge(sodium_init(), 0);
	crypto_sign_seed_keypair(public, secret, seed);
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);

	statement = (struct psu_statement){.generation = 1,
									   .slot_addr = 0x300000000000,
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

/** Verify, and check that a refusal gives nothing and says something. */
static int verify(const uint8_t *bytes, size_t len)
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

static int verify_statement(void)
{
	psu_seal_sign(&statement, secret, sealed);
	return verify(sealed, sizeof(sealed));
}

/** Verify sealed bytes with one of them changed and signed anew. */
static int verify_signed_with(size_t at, uint8_t value)
{
	uint8_t bytes[PSU_SEALED_LEN];

	memcpy(bytes, sealed, sizeof(bytes));
	bytes[at] = value;
	crypto_sign_detached(bytes + PSU_STATEMENT_LEN, NULL, bytes,
						 PSU_STATEMENT_LEN, secret);
	return verify(bytes, sizeof(bytes));
}

START_TEST(golden_bytes)
{
	char hex[2 * PSU_SEALED_LEN + 1];

	psu_bytes_hex(sealed, sizeof(sealed), hex);
	ck_assert_str_eq(hex, golden_sealed);
}
END_TEST

START_TEST(round_trip)
{
	struct psu_untrusted untrusted = {sealed, sizeof(sealed)};
	struct psu_verified *verified = NULL;
	uint8_t again[PSU_SEALED_LEN];

	statement.one_flight = _i;
	psu_seal_sign(&statement, secret, sealed);
	ck_assert_int_eq(psu_seal_verify(&untrusted, &expected, &verified), 0);
	ck_assert_int_eq(psu_verified_statement(verified)->one_flight, _i);
	psu_seal_sign(psu_verified_statement(verified), secret, again);
	ck_assert_mem_eq(again, sealed, sizeof(sealed));
	psu_verified_free(verified);
}
END_TEST

START_TEST(every_other_length)
{
	for (size_t len = 0; len <= PSU_SEALED_LEN + 1; len++) {
		uint8_t *bytes = calloc(1, len + 1);

		memcpy(bytes, sealed, len < sizeof(sealed) ? len : sizeof(sealed));
		bytes = realloc(bytes, len ? len : 1);
		ck_assert_int_eq(
			verify(bytes, len),
			len == PSU_SEALED_LEN ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
		free(bytes);
	}
}
END_TEST

START_TEST(every_flipped_bit)
{
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(verify(sealed, sizeof(sealed)),
						 PSU_THREAD_E_SIGNATURE_INVALID);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert_int_eq(verify(sealed, sizeof(sealed)), 0);
}
END_TEST

START_TEST(signature_comes_first)
{
	public[0] ^= 1;
	ck_assert_int_eq(verify(sealed, sizeof(sealed)),
					 PSU_THREAD_E_SIGNATURE_INVALID);
	public[0] ^= 1;

	/* all else is wrong too, and not even looked at */
	memset(&expected.source, 0, sizeof(expected.source));
	memset(sealed, 0xff, PSU_STATEMENT_LEN);
	ck_assert_int_eq(verify(sealed, sizeof(sealed)),
					 PSU_THREAD_E_SIGNATURE_INVALID);
}
END_TEST

START_TEST(signed_but_malformed)
{
	for (size_t at = 0; at < VERSION_AT; at++)
		ck_assert_int_eq(verify_signed_with(at, sealed[at] ^ 1),
						 PSU_THREAD_E_STATEMENT_INVALID);
	for (size_t at = VERSION_AT; at < FLIGHTS_AT; at++)
		ck_assert_int_eq(verify_signed_with(at, 1),
						 PSU_THREAD_E_VERSION_MISMATCH);
	for (size_t at = RESERVED_AT; at < PSU_STATEMENT_LEN; at++)
		ck_assert_int_eq(verify_signed_with(at, 0x80),
						 PSU_THREAD_E_STATEMENT_INVALID);
	for (unsigned flights = 0; flights < 256; flights++)
		ck_assert_int_eq(
			verify_signed_with(FLIGHTS_AT, (uint8_t)flights),
			flights == 1 || flights == 2 ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
}
END_TEST

START_TEST(limits)
{
	static const struct {
		size_t field;
		uint64_t value;
		bool valid;
	} cases[] = {
#define CASE(field, value, valid)                                              \
	{offsetof(struct psu_statement, field), value, valid}
		CASE(head_len, 0, false),
		CASE(head_len, 1, true),
		CASE(head_len, PSU_HEAD_LEN_MAX, true),
		CASE(head_len, PSU_HEAD_LEN_MAX + 1, false),
		CASE(head_len, UINT64_MAX, false),
		CASE(stack_len, 0, false),
		CASE(stack_len, 1, true),
		CASE(stack_len, PSU_STACK_LEN_MAX, true),
		CASE(stack_len, PSU_STACK_LEN_MAX + 1, false),
		CASE(stack_len, UINT64_MAX, false),
		CASE(generation, 0, false),
		CASE(heap_len, 1, false),
#undef CASE
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup();
		memcpy((char *)&statement + cases[i].field, &cases[i].value,
			   sizeof(cases[i].value));
		ck_assert_int_eq(verify_statement(),
						 cases[i].valid ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
	}

	setup();
	memset(&statement.migration, 0, 16);
	ck_assert_int_eq(verify_statement(), PSU_THREAD_E_STATEMENT_INVALID);
	memset(&statement.migration, 1, 16);
	memset(&statement.thread, 0, 16);
	ck_assert_int_eq(verify_statement(), PSU_THREAD_E_STATEMENT_INVALID);
}
END_TEST

START_TEST(every_expectation)
{
	static const struct {
		size_t field;
		size_t len;
		int code;
		const char *words;
	} cases[] = {
#define CASE(field, code, words)                                               \
	{offsetof(struct psu_expectation, field),                                  \
	 sizeof(((struct psu_expectation *)0)->field), PSU_THREAD_E_##code, words}
		CASE(source, WRONG_ADDRESSEE, "another source"),
		CASE(destination, WRONG_ADDRESSEE, "another destination"),
		CASE(incarnation, WRONG_ADDRESSEE, "another process"),
		CASE(exporter, WRONG_ADDRESSEE, "another connection"),
		CASE(program, BINARY_MISMATCH, "another program"),
		CASE(sequence, REPLAYED, "sequence number 7, the next"),
#undef CASE
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *field = (uint8_t *)&expected + cases[i].field;

		statement.one_flight = _i;
		for (size_t bit = 0; bit < 8 * cases[i].len; bit++) {
			field[bit / 8] ^= (uint8_t)(1u << bit % 8);
			ck_assert_int_eq(verify_statement(), cases[i].code);
			ck_assert_ptr_nonnull(strstr(psu_error_sentence(), cases[i].words));
			field[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	ck_assert_int_eq(verify_statement(), 0);

	/* a host that is its own destination */
	statement.destination = expected.destination = statement.source;
	ck_assert_int_eq(verify_statement(), PSU_THREAD_E_WRONG_ADDRESSEE);
	ck_assert_ptr_nonnull(
		strstr(psu_error_sentence(), "as source and as destination"));
}
END_TEST

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
	Suite *suite = suite_create("seal");
	TCase *tests = tcase_create("seal");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, golden_bytes);
	tcase_add_loop_test(tests, round_trip, 0, 2);
	tcase_add_test(tests, every_other_length);
	tcase_add_test(tests, every_flipped_bit);
	tcase_add_test(tests, signature_comes_first);
	tcase_add_test(tests, signed_but_malformed);
	tcase_add_test(tests, limits);
	tcase_add_loop_test(tests, every_expectation, 0, 2);
	tcase_add_test(tests, digest_is_sha256_of_head_then_stack);
	tcase_add_test(tests, body_is_the_signed_one);
	tcase_add_test(tests, openssl_agrees);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
