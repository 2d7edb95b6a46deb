/* SPDX-License-Identifier: ISC */
/*
 * fuzz_image.c - heads of images
 *
 * Input: two bytes each, the length of the stack, and of the heap in pages;
 * then a head.  All are signed and verified first: there is no other way to the
 * decoder.  What is accepted must be encoded again to the very same bytes.
 */
#include "fuzz.h"
#include "image/image.h"
#include "travelled.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct psu_image *image, const uint8_t *head,
				  size_t head_len)
{
	uint8_t *again;
	size_t again_len;

	if (psu_image_encode(image, &again, &again_len) != 0 ||
		again_len != head_len || memcmp(again, head, head_len) != 0)
		abort();
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const uint8_t stack_bytes[UINT16_MAX];
	struct psu_span stack = {.bytes = stack_bytes};
	struct psu_verified_body *body;
	struct psu_image image;
	uint64_t heap_len;

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (len < 4)
		return 0;
	stack.len = (size_t)(bytes[0] << 8 | bytes[1]);
	heap_len = (uint64_t)(bytes[2] << 8 | bytes[3]) * PSU_HEAP_PAGE_LEN;
	bytes += 4;
	len -= 4;
	body = travelled_body(bytes, len, &stack, heap_len);
	if (body && psu_image_decode(body, &image) == 0) {
		check(&image, bytes, len);
		psu_image_fini(&image);
	}
	psu_verified_body_free(body);
	return 0;
}
