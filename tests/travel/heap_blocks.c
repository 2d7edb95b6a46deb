/* SPDX-License-Identifier: ISC */
/*
 * heap_blocks.c - blocks of many sizes, resized and freed across moves
 */
#include "travel.h"

#include <psu_thread.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define COUNT 300

static size_t len_of(int i)
{
	return i % 10 == 0 ? (size_t)i * 1000 + 1 : (size_t)i * 7 % 600;
}

static void expect(const unsigned char *block, size_t len, int fill)
{
	CHECK(psu_thread_usable_size(block) >= len);
	for (size_t at = 0; at<len; at += len> 4096 ? 509 : 1)
		CHECK(block[at] == (unsigned char)fill);
}

int travel(void)
{
	unsigned char *blocks[COUNT], *aligned, *zeros;

	for (int i = 0; i < COUNT; i++) {
		blocks[i] = psu_thread_malloc(len_of(i));
		CHECK(blocks[i] != NULL);
		memset(blocks[i], i, len_of(i));
	}
	aligned = psu_thread_aligned_alloc(65536, 100);
	zeros = psu_thread_calloc(1000, 1000);
	CHECK(aligned != NULL && zeros != NULL);
	HIDE(zeros);

	MOVE();

	CHECK((uintptr_t)aligned % 65536 == 0);
	expect(zeros, 1000000, 0);
	memset(zeros, 1, 1000000);
	for (int i = 0; i < COUNT; i++)
		expect(blocks[i], len_of(i), i);
	for (int i = 0; i < COUNT; i += 2) {
		psu_thread_free(blocks[i]);
		blocks[i] = NULL;
	}
	for (int i = 1; i < COUNT; i += 4) {
		blocks[i] = psu_thread_realloc(blocks[i], len_of(i) * 3 + 1);
		CHECK(blocks[i] != NULL);
		expect(blocks[i], len_of(i), i);
	}

	MOVE();

	expect(zeros, 1000000, 1);
	for (int i = 0; i < COUNT; i++)
		if (blocks[i])
			expect(blocks[i], len_of(i), i);
	for (int i = 0; i < COUNT; i++)
		psu_thread_free(blocks[i]);
	psu_thread_free(aligned);
	psu_thread_free(zeros);
	return 0;
}
