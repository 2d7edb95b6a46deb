/* SPDX-License-Identifier: ISC */
/*
 * test_frame.c - does the table of messages hold, byte by byte?
 *
 * The golden bytes are of another encoder (tests/fuzz/make_corpus.py).
 */
#include "net/frame.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* FORMAT.md, "Frames": the table again, by hand */
static const struct {
	uint8_t type;
	const char *name;
	enum psu_frame_sender sender;
	uint32_t len_min, len_max;
	bool stream, token, code, ttl;
} table[] = {
	{1, "HELLO", PSU_FRAME_BY_EITHER, 256, 256, 0, 0, 0, 0},
	{2, "REFUSED", PSU_FRAME_BY_EITHER, 4, 4, 0, 0, 0, 0},
	{3, "MANIFEST", PSU_FRAME_BY_EITHER, 164, 10244, 0, 0, 0, 0},
	{4, "CALL", PSU_FRAME_BY_SERVER, 0, 0, 0, 0, 0, 0},
	{5, "TURN", PSU_FRAME_BY_CLIENT, 0, 0, 0, 0, 0, 0},
	{16, "OFFER", PSU_FRAME_BY_SOURCE, 416, 416, 1, 0, 0, 0},
	{17, "BODY", PSU_FRAME_BY_SOURCE, 1, 1048576, 1, 0, 0, 0},
	{22, "LOCATION", PSU_FRAME_BY_SOURCE, 785, 7025, 0, 0, 0, 0},
	{37, "NOTED", PSU_FRAME_BY_DESTINATION, 24, 24, 0, 0, 0, 0},
	{23, "COMPARE", PSU_FRAME_BY_SOURCE, 52, 52, 0, 0, 0, 0},
	{38, "TAGS", PSU_FRAME_BY_DESTINATION, 8, 65544, 0, 0, 0, 0},
	{18, "COMMIT", PSU_FRAME_BY_SOURCE, 48, 48, 0, 1, 0, 0},
	{19, "STATUS", PSU_FRAME_BY_SOURCE, 48, 48, 0, 0, 0, 0},
	{20, "CANCEL", PSU_FRAME_BY_SOURCE, 48, 48, 0, 0, 0, 0},
	{21, "FORGET", PSU_FRAME_BY_SOURCE, 48, 48, 0, 0, 0, 0},
	{32, "PREPARED", PSU_FRAME_BY_DESTINATION, 48, 48, 0, 1, 0, 1},
	{33, "RUNNING", PSU_FRAME_BY_DESTINATION, 48, 48, 0, 0, 0, 0},
	{34, "ABORTED", PSU_FRAME_BY_DESTINATION, 48, 48, 0, 0, 1, 0},
	{35, "UNKNOWN", PSU_FRAME_BY_DESTINATION, 48, 48, 0, 0, 0, 0},
	{36, "DEAD", PSU_FRAME_BY_DESTINATION, 48, 48, 0, 0, 0, 0},
};

#define TYPE_COUNT (sizeof(table) / sizeof(table[0]))
#define FIRST_CONTROL 11

static const char golden_prepared[] =
	"1111111111111111111111111111111133333333333333333333333333333333"
	"01020304050607080000000000002710";

static const char golden_aborted[] =
	"1111111111111111111111111111111133333333333333333333333333333333"
	"0000000000000000ffffffb000000000";

static struct psu_control control;

static void setup(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	control = (struct psu_control){.token = 0x0102030405060708,
								   .code = PSU_THREAD_E_ADDRESS_IN_USE,
								   .ttl_ms = 10000};
	memset(&control.migration, 0x11, 16);
	memset(&control.incarnation, 0x33, 16);
}

static int get_header(uint32_t len, unsigned type, uint16_t stream)
{
	struct psu_frame_header header = {len, (uint8_t)type, stream}, got;
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	int code;

	psu_frame_put_header(&header, bytes);
	code = psu_frame_get_header(bytes, &got);
	if (code == 0) {
		ck_assert_uint_eq(got.payload_len, len);
		ck_assert_uint_eq(got.type, type);
		ck_assert_uint_eq(got.stream, stream);
	}
	return code;
}

START_TEST(header_golden)
{
	struct psu_frame_header header = {0x00010203, PSU_FRAME_BODY, 0x0405};
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	char hex[2 * sizeof(bytes) + 1];

	psu_frame_put_header(&header, bytes);
	psu_bytes_hex(bytes, sizeof(bytes), hex);
	ck_assert_str_eq(hex, "0001020311000405");
	for (unsigned value = 0; value < 256; value++) {
		bytes[5] = (uint8_t)value;
		ck_assert_int_eq(psu_frame_get_header(bytes, &header),
						 value ? PSU_THREAD_E_PROTOCOL : 0);
	}
}
END_TEST

START_TEST(header_by_the_table)
{
	static const uint16_t streams[] = {1, 0x100, UINT16_MAX};
	uint32_t min = table[_i].len_min, max = table[_i].len_max;
	uint8_t type = table[_i].type;

	ck_assert_str_eq(psu_frame_name(type), table[_i].name);
	ck_assert_int_eq(psu_frame_sender(type), table[_i].sender);
	ck_assert_int_eq(get_header(min, type, 0), 0);
	ck_assert_int_eq(get_header(max, type, 0), 0);
	ck_assert_int_eq(get_header(min - 1, type, 0), PSU_THREAD_E_PROTOCOL);
	ck_assert_int_eq(get_header(max + 1, type, 0), PSU_THREAD_E_PROTOCOL);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), table[_i].name));
	ck_assert_int_eq(get_header(UINT32_MAX, type, 0), PSU_THREAD_E_PROTOCOL);
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		ck_assert_int_eq(get_header(min, type, streams[i]),
						 table[_i].stream ? 0 : PSU_THREAD_E_PROTOCOL);
}
END_TEST

START_TEST(no_other_type)
{
	bool known[256] = {false};

	for (size_t i = 0; i < TYPE_COUNT; i++)
		known[table[i].type] = true;
	for (unsigned type = 0; type < 256; type++) {
		if (known[type])
			continue;
		ck_assert_str_eq(psu_frame_name((uint8_t)type), "?");
		ck_assert_int_eq(psu_frame_sender((uint8_t)type), PSU_FRAME_BY_NOBODY);
		ck_assert_int_eq(get_header(48, type, 0), PSU_THREAD_E_PROTOCOL);
	}
}
END_TEST

static void check_control_golden(uint8_t type, const char *golden)
{
	uint8_t payload[PSU_CONTROL_LEN];
	char hex[2 * sizeof(payload) + 1];

	control.type = type;
	psu_frame_put_control(&control, payload);
	psu_bytes_hex(payload, sizeof(payload), hex);
	ck_assert_str_eq(hex, golden);
}

START_TEST(control_golden)
{
	check_control_golden(PSU_FRAME_PREPARED, golden_prepared);
	check_control_golden(PSU_FRAME_ABORTED, golden_aborted);
}
END_TEST

START_TEST(control_round_trip)
{
	uint8_t payload[PSU_CONTROL_LEN];
	struct psu_control got;

	/* what the type does not use is left out */
	control.type = table[_i].type;
	psu_frame_put_control(&control, payload);
	ck_assert_int_eq(psu_frame_get_control(table[_i].type, payload, &got), 0);
	ck_assert_uint_eq(got.type, table[_i].type);
	ck_assert(psu_id_equal(&got.migration, &control.migration));
	ck_assert(psu_id_equal(&got.incarnation, &control.incarnation));
	ck_assert(got.token == (table[_i].token ? control.token : 0));
	ck_assert_int_eq(got.code, table[_i].code ? control.code : 0);
	ck_assert_uint_eq(got.ttl_ms, table[_i].ttl ? control.ttl_ms : 0);
}
END_TEST

START_TEST(control_refuses_unused_fields)
{
	struct psu_control got;
	uint8_t payload[PSU_CONTROL_LEN];

	control.type = table[_i].type;
	psu_frame_put_control(&control, payload);
	for (size_t at = 32; at < PSU_CONTROL_LEN; at++) {
		bool used = at < 40	  ? table[_i].token
					: at < 44 ? table[_i].code
							  : table[_i].ttl;
		uint8_t kept = payload[at];

		/* another byte in the code makes it one that is not known */
		payload[at] ^= 0x80;
		ck_assert_int_eq(psu_frame_get_control(table[_i].type, payload, &got),
						 used && (at < 40 || at >= 44) ? 0
													   : PSU_THREAD_E_PROTOCOL);
		payload[at] = kept;
	}
}
END_TEST

START_TEST(control_codes)
{
	struct psu_control got;
	uint8_t payload[PSU_CONTROL_LEN];

	control.type = PSU_FRAME_ABORTED;
	for (int code = -300; code < 300; code++) {
		control.code = code;
		psu_frame_put_control(&control, payload);
		ck_assert_int_eq(
			psu_frame_get_control(PSU_FRAME_ABORTED, payload, &got),
			psu_error_known(code) ? 0 : PSU_THREAD_E_PROTOCOL);
	}
}
END_TEST

START_TEST(control_only)
{
	uint8_t payload[PSU_CONTROL_LEN] = {0};
	struct psu_control got;
	bool is_control[256] = {false};

	for (size_t i = FIRST_CONTROL; i < TYPE_COUNT; i++)
		is_control[table[i].type] = !table[i].code;
	for (unsigned type = 0; type < 256; type++)
		ck_assert_int_eq(psu_frame_get_control((uint8_t)type, payload, &got),
						 is_control[type] ? 0 : PSU_THREAD_E_PROTOCOL);
}
END_TEST

START_TEST(location)
{
	uint8_t payload[PSU_LOCATION_LEN_MAX], again[PSU_LOCATION_LEN_MAX];
	unsigned count = (unsigned)_i;
	struct psu_location told = {
		.where = {{{2}}, {{3}}, "b", "b:7310"},
		.itinerary.count = count,
	};
	struct psu_location got;
	size_t len;

	told.itinerary.links[0][0] = 4;
	told.itinerary.links[count - 1][PSU_SEALED_LEN - 1] = 5;
	len = psu_frame_put_location(&told, payload);
	ck_assert_uint_eq(len, 369 + 416 * count);
	ck_assert_uint_eq(payload[0], 2);
	ck_assert_uint_eq(payload[32], 3);
	ck_assert_uint_eq(payload[48], 'b');
	ck_assert_uint_eq(payload[113], 'b');
	ck_assert_uint_eq(payload[369], 4);
	ck_assert_uint_eq(payload[len - 1], 5);
	ck_assert_int_eq(psu_frame_get_location(payload, len, &got), 0);
	ck_assert_uint_eq(got.itinerary.count, count);
	ck_assert_uint_eq(psu_frame_put_location(&got, again), len);
	ck_assert_mem_eq(again, payload, len);

	ck_assert(count == 1 || psu_frame_get_location(payload, len - 1, &got) ==
								PSU_THREAD_E_PROTOCOL);
	ck_assert(count == PSU_LINKS_MAX ||
			  psu_frame_get_location(payload, len + 1, &got) ==
				  PSU_THREAD_E_PROTOCOL);
	payload[48] = 0;
	ck_assert_int_eq(psu_frame_get_location(payload, len, &got),
					 PSU_THREAD_E_PROTOCOL);
}
END_TEST

START_TEST(noted)
{
	const struct psu_noted told = {{{4}}, 5};
	uint8_t payload[PSU_NOTED_LEN];
	struct psu_noted got;

	psu_frame_put_noted(&told, payload);
	ck_assert_uint_eq(payload[0], 4);
	ck_assert_uint_eq(payload[23], 5);
	psu_frame_get_noted(payload, &got);
	ck_assert_mem_eq(&got, &told, sizeof(told));
}
END_TEST

START_TEST(compare)
{
	struct psu_compare asked = {{{4}}, {6}, 0x01020304}, got;
	uint8_t payload[PSU_COMPARE_LEN];

	psu_frame_put_compare(&asked, payload);
	ck_assert_uint_eq(payload[0], 4);
	ck_assert_uint_eq(payload[16], 6);
	ck_assert_uint_eq(payload[48], 1);
	ck_assert_uint_eq(payload[51], 4);
	ck_assert_int_eq(psu_frame_get_compare(payload, &got), 0);
	ck_assert_mem_eq(&got, &asked, sizeof(asked));
	memset(payload + 48, 0, 4);
	ck_assert_int_eq(psu_frame_get_compare(payload, &got),
					 PSU_THREAD_E_PROTOCOL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tests = tcase_create("frame");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, header_golden);
	tcase_add_loop_test(tests, header_by_the_table, 0, TYPE_COUNT);
	tcase_add_test(tests, no_other_type);
	tcase_add_loop_test(tests, location, 1, PSU_LINKS_MAX + 1);
	tcase_add_test(tests, noted);
	tcase_add_test(tests, compare);
	tcase_add_test(tests, control_golden);
	tcase_add_loop_test(tests, control_round_trip, FIRST_CONTROL, TYPE_COUNT);
	tcase_add_loop_test(tests, control_refuses_unused_fields, FIRST_CONTROL,
						TYPE_COUNT);
	tcase_add_test(tests, control_codes);
	tcase_add_test(tests, control_only);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
