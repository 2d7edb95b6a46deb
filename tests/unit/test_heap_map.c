/* SPDX-License-Identifier: ISC */
/*
 * test_heap_map.c - do the right pages of a heap go, and only where it can have
 * some?
 */
#include "test_heap_range.h"

#include "heap/heap.h"

#include <string.h>

#define HEAP_LEN (UINT64_C(1) << 30)
#define PAGE PSU_HEAP_PAGE_LEN
#define FIRST 1026 /* page behind map and guard of such a heap */

static uint8_t *low;
static struct psu_heap *heap;
static struct psu_heap_map map;

static void setup(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	low = map_range(low, HEAP_LEN);
	heap = psu_heap_init((uint64_t)low, (uint64_t)low + HEAP_LEN);
	ck_assert_ptr_nonnull(heap);
}

static void teardown(void)
{
	psu_heap_map_free(&map);
	munmap(low, HEAP_LEN);
	low = NULL;
}

static int open_heap(void)
{
	return psu_heap_open(&map, (uint64_t)low, (uint64_t)low + HEAP_LEN);
}

static int adopt(void)
{
	return psu_heap_adopt(&map, (uint64_t)low, (uint64_t)low + HEAP_LEN);
}

/** All is gone but for the pages that the map lists. */
static void move(void)
{
	uint64_t len = psu_heap_map_len(&map);
	uint8_t *bytes = malloc(len), *to = bytes, *at = low;

	for (size_t i = 0; i < map.run_count; i++) {
		at += (size_t)map.runs[i].gap * PAGE;
		memcpy(to, at, (size_t)map.runs[i].count * PAGE);
		to += (size_t)map.runs[i].count * PAGE;
		at += (size_t)map.runs[i].count * PAGE;
	}
	munmap(low, HEAP_LEN);
	low = map_range(low, HEAP_LEN);
	ck_assert_int_eq(open_heap(), 0);
	at = low;
	to = bytes;
	for (size_t i = 0; i < map.run_count; i++) {
		at += (size_t)map.runs[i].gap * PAGE;
		memcpy(at, to, (size_t)map.runs[i].count * PAGE);
		to += (size_t)map.runs[i].count * PAGE;
		at += (size_t)map.runs[i].count * PAGE;
	}
	free(bytes);
}

START_TEST(pages_in_use)
{
	uint8_t *zeros = psu_heap_alloc_zeroed(heap, 100 * PAGE);
	uint8_t *full = psu_heap_alloc(heap, 3 * PAGE);
	uint8_t *gone = psu_heap_alloc(heap, 50 * PAGE);

	zeros[10 * PAGE + 5] = 1;
	zeros[12 * PAGE + PAGE - 1] = 2;
	memset(full, 3, 3 * PAGE);
	memset(gone, 4, 50 * PAGE);
	psu_heap_free(heap, gone);
	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	/* the map's two pages, two single ones, three */
	ck_assert_uint_le(psu_heap_map_len(&map), 8 * PAGE);
	ck_assert_uint_ge(map.run_count, 3);
	move();
	ck_assert_int_eq(adopt(), 0);
	ck_assert_uint_eq(zeros[10 * PAGE + 5], 1);
	ck_assert_uint_eq(zeros[12 * PAGE + PAGE - 1], 2);
	ck_assert_uint_eq(zeros[11 * PAGE], 0);
	ck_assert_uint_eq(full[3 * PAGE - 1], 3);
	ck_assert_ptr_nonnull(psu_heap_alloc(heap, 60 * PAGE));
}
END_TEST

/** More runs than may be listed: short gaps go along. */
START_TEST(too_many_runs)
{
	size_t count = 4 * PSU_HEAP_RUNS_MAX - FIRST - 2000;
	uint8_t *pages = psu_heap_alloc_zeroed(heap, count * PAGE);

	ck_assert_ptr_nonnull(pages);
	for (size_t i = 0; i < count; i += 2)
		pages[i * PAGE] = 1;
	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	ck_assert_uint_le(map.run_count, PSU_HEAP_RUNS_MAX);
	ck_assert_uint_ge(psu_heap_map_len(&map), count * PAGE / 2);
	move();
	ck_assert_int_eq(adopt(), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert(pages[i * PAGE] == !(i % 2));
}
END_TEST

/** Up to the last page, in as many runs as there can be, and in one. */
START_TEST(all_of_it)
{
	size_t count = HEAP_LEN / PAGE - FIRST - 1;
	uint8_t *pages = psu_heap_alloc_zeroed(heap, count * PAGE);
	size_t step = _i ? 2 : 1;

	ck_assert_ptr_nonnull(pages);
	ck_assert_ptr_null(psu_heap_alloc(heap, 2 * PAGE));
	for (size_t i = 0; i < count; i += step)
		pages[i * PAGE] = 1;
	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	move();
	ck_assert_int_eq(adopt(), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert(pages[i * PAGE] == !(i % step));
}
END_TEST

/** What is given back is not zeros where it is locked. */
START_TEST(locked)
{
	uint8_t *block = psu_heap_alloc(heap, 400 * PAGE);

	memset(block, 0xaa, 400 * PAGE);
	if (mlock(block, 100 * PAGE) != 0)
		return; /* not so much may be */
	psu_heap_free(heap, block);
	block = psu_heap_alloc_zeroed(heap, 400 * PAGE);
	ck_assert_uint_eq(block[0], 0);
	ck_assert_int_eq(memcmp(block, block + 1, 400 * PAGE - 1), 0);
}
END_TEST

/* ---- what a peer may say */

static struct psu_heap_run runs[2];

static void say(uint32_t map_pages, uint32_t rest, uint32_t gap, uint32_t count)
{
	runs[0] = (struct psu_heap_run){0, 1};
	runs[1] = (struct psu_heap_run){gap, count};
	map = (struct psu_heap_map){{map_pages, rest}, 2, runs};
}

START_TEST(where_no_heap_is)
{
	const uint32_t last = HEAP_LEN / PAGE - FIRST;
	static const struct {
		uint32_t map_pages, rest, gap, count;
		bool good;
	} cases[] = {
		{2, 10, FIRST - 1, 10, true},
		{2, 10, FIRST - 1, 11, false},
		{2, 10, FIRST, 10, false},
		{2, 10, FIRST - 2, 1, false},
		{2, 10, 1, 1, false},
		{2, 10, FIRST - 1, UINT32_MAX, false},
		{2, 10, UINT32_MAX, 1, false},
		{FIRST - 1, 10, 1, 1, true},
		{FIRST + 1, 10, 1, 1, false},
		{UINT32_MAX, 10, 1, 1, false},
		{0, 10, FIRST - 1, 1, false},
		{FIRST - 1, last, FIRST - 1, last, true},
		{FIRST - 1, last + 1, FIRST - 1, 1, false},
		{FIRST - 1, UINT32_MAX, FIRST - 1, 1, false},
	};

	munmap(low, HEAP_LEN);
	low = map_range(low, HEAP_LEN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		say(cases[i].map_pages, cases[i].rest, cases[i].gap, cases[i].count);
		ck_assert_int_eq(open_heap(),
						 cases[i].good ? 0 : PSU_THREAD_E_IMAGE_INVALID);
	}
	map = (struct psu_heap_map){.runs = NULL};
}
END_TEST

/** Pages that nothing is in yet are zeros, and do not come. */
START_TEST(unused_pages_came)
{
	ck_assert_ptr_nonnull(psu_heap_alloc(heap, 100));
	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	move();
	ck_assert_int_eq(adopt(), 0);
	map.runs[map.run_count++] = (struct psu_heap_run){10, 1};
	ck_assert_int_eq(adopt(), PSU_THREAD_E_IMAGE_INVALID);
}
END_TEST

START_TEST(no_heap_came)
{
	ck_assert_ptr_nonnull(psu_heap_alloc(heap, 100));
	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	move();
	ck_assert_int_eq(adopt(), 0);
	low[0] ^= 1;
	ck_assert_int_eq(adopt(), PSU_THREAD_E_IMAGE_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap_map");
	TCase *tests = tcase_create("map");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, pages_in_use);
	tcase_add_test(tests, too_many_runs);
	tcase_add_loop_test(tests, all_of_it, 0, 2);
	tcase_add_test(tests, locked);
	tcase_add_test(tests, where_no_heap_is);
	tcase_add_test(tests, unused_pages_came);
	tcase_add_test(tests, no_heap_came);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
