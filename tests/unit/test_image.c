/* SPDX-License-Identifier: ISC */
/*
 * test_image.c - does an image come back as it was, up to the limits?
 *
 * The golden bytes are of another encoder (tests/fuzz/make_corpus.py).
 */
#include "../fuzz/travelled.h"
#include "test_image_sample.h"

#include "image/section.h"

#include <stdlib.h>
#include <string.h>

static const char golden_head[] =
	"0000000100000058000030000000000100003000000000020000300000000003"
	"0000300000000004000030000000000500003000000000060000300000000007"
	"00001f80a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babb"
	"000000020000002e000030000000100000000000000000000000000000000200"
	"0000000b0000776f726b65720000000000000000000000000003000000340000"
	"0003000000000040123400000028000000000000000000405678000000180001"
	"00000000000000409abc00000020000000000000000400000005646174612100"
	"00000500000010000000000040def00000300000000008000000060000017201"
	"4100000000000000000000000000000000000000000000000000000000000000"
	"4200000000000000000000000000000061000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000613a37333130000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000080000001800000002000000"
	"0500000000000000010000000300000002";

START_TEST(golden_bytes)
{
	char hex[2 * GOLDEN_LEN + 1];

	ck_assert_uint_eq(head_len, GOLDEN_LEN);
	psu_bytes_hex(head, head_len, hex);
	ck_assert_str_eq(hex, golden_head);
}
END_TEST

START_TEST(round_trip)
{
	struct psu_verified_body *body = travelled_body(
		head, head_len, &image.stack, psu_heap_map_len(&image.heap));
	struct psu_image got;

	ck_assert_int_eq(psu_image_decode(body, &got), 0);
	ck_assert_mem_eq(&got.registers, &image.registers, sizeof(got.registers));
	ck_assert_uint_eq(got.thread_pointer, image.thread_pointer);
	ck_assert_uint_eq(got.cleanup_head, 0);
	ck_assert_uint_eq(got.signal_mask, image.signal_mask);
	ck_assert_int_eq(got.saved_errno, 11);
	ck_assert_str_eq(got.name, "worker");
	ck_assert_uint_eq(got.chain.count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(got.chain.frames[i].return_offset,
						  frames[i].return_offset);
		ck_assert_uint_eq(got.chain.frames[i].frame_len, frames[i].frame_len);
		ck_assert_uint_eq(got.chain.frames[i].object, frames[i].object);
	}

	/* the spans lie in the body itself */
	ck_assert_ptr_eq(got.stack.bytes, image.stack.bytes);
	ck_assert_uint_eq(got.stack.len, 96);
	ck_assert_ptr_eq(got.locals.bytes, head + LOCALS_AT + 8);
	ck_assert_uint_eq(got.locals.len, 5);

	ck_assert_uint_eq(got.exits.count, 1);
	ck_assert_uint_eq(got.exits.list[0].function_addr, 0x40def0);
	ck_assert_uint_eq(got.exits.list[0].object_addr, 0x300000000008);
	ck_assert_mem_eq(&got.home, &image.home, sizeof(got.home));
	ck_assert_uint_eq(got.joinable, 1);
	ck_assert_uint_eq(got.heap.accessible[0], 2);
	ck_assert_uint_eq(got.heap.accessible[1], 5);
	ck_assert_uint_eq(got.heap.run_count, 2);
	ck_assert_mem_eq(got.heap.runs, image.heap.runs,
					 2 * sizeof(*got.heap.runs));
	psu_image_fini(&got);
	psu_verified_body_free(body);
}
END_TEST

START_TEST(extreme_values)
{
	free(head);
	memset(&image.registers, 0xff, sizeof(image.registers));
	image.thread_pointer = image.cleanup_head = UINT64_MAX;
	image.signal_mask = UINT64_MAX;
	image.saved_errno = INT32_MIN;
	image.cancel_disabled = image.cancel_asynchronous = 1;
	memcpy(image.name, "fifteen letters", PSU_THREAD_NAME_LEN);
	image.locals = (struct psu_span){NULL, 0};
	image.exits.count = 0;
	image.joinable = 0;
	memset(image.home.name, 'n', sizeof(image.home.name) - 1);
	memset(image.home.address, '~', sizeof(image.home.address) - 1);
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len), 0);
	accepted(sample_decode(head, head_len));
}
END_TEST

START_TEST(longest_chain)
{
	size_t count = PSU_CHAIN_FRAMES_MAX;
	struct psu_frame *many = calloc(count + 1, sizeof(*many));
	uint8_t *deep = calloc(1, PSU_STACK_LEN_MAX);

	for (size_t i = 0; i <= count; i++)
		many[i].frame_len = PSU_STACK_LEN_MAX / PSU_CHAIN_FRAMES_MAX;
	free(head);
	head = NULL;
	image.stack = (struct psu_span){deep, PSU_STACK_LEN_MAX};
	image.chain = (struct psu_chain){count + 1, many};
	/* said aloud: tests/lint/codes_test.sh looks for it */
	psu_thread_set_log(PSU_THREAD_LOG_ERROR, NULL, NULL);
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len),
					 PSU_THREAD_E_IMAGE_TOO_LARGE);
	image.chain.count = count;
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len), 0);
	accepted(sample_decode(head, head_len));
	free(deep);
	free(many);
}
END_TEST

START_TEST(one_frame_over_the_longest_chain)
{
	size_t count = PSU_CHAIN_FRAMES_MAX + 1;
	size_t len = GOLDEN_LEN + (count - 3) * FRAME_LEN;
	uint8_t *bytes = calloc(1, len);
	struct psu_writer writer = {.at = bytes + COUNT_AT - 4, .end = bytes + len};

	/* right in all else: the stack is as long as the frames */
	memcpy(bytes, head, COUNT_AT);
	psu_put_u32(&writer, (uint32_t)(4 + count * FRAME_LEN));
	psu_put_u32(&writer, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		psu_put_zeros(&writer, 8);
		psu_put_u32(&writer, 8);
		psu_put_zeros(&writer, 4);
	}
	psu_put_bytes(&writer, head + LOCALS_AT, GOLDEN_LEN - LOCALS_AT);
	ck_assert_ptr_eq(writer.at, writer.end);
	ck_assert(!writer.overflow);
	image.stack.bytes = calloc(1, 8 * count);
	image.stack.len = 8 * count;
	refused(sample_decode(bytes, len));
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "too many"));
	free((void *)image.stack.bytes);
	free(bytes);
}
END_TEST

START_TEST(longest_head)
{
	size_t rest = PSU_HEAD_LEN_MAX - (GOLDEN_LEN - 5);
	uint8_t *bytes = calloc(1, rest + 1);

	free(head);
	head = NULL;
	image.locals = (struct psu_span){bytes, rest};
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len), 0);
	ck_assert_uint_eq(head_len, PSU_HEAD_LEN_MAX);
	accepted(sample_decode(head, head_len));
	free(head);
	head = NULL;

	/* a byte more, an exit more; and lengths whose sum would wrap */
	image.locals.len++;
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len),
					 PSU_THREAD_E_IMAGE_TOO_LARGE);
	image.locals.len--;
	image.exits.count++;
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len),
					 PSU_THREAD_E_IMAGE_TOO_LARGE);
	image.locals.len = SIZE_MAX - 100;
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len),
					 PSU_THREAD_E_IMAGE_TOO_LARGE);
	image.locals.len = 0;
	image.exits.count = SIZE_MAX / PSU_EXIT_LEN + 1;
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len),
					 PSU_THREAD_E_IMAGE_TOO_LARGE);
	ck_assert_ptr_null(head);
	free(bytes);
}
END_TEST

/* ---- the end of a thread */

static const char golden_end[] =
	"0000000700000008000000000000002a0000000400000005646174612100000005"
	"00000010000000000040def00000300000000008";

static void encode_end(void)
{
	free(head);
	image.kind = PSU_KIND_END;
	image.result = 42;
	image.stack.len = 0;
	image.heap = (struct psu_heap_map){.runs = NULL};
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len), 0);
}

START_TEST(end_golden_bytes)
{
	char hex[sizeof(golden_end)];

	encode_end();
	ck_assert_uint_eq(head_len, sizeof(hex) / 2);
	psu_bytes_hex(head, head_len, hex);
	ck_assert_str_eq(hex, golden_end);
}
END_TEST

START_TEST(end_round_trip)
{
	struct psu_verified_body *body;
	struct psu_image got;

	encode_end();
	body = travelled_body(head, head_len, &image.stack, 0);
	ck_assert_int_eq(psu_image_decode(body, &got), 0);
	ck_assert_int_eq(got.kind, PSU_KIND_END);
	ck_assert_uint_eq(got.result, 42);
	ck_assert_uint_eq(got.locals.len, 5);
	ck_assert_uint_eq(got.exits.count, 1);
	ck_assert_uint_eq(got.chain.count, 0);
	psu_image_fini(&got);
	psu_verified_body_free(body);
}
END_TEST

START_TEST(end_grown)
{
	uint8_t bytes[64];

	encode_end();
	ck_assert_uint_lt(head_len, sizeof(bytes));
	memcpy(bytes, head, 16);
	bytes[7]++;
	bytes[16] = 0;
	memcpy(bytes + 17, head + 16, head_len - 16);
	refused(sample_decode(bytes, head_len + 1));
}
END_TEST

START_TEST(end_of_another_form)
{
	encode_end();
	for (size_t len = 1; len < head_len; len++)
		refused(sample_decode(head, len));
	for (size_t bit = 0; bit < 8 * head_len; bit++)
		(void)sample_decode_with(bit / 8,
								 (uint8_t)(head[bit / 8] ^ 1u << bit % 8));
	refused(sample_decode_with(3, PSU_SECTION_REGISTERS));
	refused(sample_decode_with(7, 7));
	head = realloc(head, head_len + 1);
	head[head_len] = 0;
	refused(sample_decode(head, head_len + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *tests = tcase_create("image");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, sample_setup, sample_teardown);
	tcase_add_test(tests, golden_bytes);
	tcase_add_test(tests, round_trip);
	tcase_add_test(tests, extreme_values);
	tcase_add_test(tests, longest_chain);
	tcase_add_test(tests, one_frame_over_the_longest_chain);
	tcase_add_test(tests, longest_head);
	tcase_add_test(tests, end_golden_bytes);
	tcase_add_test(tests, end_round_trip);
	tcase_add_test(tests, end_grown);
	tcase_add_test(tests, end_of_another_form);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
