/* SPDX-License-Identifier: ISC */
/*
 * test_seal.c - is a statement believed only if every bit of it is right?
 *
 * The golden bytes are of another encoder (tests/fuzz/make_corpus.py), their
 * signature of the openssl command.
 */
#include "test_seal_sample.h"

#include <sodium.h>
#include <string.h>

static const char golden_sealed[] =
	"7073755f7468726561642073746174656d656e74000000000000000000000000"
	"0000010200111111111111111111111111111111112222222222222222222222"
	"222222222200000000000000010000018bcfe5687b0000000000000000000000"
	"0000000000000000000000000000000000000000003333333333333333333333"
	"3333333333444444444444444444444444444444444444444444444444444444"
	"4444444444555555555555555555555555555555555555555555555555555555"
	"5555555555666666666666666666666666666666666666666666666666666666"
	"66666666660000300000000000000000000800000000800000000000ea000000"
	"6000000000000000000000000000000007000377777777777777777777777777"
	"7777777777777777777777777777777777777788888888888888888888888888"
	"8888888888888888888888888888888888888802000000000000000000000000"
	"d886909486f356fa974a4c94b1de57f94d45d1081ef6d1e3d4083e0a4eb9319e"
	"cbed909dc492f7a8e348096d0f629a743e136c95ba1886963873f93ed1c02606";

/* FORMAT.md, "Statement" */
#define VERSION_AT 32
#define KIND_AT 34
#define FLIGHTS_AT 35
#define ATTESTED_AT 339
#define RESERVED_AT 340

static int verify_statement(void)
{
	psu_seal_sign(&statement, secret, sealed);
	return sample_verify(sealed, sizeof(sealed));
}

/** Verify sealed bytes with one of them changed and signed anew. */
static int verify_signed_with(size_t at, uint8_t value)
{
	uint8_t bytes[PSU_SEALED_LEN];

	memcpy(bytes, sealed, sizeof(bytes));
	bytes[at] = value;
	crypto_sign_detached(bytes + PSU_STATEMENT_LEN, NULL, bytes,
						 PSU_STATEMENT_LEN, secret);
	return sample_verify(bytes, sizeof(bytes));
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
			sample_verify(bytes, len),
			len == PSU_SEALED_LEN ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
		free(bytes);
	}
}
END_TEST

START_TEST(every_flipped_bit)
{
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(sample_verify(sealed, sizeof(sealed)),
						 PSU_THREAD_E_SIGNATURE_INVALID);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert_int_eq(sample_verify(sealed, sizeof(sealed)), 0);
}
END_TEST

START_TEST(signature_comes_first)
{
	public[0] ^= 1;
	ck_assert_int_eq(sample_verify(sealed, sizeof(sealed)),
					 PSU_THREAD_E_SIGNATURE_INVALID);
	public[0] ^= 1;

	/* all else is wrong too, and not even looked at */
	memset(&expected.source, 0, sizeof(expected.source));
	memset(sealed, 0xff, PSU_STATEMENT_LEN);
	ck_assert_int_eq(sample_verify(sealed, sizeof(sealed)),
					 PSU_THREAD_E_SIGNATURE_INVALID);
}
END_TEST

START_TEST(signed_but_malformed)
{
	for (size_t at = 0; at < VERSION_AT; at++)
		ck_assert_int_eq(verify_signed_with(at, sealed[at] ^ 1),
						 PSU_THREAD_E_STATEMENT_INVALID);
	for (size_t at = VERSION_AT; at < KIND_AT; at++)
		ck_assert_int_eq(verify_signed_with(at, 1),
						 PSU_THREAD_E_VERSION_MISMATCH);
	for (size_t at = RESERVED_AT; at < PSU_STATEMENT_LEN; at++)
		ck_assert_int_eq(verify_signed_with(at, 0x80),
						 PSU_THREAD_E_STATEMENT_INVALID);
	for (unsigned value = 0; value < 256; value++) {
		ck_assert_int_eq(
			verify_signed_with(FLIGHTS_AT, (uint8_t)value),
			value == 1 || value == 2 ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
		ck_assert_int_eq(
			verify_signed_with(ATTESTED_AT, (uint8_t)value),
			value == 1 || value == 2 ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
		ck_assert_int_eq(
			verify_signed_with(KIND_AT, (uint8_t)value),
			value == PSU_KIND_MOVE ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
	}
}
END_TEST

/** The end of a thread has no stack and no heap, and comes in one flight. */
START_TEST(ends)
{
	statement.kind = PSU_KIND_END;
	for (unsigned i = 0; i < 8; i++) {
		statement.one_flight = !(i & 1);
		statement.stack_len = i >> 1 & 1;
		statement.heap_len = i >> 2 & 1 ? 4096 : 0;
		ck_assert_int_eq(verify_statement(),
						 i == 0 ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
	}
}
END_TEST

START_TEST(limits)
{
	static const struct {
		size_t field;
		size_t len;
		uint64_t value;
		bool valid;
	} cases[] = {
#define CASE(field, value, valid)                                              \
	{offsetof(struct psu_statement, field),                                    \
	 sizeof(((struct psu_statement *)0)->field), value, valid}
		CASE(head_len, 0, false),
		CASE(head_len, 1, true),
		CASE(head_len, PSU_HEAD_LEN_MAX, true),
		CASE(head_len, PSU_HEAD_LEN_MAX + 1, false),
		CASE(head_len, UINT32_MAX, false),
		CASE(stack_len, 0, false),
		CASE(stack_len, 1, true),
		CASE(stack_len, 8u << 20, true),
		CASE(stack_len, (8u << 20) + 1, false),
		CASE(stack_len, UINT32_MAX, false),
		CASE(slot_len, 0, false),
		CASE(slot_len, (128u << 20) + 4096, false),
		CASE(slot_len, UINT64_C(256) << 20, true),
		CASE(slot_len, UINT64_C(32) << 30, true),
		CASE(slot_len, (UINT64_C(32) << 30) + (128u << 20), false),
		CASE(stack_room, 0, false),
		CASE(stack_room, (64u << 10) - 4096, false),
		CASE(stack_room, 64u << 10, true),
		CASE(stack_room, (8u << 20) + 2048, false),
		CASE(stack_room, PSU_STACK_LEN_MAX, true),
		CASE(stack_room, PSU_STACK_LEN_MAX + 4096, false),
		CASE(links, PSU_LINKS_MAX, true),
		CASE(links, PSU_LINKS_MAX + 1, false),
		CASE(links, UINT8_MAX, false),
		CASE(generation, 0, false),
		CASE(generation, UINT64_MAX - 1, true),
		CASE(generation, UINT64_MAX, false),
		CASE(heap_len, 1, false),
		CASE(heap_len, 4096, true),
		CASE(heap_len, 128u << 20, true),
		CASE(heap_len, (128u << 20) + 4096, false),
#undef CASE
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_setup();
		memcpy((char *)&statement + cases[i].field, &cases[i].value,
			   cases[i].len);
		ck_assert_int_eq(verify_statement(),
						 cases[i].valid ? 0 : PSU_THREAD_E_STATEMENT_INVALID);
	}

	sample_setup();
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

int main(void)
{
	Suite *suite = suite_create("seal");
	TCase *tests = tcase_create("seal");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, sample_setup, NULL);
	tcase_add_test(tests, golden_bytes);
	tcase_add_loop_test(tests, round_trip, 0, 2);
	tcase_add_test(tests, every_other_length);
	tcase_add_test(tests, every_flipped_bit);
	tcase_add_test(tests, signature_comes_first);
	tcase_add_test(tests, signed_but_malformed);
	tcase_add_test(tests, ends);
	tcase_add_test(tests, limits);
	tcase_add_loop_test(tests, every_expectation, 0, 2);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
