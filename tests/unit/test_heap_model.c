/* SPDX-License-Identifier: ISC */
/*
 * test_heap_model.c - a heap against a shadow, in random order, and against
 * those who have changed it
 *
 * Now and then the heap moves: its pages are copied, all is unmapped, and only
 * what a heap says of itself comes back.
 */
#include "test_heap_range.h"

#include "heap/heap_pages.h"

#include <stdio.h>
#include <string.h>

#define HEAP_LEN (UINT64_C(256) << 20)
#define BLOCKS 4000
#define STEPS 400000
#define FLIPS 20000

static uint8_t *low;
static struct psu_heap *heap;
static uint64_t random_state;

static struct shadow {
	uint8_t *block;
	size_t len;
	uint8_t fill;
} shadows[BLOCKS];

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static void setup(void)
{
	const char *seed = getenv("TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) | 1 : 20261127;
	printf("test_heap_model: TEST_SEED=%llu\n",
		   (unsigned long long)random_state);
	memset(shadows, 0, sizeof(shadows));
	low = map_range(low, HEAP_LEN);
	heap = psu_heap_init((uint64_t)low, (uint64_t)low + HEAP_LEN);
	ck_assert_ptr_eq(heap, low);
}

static void teardown(void)
{
	munmap(low, HEAP_LEN);
	low = NULL;
}

static bool verify(void)
{
	struct psu_heap_extent accessible[2];

	psu_heap_accessible(heap, accessible);
	return psu_heap_verify((uint64_t)low, (uint64_t)low + HEAP_LEN, accessible);
}

/* ---- steps */

static size_t draw_len(void)
{
	switch (draw(10)) {
	case 0:
		return draw(300000);
	case 1:
		return draw(40000);
	case 2:
		return 8000 + draw(400);
	default:
		return draw(600);
	}
}

static void fill(struct shadow *shadow)
{
	shadow->fill = (uint8_t)draw(256);
	memset(shadow->block, shadow->fill, shadow->len);
}

static void expect_filled(const struct shadow *shadow, size_t len)
{
	if (len == 0)
		return;
	ck_assert_uint_eq(shadow->block[0], shadow->fill);
	ck_assert(memcmp(shadow->block, shadow->block + 1, len - 1) == 0);
}

static void take(struct shadow *shadow)
{
	size_t align = draw(4) ? 1 : (size_t)1 << draw(16);

	shadow->len = draw_len();
	if (draw(8) == 0) {
		align = 1;
		shadow->block = psu_heap_alloc_zeroed(heap, shadow->len);
		shadow->fill = 0;
		if (shadow->block)
			expect_filled(shadow, shadow->len);
	} else {
		shadow->block = psu_heap_alloc_aligned(heap, align, shadow->len);
	}
	if (!shadow->block)
		return;
	ck_assert_uint_eq((uintptr_t)shadow->block % align, 0);
	ck_assert_int_eq(psu_heap_judge(heap, shadow->block), PSU_HEAP_BLOCK);
	ck_assert_uint_ge(psu_heap_usable_len(heap, shadow->block), shadow->len);
	fill(shadow);
}

static void resize(struct shadow *shadow)
{
	size_t len = draw_len();
	uint8_t *block = psu_heap_resize(heap, shadow->block, len);

	if (!block)
		return;
	shadow->block = block;
	expect_filled(shadow, len < shadow->len ? len : shadow->len);
	shadow->len = len;
	fill(shadow);
}

static void drop(struct shadow *shadow)
{
	psu_heap_free(heap, shadow->block);
	ck_assert_int_ne(psu_heap_judge(heap, shadow->block), PSU_HEAP_BLOCK);
	shadow->block = NULL;
}

static void step(void)
{
	struct shadow *shadow = &shadows[draw(BLOCKS)];

	if (!shadow->block) {
		take(shadow);
		return;
	}
	expect_filled(shadow, shadow->len);
	if (draw(4) == 0)
		resize(shadow);
	else
		drop(shadow);
}

/* ---- moves */

struct piece {
	struct psu_heap_extent extent;
	uint8_t *bytes;
};

static void move(void)
{
	static struct piece pieces[65536];
	struct psu_heap_extent accessible[2], extent;
	unsigned count = 0;
	uint64_t after = 0;

	psu_heap_accessible(heap, accessible);
	while (psu_heap_next(heap, after, &extent)) {
		pieces[count].extent = extent;
		pieces[count].bytes = malloc(extent.len);
		memcpy(pieces[count++].bytes, (void *)extent.addr, extent.len);
		after = extent.addr + extent.len;
	}
	munmap(low, HEAP_LEN);
	low = map_range(low, HEAP_LEN);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(mprotect((void *)accessible[i].addr, accessible[i].len,
								  PROT_READ | PROT_WRITE),
						 0);
	for (unsigned i = 0; i < count; i++) {
		memcpy((void *)pieces[i].extent.addr, pieces[i].bytes,
			   pieces[i].extent.len);
		free(pieces[i].bytes);
	}
	ck_assert(
		psu_heap_verify((uint64_t)low, (uint64_t)low + HEAP_LEN, accessible));
}

START_TEST(random_steps)
{
	struct psu_heap_extent extent;
	uint64_t used = 0, after = 0;

	for (int i = 0; i < STEPS; i++) {
		step();
		if (i % 20000 == 0)
			move();
		if (i % 1000 == 0)
			ck_assert(verify());
	}
	for (int i = 0; i < BLOCKS; i++)
		if (shadows[i].block) {
			expect_filled(&shadows[i], shadows[i].len);
			drop(&shadows[i]);
		}
	ck_assert(verify());
	while (psu_heap_next(heap, after, &extent)) {
		used += extent.len;
		after = extent.addr + extent.len;
	}
	/* the map, and a slab of each size at most */
	ck_assert_uint_le(used, 3 << 20);
}
END_TEST

/* ---- hostile heaps */

/** What does not read as a heap is refused; what does, can be used. */
static void flip(size_t at)
{
	struct psu_heap_extent accessible[2];
	uint8_t before = low[at];

	psu_heap_accessible(heap, accessible);
	low[at] ^= (uint8_t)(1 + draw(255));
	if (psu_heap_verify((uint64_t)low, (uint64_t)low + HEAP_LEN, accessible)) {
		for (int i = 0; i < 100; i++) {
			void *block = psu_heap_alloc(heap, draw_len());

			if (block)
				psu_heap_free(heap, block);
		}
		ck_assert(verify());
	}
	low[at] = before;
}

START_TEST(changed_by_others)
{
	struct psu_heap_extent map_extent, extent;
	uint64_t after;

	for (int i = 0; i < 20000; i++)
		step();
	ck_assert(psu_heap_next(heap, 0, &map_extent));
	for (size_t at = 0; at < 1024; at++)
		flip(at);
	for (int i = 0; i < FLIPS; i++)
		flip(draw(map_extent.len));
	/* slabs begin some of these ranges */
	after = (uint64_t)low + map_extent.len;
	while (psu_heap_next(heap, after, &extent)) {
		for (int i = 0; i < 20; i++)
			flip(extent.addr - (uint64_t)low + draw(128));
		after = extent.addr + extent.len;
	}
}
END_TEST

/* ---- heaps of which all but one thing is right */

static uint32_t small_run, free_run, last_run;

/** A slab, a large block, a free run, and a large block up to the mark. */
static void build(void)
{
	void *gap;

	small_run = psu_heap_page_of(heap, psu_heap_alloc(heap, 100));
	ck_assert_ptr_nonnull(psu_heap_alloc(heap, 9000));
	gap = psu_heap_alloc(heap, 20000);
	free_run = psu_heap_page_of(heap, gap);
	last_run = psu_heap_page_of(heap, psu_heap_alloc(heap, 20000));
	psu_heap_free(heap, gap);
	ck_assert_uint_eq(heap->pages[small_run].kind, PSU_PAGE_SLAB);
	ck_assert_uint_eq(last_run + heap->pages[last_run].run, heap->mark);
	ck_assert(verify());
}

static void run_over_the_mark(void)
{
	heap->pages[last_run].run++;
}

static void mark_over_what_is_accessible(void)
{
	heap->pages[last_run].run += heap->accessible - heap->mark + 1;
	heap->mark = heap->accessible + 1;
}

static void run_in_another_list(void)
{
	unsigned bin = psu_heap_bin_of(heap->pages[free_run].run);

	heap->bins[bin + 1] = heap->bins[bin];
	heap->bins[bin] = 0;
	heap->bins_used[0] ^= UINT64_C(3) << bin;
}

static void large_in_a_list(void)
{
	heap->bins[psu_heap_bin_of(heap->pages[free_run].run)] = last_run;
}

static void run_in_no_list(void)
{
	unsigned bin = psu_heap_bin_of(heap->pages[free_run].run);

	heap->bins[bin] = 0;
	heap->bins_used[0] ^= UINT64_C(1) << bin;
}

static void block_before_the_hint(void)
{
	struct psu_slab *slab = psu_heap_at(heap, small_run);

	slab->hint = 1;
}

static void blocks_miscounted(void)
{
	struct psu_slab *slab = psu_heap_at(heap, small_run);

	slab->free_count--;
}

static void slab_without_room_has_some(void)
{
	struct psu_slab *slab = psu_heap_at(heap, small_run);

	memset(slab->free_bits, 0,
		   (psu_heap_class_count(heap->pages[small_run].class) + 63) / 64 * 8);
	slab->free_count = 0;
}

static void words_behind_the_mark(void)
{
	heap->pages[heap->mark + 1].kind = PSU_PAGE_SLAB_INNER;
}

static void dirty_miscounted(void)
{
	heap->dirty++;
}

static void (*const changes[])(void) = {
	run_over_the_mark,	 mark_over_what_is_accessible,
	run_in_another_list, large_in_a_list,
	run_in_no_list,		 block_before_the_hint,
	blocks_miscounted,	 slab_without_room_has_some,
	dirty_miscounted,	 words_behind_the_mark,
};

START_TEST(one_thing_changed)
{
	struct psu_heap_extent accessible[2];

	build();
	psu_heap_accessible(heap, accessible);
	changes[_i]();
	ck_assert(
		!psu_heap_verify((uint64_t)low, (uint64_t)low + HEAP_LEN, accessible));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap_model");
	TCase *tests = tcase_create("model");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, random_steps);
	tcase_add_test(tests, changed_by_others);
	tcase_add_loop_test(tests, one_thing_changed, 0,
						sizeof(changes) / sizeof(changes[0]));
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
