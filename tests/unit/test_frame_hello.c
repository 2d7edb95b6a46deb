/* SPDX-License-Identifier: ISC */
/*
 * test_frame_hello.c - is every byte of a hello what it is said to be?
 *
 * The golden bytes are of another encoder (tests/fuzz/make_corpus.py).
 */
#include "run_suite.h"

#include "net/frame.h"

#include <string.h>

static const char golden_hello[] =
	"7073755f7468726561642068656c6c6f00000000100000003000000000000000"
	"0000080000000000010000000005000000010000000333333333333333333333"
	"3333333333336666666666666666666666666666666666666666666666666666"
	"6666666666669999999999999999999999999999999999999999999999999999"
	"999999999999aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaa0000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000";

/** Where the fields lie behind a hello's magic. */
#define VERSION_AT 16
#define HELLO_ATTEST_AT 166

static struct psu_hello hello;

static void setup(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	hello = (struct psu_hello){.version = PSU_WIRE_VERSION,
							   .page_len = 4096,
							   .window_addr = 0x300000000000,
							   .slot_len = 1 << 27,
							   .zone_count = 256,
							   .zone = 5,
							   .isa_needed = 1,
							   .isa_present = 3};
	memset(&hello.incarnation, 0x33, 16);
	memset(&hello.program, 0x66, 32);
	memset(&hello.guards, 0x99, 32);
	memset(&hello.locale, 0xaa, 32);
}

START_TEST(hello_golden)
{
	uint8_t payload[PSU_HELLO_LEN], again[PSU_HELLO_LEN];
	char hex[2 * sizeof(payload) + 1];
	struct psu_hello got;

	psu_frame_put_hello(&hello, payload);
	psu_bytes_hex(payload, sizeof(payload), hex);
	ck_assert_str_eq(hex, golden_hello);
	ck_assert_int_eq(psu_frame_get_hello("b", payload, &got), 0);
	psu_frame_put_hello(&got, again);
	ck_assert_mem_eq(again, payload, sizeof(payload));
}
END_TEST

START_TEST(hello_every_byte)
{
	uint8_t payload[PSU_HELLO_LEN];
	struct psu_hello got;

	psu_frame_put_hello(&hello, payload);
	for (size_t at = 0; at < PSU_HELLO_LEN; at++) {
		int code = at < VERSION_AT		  ? PSU_THREAD_E_PROTOCOL
				   : at < VERSION_AT + 2  ? PSU_THREAD_E_VERSION_MISMATCH
				   : at < HELLO_ATTEST_AT ? 0
										  : PSU_THREAD_E_PROTOCOL;

		payload[at] ^= 0x80;
		ck_assert_int_eq(psu_frame_get_hello("b", payload, &got), code);
		payload[at] ^= 0x80;
	}
}
END_TEST

START_TEST(hello_attest)
{
	uint8_t payload[PSU_HELLO_LEN];
	struct psu_hello got;

	psu_frame_put_hello(&hello, payload);
	ck_assert_uint_eq(payload[HELLO_ATTEST_AT], 0);
	payload[HELLO_ATTEST_AT] = 1;
	ck_assert_int_eq(psu_frame_get_hello("b", payload, &got), 0);
	ck_assert(got.attest);
	payload[HELLO_ATTEST_AT] = 2;
	ck_assert_int_eq(psu_frame_get_hello("b", payload, &got),
					 PSU_THREAD_E_PROTOCOL);
}
END_TEST

START_TEST(hello_version_comes_first)
{
	uint8_t payload[PSU_HELLO_LEN];
	struct psu_hello got;

	psu_frame_put_hello(&hello, payload);
	memset(payload + VERSION_AT, 0xff, PSU_HELLO_LEN - VERSION_AT);
	ck_assert_int_eq(psu_frame_get_hello("b", payload, &got),
					 PSU_THREAD_E_VERSION_MISMATCH);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "65535"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame_hello");
	TCase *tests = tcase_create("hello");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, hello_golden);
	tcase_add_test(tests, hello_every_byte);
	tcase_add_test(tests, hello_attest);
	tcase_add_test(tests, hello_version_comes_first);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
