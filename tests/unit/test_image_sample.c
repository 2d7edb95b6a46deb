/* SPDX-License-Identifier: ISC */
/*
 * test_image_sample.c - one image, and ways to decode it changed
 *
 * Bytes get to the decoder as in life: signed with a key and verified.
 */
#include "test_image_sample.h"

#include "../fuzz/travelled.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t stack[96];
struct psu_frame frames[3];
static struct psu_exit exits[1];
static struct psu_heap_run runs[2];
struct psu_image image;
uint8_t *head;
size_t head_len;

void sample_setup(void)
{
	uint64_t slot = 0x300000000000;

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	frames[0] = (struct psu_frame){0x401234, 40, 0};
	frames[1] = (struct psu_frame){0x405678, 24, 1};
	frames[2] = (struct psu_frame){0x409abc, 32, 0};
	runs[0] = (struct psu_heap_run){0, 1, 0};
	runs[1] = (struct psu_heap_run){3, 2, 0};
	exits[0] = (struct psu_exit){0x40def0, slot + 8};
	image = (struct psu_image){.kind = PSU_KIND_MOVE,
							   .registers = {slot + 1,
											 slot + 2,
											 slot + 3,
											 slot + 4,
											 slot + 5,
											 slot + 6,
											 slot + 7,
											 0x1f80,
											 {0}},
							   .thread_pointer = slot + 0x1000,
							   .signal_mask = 1 << 9,
							   .saved_errno = 11,
							   .name = "worker",
							   .chain = {3, frames},
							   .locals = {(const uint8_t *)"data!", 5},
							   .exits = {1, exits},
							   .home = {{{0x41}}, {{0x42}}, "a", "a:7310"},
							   .joinable = 1,
							   .heap = {{2, 5}, 2, runs},
							   .stack = {stack, sizeof(stack)}};
	for (size_t i = 0; i < sizeof(image.registers.x87); i++)
		image.registers.x87[i] = (uint8_t)(0xa0 + i);
	ck_assert_int_eq(psu_image_encode(&image, &head, &head_len), 0);
}

void sample_teardown(void)
{
	free(head);
}

int sample_decode(const uint8_t *bytes, size_t len)
{
	struct psu_verified_body *body = travelled_body(
		bytes, len, &image.stack, psu_heap_map_len(&image.heap));
	struct psu_image got;
	int code;

	ck_assert_ptr_nonnull(body);
	code = psu_image_decode(body, &got);
	if (code == 0) {
		uint8_t *again;
		size_t again_len;

		ck_assert_int_eq(psu_image_encode(&got, &again, &again_len), 0);
		ck_assert_uint_eq(again_len, len);
		ck_assert_mem_eq(again, bytes, len);
		free(again);
		psu_image_fini(&got);
	} else {
		ck_assert_int_eq(code, PSU_THREAD_E_IMAGE_INVALID);
		ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "section "));
	}
	psu_verified_body_free(body);
	return code;
}

int sample_decode_with(size_t at, uint8_t value)
{
	uint8_t kept = head[at];
	int code;

	head[at] = value;
	code = sample_decode(head, head_len);
	head[at] = kept;
	return code;
}
