/* SPDX-License-Identifier: ISC */
/*
 * test_image_hostile.c - does a head decode in no other way than its own?
 */
#include "test_image_sample.h"

#include <stdlib.h>
#include <string.h>

START_TEST(every_truncation)
{
	for (size_t len = 1; len < head_len; len++) {
		uint8_t *bytes = malloc(len);

		memcpy(bytes, head, len);
		refused(sample_decode(bytes, len));
		free(bytes);
	}
	accepted(sample_decode(head, head_len));
}
END_TEST

START_TEST(bytes_behind)
{
	uint8_t bytes[2 * GOLDEN_LEN] = {0};

	memcpy(bytes, head, head_len);
	for (size_t len = head_len + 1; len <= head_len + 24; len++)
		refused(sample_decode(bytes, len));
	/* the last section twice */
	memcpy(bytes + head_len, head + HEAP_AT, head_len - HEAP_AT);
	refused(sample_decode(bytes, 2 * head_len - HEAP_AT));
}
END_TEST

START_TEST(one_encoding_per_value)
{
	/* sample_decode() compares what is accepted with what it encodes to */
	for (size_t bit = 0; bit < 8 * head_len; bit++)
		(void)sample_decode_with(bit / 8,
								 (uint8_t)(head[bit / 8] ^ 1u << bit % 8));
}
END_TEST

START_TEST(sections_in_order)
{
	static const size_t types_at[] = {3, 99, 153, 213, 226, 250, 628};
	static const uint8_t types[] = {1, 2, 3, 4, 5, 6, 8};

	for (size_t i = 0; i < sizeof(types_at) / sizeof(types_at[0]); i++) {
		ck_assert_uint_eq(head[types_at[i]], types[i]);
		for (unsigned type = 0; type < 256; type++)
			ck_assert_int_eq(sample_decode_with(types_at[i], (uint8_t)type),
							 type == types[i] ? 0 : PSU_THREAD_E_IMAGE_INVALID);
	}
}
END_TEST

START_TEST(section_lengths)
{
	static const size_t lens_at[] = {7, 103, 157, 217, 230, 254, 632};

	for (size_t i = 0; i < sizeof(lens_at) / sizeof(lens_at[0]); i++) {
		uint8_t len = head[lens_at[i]];

		refused(sample_decode_with(lens_at[i], (uint8_t)(len - 1)));
		refused(sample_decode_with(lens_at[i], (uint8_t)(len + 1)));
		refused(sample_decode_with(lens_at[i] - 3, 0xff));
	}
}
END_TEST

/** Decode the golden head with the section that ends at @end grown by a byte,
 * and its length, whose low byte is at @len_at, with it. */
static int decode_grown(size_t len_at, size_t end)
{
	uint8_t bytes[GOLDEN_LEN + 1];

	memcpy(bytes, head, end);
	bytes[len_at]++;
	bytes[end] = 0;
	memcpy(bytes + end + 1, head + end, head_len - end);
	return sample_decode(bytes, head_len + 1);
}

START_TEST(sections_grown)
{
	refused(decode_grown(7, 96));
	refused(decode_grown(103, 150));
	refused(decode_grown(157, LOCALS_AT));
	accepted(decode_grown(217, EXITS_AT));
	refused(decode_grown(230, HOME_AT));
	refused(decode_grown(254, HEAP_AT));
	refused(decode_grown(632, GOLDEN_LEN));
}
END_TEST

START_TEST(heap_lists_pages)
{
	size_t first = HEAP_AT + 8, run = first + 8;

	/* the first may have a gap before it, others must; none is empty; and
	 * there are as many pages as the statement says */
	accepted(sample_decode_with(run + 3, 1));
	refused(sample_decode_with(run + 7, 0));
	refused(sample_decode_with(run + 8 + 3, 0));
	accepted(sample_decode_with(run + 8 + 3, 1));
	refused(sample_decode_with(run + 7, 2));
	refused(sample_decode_with(run + 4, 1));
	refused(sample_decode_with(run + 4, 0x80)); /* it is kept */
	/* where they are, is not judged here; that there is a beginning, is */
	accepted(sample_decode_with(first + 3, 1));
	refused(sample_decode_with(first + 3, 0));
}
END_TEST

START_TEST(cancel_flags)
{
	for (size_t at = CANCEL_AT; at < NAME_AT; at++) {
		accepted(sample_decode_with(at, 0));
		accepted(sample_decode_with(at, 1));
		refused(sample_decode_with(at, 2));
		refused(sample_decode_with(at, 0xff));
	}
}
END_TEST

START_TEST(name_ends_in_zeros)
{
	refused(sample_decode_with(NAME_AT, 0));
	for (size_t at = NAME_AT + 7; at < NAME_AT + 16; at++)
		refused(sample_decode_with(at, 'x'));
	memcpy(head + NAME_AT, "fifteen letters", 16);
	accepted(sample_decode(head, head_len));
	refused(sample_decode_with(NAME_AT + 15, '!'));
	memset(head + NAME_AT, 0, 16);
	accepted(sample_decode(head, head_len));
}
END_TEST

START_TEST(home_is_a_place)
{
	size_t flag_at = HOME_AT + 8, name_at = flag_at + 1 + 32 + 16;
	size_t address_at = name_at + 65;

	accepted(sample_decode_with(flag_at, 0));
	refused(sample_decode_with(flag_at, 2));
	refused(sample_decode_with(name_at - 16, 0));
	refused(sample_decode_with(name_at, 0));
	refused(sample_decode_with(name_at, ' '));
	refused(sample_decode_with(name_at, 0x7f));
	refused(sample_decode_with(name_at, 0xe4));
	refused(sample_decode_with(name_at + 64, 'x'));
	accepted(sample_decode_with(address_at + 6, '0'));
	refused(sample_decode_with(address_at + 7, '0'));
	refused(sample_decode_with(address_at, 0));
	memset(head + address_at, 0, 256);
	accepted(sample_decode(head, head_len));
	memset(head + address_at, 'x', 256);
	refused(sample_decode(head, head_len));
}
END_TEST

START_TEST(chain_fits_section_and_stack)
{
	/* the count and the section's length are one number twice */
	for (unsigned count = 0; count < 256; count++) {
		if (count == 3)
			continue;
		refused(sample_decode_with(COUNT_AT + 3, (uint8_t)count));
		ck_assert_ptr_nonnull(
			strstr(psu_error_sentence(), "or another length"));
	}
	refused(sample_decode_with(COUNT_AT, 0x10));

	/* so are the frames' lengths and the stack's */
	refused(sample_decode_with(FRAMES_AT + 11, 39));
	refused(sample_decode_with(FRAMES_AT + 11, 41));
	refused(sample_decode_with(FRAMES_AT + 8, 1));
	image.stack.len--;
	refused(sample_decode(head, head_len));
}
END_TEST

START_TEST(frames_are_bounded)
{
	size_t second = FRAMES_AT + FRAME_LEN;

	/* the last frame may be empty, no other, though the sum is right */
	head[FRAMES_AT + 11] = 72;
	accepted(sample_decode_with(second + FRAME_LEN + 11, 0));
	head[FRAMES_AT + 11] = 64;
	refused(sample_decode_with(second + 11, 0));
	head[FRAMES_AT + 11] = 63;
	accepted(sample_decode_with(second + 11, 1));
	head[FRAMES_AT + 11] = 40;

	accepted(sample_decode_with(second + 13, PSU_OBJECTS_MAX - 1));
	refused(sample_decode_with(second + 13, PSU_OBJECTS_MAX));
	refused(sample_decode_with(second + 12, 1));
	refused(sample_decode_with(second + 14, 1));
	refused(sample_decode_with(second + 15, 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image hostile");
	TCase *tests = tcase_create("image hostile");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
	tcase_add_test(tests, every_truncation);
	tcase_add_test(tests, bytes_behind);
	tcase_add_test(tests, one_encoding_per_value);
	tcase_add_test(tests, sections_in_order);
	tcase_add_test(tests, section_lengths);
	tcase_add_test(tests, sections_grown);
	tcase_add_test(tests, heap_lists_pages);
	tcase_add_test(tests, cancel_flags);
	tcase_add_test(tests, name_ends_in_zeros);
	tcase_add_test(tests, home_is_a_place);
	tcase_add_test(tests, chain_fits_section_and_stack);
	tcase_add_test(tests, frames_are_bounded);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
