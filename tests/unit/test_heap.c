/* SPDX-License-Identifier: ISC */
/*
 * test_heap.c - are blocks where, and as long and empty as, they should be?
 */
#include "test_heap_range.h"

#include "heap/heap.h"

#include <string.h>

#define HEAP_LEN (UINT64_C(64) << 20)
#define PAGE PSU_HEAP_PAGE_LEN

static uint8_t *low;
static struct psu_heap *heap;

static void setup(void)
{
	low = map_range(NULL, HEAP_LEN);
	heap = psu_heap_init((uint64_t)low, (uint64_t)low + HEAP_LEN);
	ck_assert_ptr_eq(heap, low);
}

static void teardown(void)
{
	munmap(low, HEAP_LEN);
}

static void *alloc(size_t len)
{
	uint8_t *block = psu_heap_alloc(heap, len);

	ck_assert_ptr_nonnull(block);
	ck_assert(block > low && block + len <= low + HEAP_LEN);
	memset(block, 0xa5, len);
	return block;
}

/** Whether it holds together, with what is accessible as it says. */
static void verify(void)
{
	struct psu_heap_extent accessible[2];

	psu_heap_accessible(heap, accessible);
	ck_assert(
		psu_heap_verify((uint64_t)low, (uint64_t)low + HEAP_LEN, accessible));
}

/** Bytes in which something is. */
static uint64_t used_len(void)
{
	struct psu_heap_extent extent = {0};
	uint64_t used = 0, after = 0;

	while (psu_heap_next(heap, after, &extent)) {
		ck_assert_uint_ge(extent.addr, after);
		ck_assert_uint_eq(extent.addr % PAGE, 0);
		ck_assert_uint_eq(extent.len % PAGE, 0);
		after = extent.addr + extent.len;
		used += extent.len;
	}
	return used;
}

/** Pages of [@block, @block + @len) that the system has given memory. */
static size_t resident(const void *block, size_t len)
{
	uint64_t begin = (uint64_t)block & ~(uint64_t)(PAGE - 1);
	size_t count = ((uint64_t)block + len - begin + PAGE - 1) / PAGE, sum = 0;
	unsigned char *pages = malloc(count);

	ck_assert_int_eq(mincore((void *)begin, count * PAGE, pages), 0);
	for (size_t i = 0; i < count; i++)
		sum += pages[i] & 1;
	free(pages);
	return sum;
}

START_TEST(every_len)
{
	uint8_t *before = alloc(16);

	for (size_t len = 0; len < 20000; len++) {
		uint8_t *block = alloc(len);
		size_t usable = psu_heap_usable_len(heap, block);

		ck_assert_uint_eq((uintptr_t)block % PSU_HEAP_ALIGN, 0);
		ck_assert_uint_ge(usable, len);
		ck_assert(len <= 128 ? usable < len + 17
							 : usable < len + len / 4 + PAGE);
		memset(block, 1, usable);
		ck_assert(before + 16 <= block || block + usable <= before);
		psu_heap_free(heap, block);
	}
	ck_assert_uint_eq(before[0], 0xa5);
	verify();
}
END_TEST

START_TEST(every_alignment)
{
	for (size_t align = 1; align <= HEAP_LEN / 4; align *= 2)
		for (size_t len = 0; len < 9000; len = len * 5 / 4 + 1) {
			uint8_t *block = psu_heap_alloc_aligned(heap, align, len);

			ck_assert_ptr_nonnull(block);
			ck_assert_uint_eq((uintptr_t)block % align, 0);
			memset(block, 1, len);
			ck_assert_int_eq(psu_heap_judge(heap, block), PSU_HEAP_BLOCK);
			ck_assert_uint_ge(psu_heap_usable_len(heap, block), len);
			psu_heap_free(heap, block);
		}
	verify();
}
END_TEST

START_TEST(large_ones_begin_a_page)
{
	for (size_t len = PSU_HEAP_SMALL_MAX + 1; len < 1000000; len += 77777)
		ck_assert_uint_eq((uintptr_t)alloc(len) % PAGE, 0);
	verify();
}
END_TEST

START_TEST(zeroed_where_others_were)
{
	static const size_t lens[] = {100, 5000, 9000, 100000, 3000000};

	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint8_t *block = alloc(lens[i]);

		psu_heap_free(heap, block);
		block = psu_heap_alloc_zeroed(heap, lens[i]);
		ck_assert_ptr_nonnull(block);
		ck_assert_uint_eq(block[0], 0);
		ck_assert_int_eq(memcmp(block, block + 1, lens[i] - 1), 0);
	}
}
END_TEST

/** Also where only a part of it was given back to the system. */
START_TEST(zeroed_beside_others)
{
	uint8_t *first = alloc(2 << 20), *second = alloc(10 * PAGE);
	uint8_t *third = alloc(2 << 20), *block;
	size_t len = (4 << 20) + 10 * PAGE;

	alloc(10000);
	psu_heap_free(heap, _i ? first : second);
	psu_heap_free(heap, _i ? second : first);
	psu_heap_free(heap, third);
	block = psu_heap_alloc_zeroed(heap, len);
	ck_assert_ptr_eq(block, first);
	ck_assert_uint_eq(block[0], 0);
	ck_assert_int_eq(memcmp(block, block + 1, len - 1), 0);
}
END_TEST

/* ---- misuse */

START_TEST(verdicts)
{
	static const size_t lens[] = {1, 100, 4096, 8192, 8193, 500000};

	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint8_t *keep = alloc(lens[i]), *block = alloc(lens[i]);

		ck_assert_int_eq(psu_heap_judge(heap, block), PSU_HEAP_BLOCK);
		for (size_t at = 1; at < lens[i]; at = at * 2 + 1)
			ck_assert_int_ne(psu_heap_judge(heap, block + at), PSU_HEAP_BLOCK);
		ck_assert_int_eq(psu_heap_judge(heap, block + 1), PSU_HEAP_INSIDE);
		psu_heap_free(heap, block);
		ck_assert_int_eq(psu_heap_judge(heap, block), PSU_HEAP_FREED);
		ck_assert_int_eq(psu_heap_judge(heap, keep), PSU_HEAP_BLOCK);
	}
	ck_assert_int_eq(psu_heap_judge(heap, heap), PSU_HEAP_INSIDE);
	ck_assert_int_eq(psu_heap_judge(heap, low + HEAP_LEN - 16), PSU_HEAP_FREED);
}
END_TEST

/** Who writes to what he has freed damages nothing but that. */
START_TEST(used_after_free)
{
	uint8_t *blocks[1000];

	for (int i = 0; i < 1000; i++)
		blocks[i] = alloc((size_t)i * 13 % 9000);
	for (int i = 0; i < 1000; i += 2) {
		psu_heap_free(heap, blocks[i]);
		memset(blocks[i], 0xff, (size_t)i * 13 % 9000);
	}
	verify();
}
END_TEST

/* ---- room */

START_TEST(full)
{
	size_t count = 0;

	while (psu_heap_alloc(heap, 1 << 20))
		count++;
	ck_assert_uint_ge(count, 62);
	while (psu_heap_alloc(heap, 4096))
		count++;
	ck_assert_ptr_null(psu_heap_alloc(heap, 4096));
	ck_assert_ptr_null(psu_heap_alloc(heap, HEAP_LEN));
	ck_assert_ptr_null(psu_heap_alloc(heap, SIZE_MAX));
	ck_assert_ptr_null(psu_heap_alloc_aligned(heap, 1 << 20, SIZE_MAX));
	ck_assert_ptr_null(psu_heap_alloc_aligned(heap, SIZE_MAX / 2 + 1, 1));
	verify();
}
END_TEST

START_TEST(given_back)
{
	uint64_t before = used_len();
	uint8_t *block = alloc(3 << 19);

	/* at once, though it may stay for what is dirty alone */
	ck_assert_uint_eq(resident(block, 3 << 19), (3 << 19) / PAGE);
	psu_heap_free(heap, block);
	ck_assert_uint_eq(resident(block, 3 << 19), 0);
	ck_assert_uint_le(used_len(), before + (160 << 10)); /* the map */
}
END_TEST

START_TEST(small_ones_given_back)
{
	static uint8_t *blocks[100000];

	for (int i = 0; i < 100000; i++)
		blocks[i] = alloc(100);
	ck_assert_uint_ge(used_len(), 100000 * 100);
	for (int i = 0; i < 100000; i++)
		psu_heap_free(heap, blocks[i]);
	ck_assert_uint_le(resident(blocks[0], 100000 * 100), 513 + 100);
	ck_assert_uint_le(used_len(), 400 << 10);
	verify();
}
END_TEST

START_TEST(nothing_before_use)
{
	struct psu_heap_extent accessible[2];

	psu_heap_accessible(heap, accessible);
	ck_assert_uint_eq(accessible[0].len, PAGE);
	ck_assert_uint_eq(accessible[1].len, 0);
	ck_assert_uint_eq(resident(low, HEAP_LEN), 1);
}
END_TEST

START_TEST(resized)
{
	size_t lens[] = {10, 12, 200, 8000, 8192, 8193, 100000, 5000000, 90000, 20};
	uint8_t *block = alloc(1);

	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		block[0] = (uint8_t)i;
		block = psu_heap_resize(heap, block, lens[i]);
		ck_assert_ptr_nonnull(block);
		ck_assert_uint_eq(block[0], i);
		memset(block, 7, lens[i]);
	}
	verify();
}
END_TEST

/** At the end of all, and into what is free behind it. */
START_TEST(resized_in_place)
{
	uint8_t *block = alloc(1 << 20), *behind;

	ck_assert_ptr_eq(psu_heap_resize(heap, block, 20 << 20), block);
	ck_assert_ptr_eq(psu_heap_resize(heap, block, 10 << 20), block);
	ck_assert_ptr_eq(psu_heap_resize(heap, block, 30 << 20), block);
	ck_assert_ptr_eq(psu_heap_resize(heap, block, 1 << 20), block);
	behind = alloc(20 << 20);
	ck_assert_ptr_ne(psu_heap_resize(heap, block, 2 << 20), block);
	ck_assert_ptr_null(psu_heap_resize(heap, behind, HEAP_LEN));
	ck_assert_uint_eq(behind[0], 0xa5);
	verify();
}
END_TEST

/** Each that is in use, once, in the order of addresses. */
START_TEST(all_blocks)
{
	static uint8_t *blocks[3000];
	struct psu_heap_extent block = {0};
	size_t used = 0, found = 0;

	ck_assert(!psu_heap_next_block(heap, 0, &block));
	for (size_t i = 0; i < 3000; i++)
		blocks[i] = alloc(i % 100 ? i * 7 % 5000 + 1 : i * 40 + 1);
	for (size_t i = 0; i < 3000; i++)
		if (i % 3 == 0 || (i > 1000 && i < 2000))
			psu_heap_free(heap, blocks[i]);
		else
			used++;
	while (psu_heap_next_block(heap, block.addr, &block)) {
		uint8_t *begin = (uint8_t *)block.addr;

		ck_assert_int_eq(psu_heap_judge(heap, begin), PSU_HEAP_BLOCK);
		ck_assert_uint_eq(psu_heap_usable_len(heap, begin), block.len);
		ck_assert_uint_ne(*begin, 0);
		*begin = 0;
		found++;
	}
	ck_assert_uint_eq(found, used);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap");
	TCase *tests = tcase_create("heap");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, every_len);
	tcase_add_test(tests, every_alignment);
	tcase_add_test(tests, large_ones_begin_a_page);
	tcase_add_test(tests, zeroed_where_others_were);
	tcase_add_loop_test(tests, zeroed_beside_others, 0, 2);
	tcase_add_test(tests, verdicts);
	tcase_add_test(tests, used_after_free);
	tcase_add_test(tests, full);
	tcase_add_test(tests, given_back);
	tcase_add_test(tests, small_ones_given_back);
	tcase_add_test(tests, nothing_before_use);
	tcase_add_test(tests, resized);
	tcase_add_test(tests, resized_in_place);
	tcase_add_test(tests, all_blocks);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
