/* SPDX-License-Identifier: ISC */
/*
 * test_heap_map.c - do the right pages of a heap go, and only where it can have
 * some?
 */
#include "test_heap_range.h"

#include "heap/heap.h"

#include <string.h>
#include <unistd.h>

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
	return psu_heap_open(&map, (uint64_t)low, (uint64_t)low + HEAP_LEN,
						 (uint32_t[2]){0});
}

static int open_kept(const uint32_t kept[2])
{
	return psu_heap_open(&map, (uint64_t)low, (uint64_t)low + HEAP_LEN, kept);
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
	runs[0] = (struct psu_heap_run){0, 1, 0};
	runs[1] = (struct psu_heap_run){gap, count, 0};
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
	map.runs[map.run_count++] = (struct psu_heap_run){10, 1, 0};
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

/* ---- what was kept */

#define KEPT_PAGES 512u /* of a block */

/** A heap with a block of that many pages, each of which has its number. */
static uint32_t *fill_block(void)
{
	uint32_t *block = psu_heap_alloc(heap, KEPT_PAGES * PAGE);

	for (uint32_t i = 0; i < KEPT_PAGES; i++)
		block[i * PAGE / 4] = i + 1;
	return block;
}

/** Bits of all pages but every @nth of the block's. */
static uint64_t *mark_same(const uint32_t *block, uint32_t nth)
{
	uint32_t first = (uint32_t)(((uint8_t *)block - low) / PAGE);
	uint64_t *same = calloc(HEAP_LEN / PAGE / 64 + 1, sizeof(*same));

	for (uint32_t i = 0; i < KEPT_PAGES; i++)
		if (i % nth)
			same[(first + i) / 64] |= UINT64_C(1) << (first + i) % 64;
	return same;
}

/** Make @map the one without the pages that are the same. */
static void spare(const uint32_t *block, uint32_t nth)
{
	uint64_t *same = mark_same(block, nth);
	struct psu_heap_map fewer;

	ck_assert(psu_heap_map_spare(&map, same, &fewer));
	psu_heap_map_free(&map);
	map = fewer;
	free(same);
}

/** It leaves and comes back: of what was kept nothing is lost, what is not
 * listed is zeros, and what travels has a place. */
START_TEST(some_pages_are_kept)
{
	uint32_t *gone = psu_heap_alloc(heap, 16 * PAGE), kept[2], sent = 0;
	uint32_t *block = fill_block(), *later = psu_heap_alloc(heap, 16 * PAGE);
	uint64_t all;

	memset(gone, 6, 16 * PAGE);
	memset(later, 7, 16 * PAGE);
	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	all = psu_heap_map_len(&map);
	psu_heap_keep(heap, kept);
	ck_assert_uint_ge(kept[1], KEPT_PAGES);
	ck_assert(psu_heap_hold((uint64_t)low, (uint64_t)low + HEAP_LEN, kept, 1));
	psu_heap_map_free(&map);
	memset(gone, 0, 16 * PAGE); /* which is so where it has been */
	memset(later, 0, 16 * PAGE);
	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	memset(gone, 8, 16 * PAGE); /* and this is what was kept */
	memset(later, 9, 16 * PAGE);
	spare(block, 100);
	ck_assert_uint_lt(psu_heap_map_len(&map), all / 2);
	ck_assert(psu_heap_hold((uint64_t)low, (uint64_t)low + HEAP_LEN, kept, 0));
	ck_assert_int_eq(open_kept(kept), 0);
	for (uint32_t i = 0; i < KEPT_PAGES; i++)
		ck_assert_uint_eq(block[i * PAGE / 4], i + 1);
	for (size_t i = 0; i < 16 * PAGE / 4; i++)
		ck_assert_uint_eq(gone[i] + later[i], 0);
	for (size_t i = 0; i < map.run_count; i++)
		sent += !map.runs[i].kept;
	ck_assert_uint_ge(sent, KEPT_PAGES / 100);
	ck_assert_int_eq(adopt(), 0);
}
END_TEST

/** Pages that are said to be here, and were not kept. */
START_TEST(what_was_not_kept)
{
	uint32_t *block = fill_block(), kept[2];
	uint32_t nothing[2] = {0, 0}, fewer[2];

	ck_assert_int_eq(psu_heap_survey(heap, &map), 0);
	spare(block, KEPT_PAGES);
	psu_heap_keep(heap, kept);
	ck_assert_int_eq(open_kept(nothing), PSU_THREAD_E_IMAGE_INVALID);
	memcpy(fewer, kept, sizeof(fewer));
	fewer[1] = KEPT_PAGES / 2;
	ck_assert_int_eq(open_kept(fewer), PSU_THREAD_E_IMAGE_INVALID);
	ck_assert_int_eq(open_kept(kept), 0);
}
END_TEST

/** More changes than there may be runs: nothing is left out that changed. */
START_TEST(too_many_changes)
{
	const uint32_t count = 3 * PSU_HEAP_RUNS_MAX;
	uint64_t *same = calloc(count / 64 + 2, sizeof(*same));
	struct psu_heap_run run = {1, count, 0};
	const struct psu_heap_map whole = {{1, count}, 1, &run};
	uint32_t page = 0;

	for (uint32_t i = 1; i <= count; i++)
		if (i % 3 && i % 1000 > 100)
			same[i / 64] |= UINT64_C(1) << i % 64;
	ck_assert(psu_heap_map_spare(&whole, same, &map));
	ck_assert_uint_le(map.run_count, PSU_HEAP_RUNS_MAX);
	for (size_t i = 0; i < map.run_count; i++) {
		ck_assert(i ? map.runs[i].gap == 0 : map.runs[i].gap == 1);
		ck_assert(!i || map.runs[i].kept != map.runs[i - 1].kept);
		page += map.runs[i].gap;
		for (uint32_t end = page + map.runs[i].count; page < end; page++)
			ck_assert(!map.runs[i].kept || same[page / 64] >> page % 64 & 1);
	}
	ck_assert_uint_eq(page, count + 1);
	free(same);
}
END_TEST

/** A small heap is not kept; of a large one nobody can read what is. */
START_TEST(kept_out_of_reach)
{
	uint32_t kept[2] = {1, 1};
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_ptr_nonnull(psu_heap_alloc(heap, 100));
	psu_heap_keep(heap, kept);
	ck_assert_uint_eq(kept[0] + kept[1], 0);
	ck_assert_uint_eq(*fill_block(), 1);
	psu_heap_keep(heap, kept);
	ck_assert_uint_gt(kept[0], 0);
	ck_assert_int_eq(write(fds[1], low, 1), -1);
	ck_assert_int_eq(psu_heap_drop((uint64_t)low, (uint64_t)low + HEAP_LEN), 0);
	ck_assert_int_eq(write(fds[1], low, 1), -1);
	ck_assert(psu_heap_hold((uint64_t)low, (uint64_t)low + HEAP_LEN, kept, 1));
	ck_assert_uint_eq(*(uint64_t *)low, 0);
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
	tcase_add_test(tests, some_pages_are_kept);
	tcase_add_test(tests, what_was_not_kept);
	tcase_add_test(tests, too_many_changes);
	tcase_add_test(tests, kept_out_of_reach);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
