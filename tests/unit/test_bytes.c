/* SPDX-License-Identifier: ISC */
/*
 * test_bytes.c - do fields go out and come in as they should, and stop?
 */
#include "bytes/bytes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct psu_writer writer_of(uint8_t *bytes, size_t len)
{
	return (struct psu_writer){.at = bytes, .end = bytes + len};
}

static struct psu_reader reader_of(const uint8_t *bytes, size_t len)
{
	return (struct psu_reader){.at = bytes, .end = bytes + len};
}

START_TEST(numbers_are_big_endian)
{
	static const uint8_t golden[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
									 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe,
									 0xff, 'a',	 'b',  0,	 0};
	uint8_t bytes[sizeof(golden)];
	struct psu_writer writer = writer_of(bytes, sizeof(bytes));
	struct psu_reader reader = reader_of(bytes, sizeof(bytes));
	char text[2];

	memset(bytes, 0x5a, sizeof(bytes));
	psu_put_u8(&writer, 1);
	psu_put_u16(&writer, 0x0203);
	psu_put_u32(&writer, 0x04050607);
	psu_put_u64(&writer, UINT64_C(0xf8f9fafbfcfdfeff));
	psu_put_bytes(&writer, "ab", 2);
	psu_put_zeros(&writer, 2);
	ck_assert(!writer.overflow);
	ck_assert_ptr_eq(writer.at, writer.end);
	ck_assert_mem_eq(bytes, golden, sizeof(golden));

	ck_assert_uint_eq(psu_get_u8(&reader), 1);
	ck_assert_uint_eq(psu_get_u16(&reader), 0x0203);
	ck_assert_uint_eq(psu_get_u32(&reader), 0x04050607);
	ck_assert(psu_get_u64(&reader) == UINT64_C(0xf8f9fafbfcfdfeff));
	psu_get_bytes(&reader, text, 2);
	ck_assert_mem_eq(text, "ab", 2);
	ck_assert(!psu_reader_done(&reader));
	psu_get_zeros(&reader, 2);
	ck_assert(psu_reader_done(&reader));
}
END_TEST

/** Write one field of the given kind: 0 to 5. */
static size_t put_kind(struct psu_writer *writer, int kind)
{
	switch (kind) {
	case 0:
		psu_put_u8(writer, 0xff);
		return 1;
	case 1:
		psu_put_u16(writer, 0xffff);
		return 2;
	case 2:
		psu_put_u32(writer, 0xffffffff);
		return 4;
	case 3:
		psu_put_u64(writer, UINT64_MAX);
		return 8;
	case 4:
		psu_put_bytes(writer, "123", 3);
		return 3;
	default:
		psu_put_zeros(writer, 5);
		return 5;
	}
}

START_TEST(writer_stops_at_its_end)
{
	uint8_t bytes[16], untouched[16];
	struct psu_writer writer = writer_of(bytes, sizeof(bytes));
	size_t len = put_kind(&writer, _i);

	/* just enough room */
	writer = writer_of(bytes, len);
	put_kind(&writer, _i);
	ck_assert(!writer.overflow);

	/* a byte less: nothing is written, then or later */
	memset(bytes, 0x5a, sizeof(bytes));
	memset(untouched, 0x5a, sizeof(untouched));
	writer = writer_of(bytes, len - 1);
	put_kind(&writer, _i);
	ck_assert(writer.overflow);
	writer.end = bytes + sizeof(bytes);
	psu_put_u8(&writer, 1);
	psu_put_bytes(&writer, "", 0);
	ck_assert(writer.overflow);
	ck_assert_mem_eq(bytes, untouched, sizeof(bytes));
}
END_TEST

/** Read one field of the given kind, 0 to 5; returns its value. */
static uint64_t get_kind(struct psu_reader *reader, int kind)
{
	uint8_t bytes[3] = {0xee, 0xee, 0xee};

	switch (kind) {
	case 0:
		return psu_get_u8(reader);
	case 1:
		return psu_get_u16(reader);
	case 2:
		return psu_get_u32(reader);
	case 3:
		return psu_get_u64(reader);
	case 4:
		psu_get_bytes(reader, bytes, sizeof(bytes));
		return (uint64_t)bytes[0] | bytes[1] | bytes[2];
	default:
		return psu_get_span(reader, 5) != NULL;
	}
}

START_TEST(reader_stops_at_its_end)
{
	static const size_t lens[] = {1, 2, 4, 8, 3, 5};
	uint8_t *bytes = malloc(lens[_i]);
	struct psu_reader reader = reader_of(bytes, lens[_i]);

	/* just enough */
	memset(bytes, 0xff, lens[_i]);
	ck_assert(get_kind(&reader, _i) != 0);
	ck_assert(psu_reader_done(&reader));

	/* a byte less: zeros, then and later */
	reader = reader_of(bytes, lens[_i] - 1);
	ck_assert(get_kind(&reader, _i) == 0);
	ck_assert(reader.bad);
	reader.end = bytes + lens[_i];
	ck_assert_uint_eq(psu_get_u8(&reader), 0);
	ck_assert_ptr_null(psu_get_span(&reader, 0));
	reader.at = reader.end;
	ck_assert(!psu_reader_done(&reader));
	free(bytes);
}
END_TEST

START_TEST(lengths_do_not_wrap)
{
	uint8_t bytes[4] = {0};
	struct psu_reader reader = reader_of(bytes, sizeof(bytes));
	struct psu_writer writer = writer_of(bytes, sizeof(bytes));

	ck_assert_ptr_null(psu_get_span(&reader, SIZE_MAX));
	ck_assert_ptr_eq(reader.at, bytes);
	psu_put_zeros(&writer, SIZE_MAX);
	ck_assert(writer.overflow);
	ck_assert_ptr_eq(writer.at, bytes);
}
END_TEST

START_TEST(reserved_bytes_are_zero)
{
	uint8_t bytes[3] = {0};
	struct psu_reader reader = reader_of(bytes, sizeof(bytes));

	bytes[_i] = 0x80;
	psu_get_zeros(&reader, sizeof(bytes));
	ck_assert(reader.bad);
	ck_assert(!psu_reader_done(&reader));
}
END_TEST

START_TEST(ids_and_digests_compare_every_byte)
{
	struct psu_id id = {{0}}, other_id = {{0}};
	struct psu_digest digest = {{0}}, other_digest = {{0}};

	ck_assert(psu_id_is_zero(&id));
	for (size_t i = 0; i < sizeof(id.bytes); i++) {
		id.bytes[i] = 1;
		ck_assert(!psu_id_is_zero(&id));
		ck_assert(!psu_id_equal(&id, &other_id));
		id.bytes[i] = 0;
	}
	ck_assert(psu_id_equal(&id, &other_id));
	for (size_t i = 0; i < sizeof(digest.bytes); i++) {
		digest.bytes[i] = 1;
		ck_assert(!psu_digest_equal(&digest, &other_digest));
		digest.bytes[i] = 0;
	}
	ck_assert(psu_digest_equal(&digest, &other_digest));
}
END_TEST

START_TEST(hex_is_lower_case_and_ends)
{
	static const uint8_t bytes[] = {0x00, 0x9a, 0xff};
	char hex[8] = "xxxxxxx";

	psu_bytes_hex(bytes, sizeof(bytes), hex);
	ck_assert_str_eq(hex, "009aff");
	ck_assert_int_eq(hex[7], '\0');
	psu_bytes_hex(bytes, 0, hex);
	ck_assert_str_eq(hex, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bytes");
	TCase *tests = tcase_create("bytes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, numbers_are_big_endian);
	tcase_add_loop_test(tests, writer_stops_at_its_end, 0, 6);
	tcase_add_loop_test(tests, reader_stops_at_its_end, 0, 6);
	tcase_add_test(tests, lengths_do_not_wrap);
	tcase_add_loop_test(tests, reserved_bytes_are_zero, 0, 3);
	tcase_add_test(tests, ids_and_digests_compare_every_byte);
	tcase_add_test(tests, hex_is_lower_case_and_ends);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
