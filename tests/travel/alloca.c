/* SPDX-License-Identifier: ISC */
/*
 * alloca.c - blocks from alloca, some made before the move, one after it
 */
#include "travel.h"

#include <alloca.h>
#include <string.h>

#define BLOCK_COUNT 16

static NOINLINE void check_blocks(char *const *blocks, int count)
{
	for (int i = 0; i < count; i++) {
		size_t len = (size_t)(i + 1) * 37;

		for (size_t at = 0; at < len; at++)
			CHECK(blocks[i][at] == (char)('a' + i));
	}
}

int travel(void)
{
	char *blocks[BLOCK_COUNT + 1];
	volatile int fence = 0x600d;

	for (int i = 0; i < BLOCK_COUNT; i++) {
		blocks[i] = alloca((size_t)(i + 1) * 37);
		memset(blocks[i], 'a' + i, (size_t)(i + 1) * 37);
	}
	check_blocks(blocks, BLOCK_COUNT);

	MOVE();

	check_blocks(blocks, BLOCK_COUNT);
	blocks[BLOCK_COUNT] = alloca((BLOCK_COUNT + 1) * 37);
	memset(blocks[BLOCK_COUNT], 'a' + BLOCK_COUNT, (BLOCK_COUNT + 1) * 37);
	check_blocks(blocks, BLOCK_COUNT + 1);
	CHECK(fence == 0x600d);
	return 0;
}
