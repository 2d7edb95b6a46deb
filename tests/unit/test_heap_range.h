/* SPDX-License-Identifier: ISC */
/*
 * test_heap_range.h - addresses for a heap, as a slot has them
 */
#ifndef TEST_HEAP_RANGE_H
#define TEST_HEAP_RANGE_H

#include "run_suite.h"

#include <stdint.h>
#include <sys/mman.h>

/** @len bytes that are inaccessible, at @wanted, where nothing may be, or
 * anywhere if it is NULL. */
static inline uint8_t *map_range(void *wanted, uint64_t len)
{
	void *got = mmap(wanted, len, PROT_NONE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
						 (wanted ? MAP_FIXED_NOREPLACE : 0),
					 -1, 0);

	ck_assert_ptr_ne(got, MAP_FAILED);
	return got;
}

#endif
