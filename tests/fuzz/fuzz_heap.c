/* SPDX-License-Identifier: ISC */
/*
 * fuzz_heap.c - heaps that come from a peer
 *
 * Input: how many pages of both ranges were kept here, how many runs there are,
 * and a number; the section of an image that lists a heap's pages; each of
 * those, as its length without zeros at its end, and that many bytes; and what
 * is done to the heap, up to the end.  The destination opens it, takes the
 * pages in and adopts it.  What is adopted can be used, is a heap then too, and
 * comes back to where most of it was kept.  Nothing outside it is accessible.
 */
#include "fuzz.h"
#include "bytes/bytes.h"
#include "heap/heap_pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The seeds name these addresses. */
#define LOW UINT64_C(0x300000000000)
#define PAGE_COUNT 1024u
#define HIGH (LOW + (uint64_t)PAGE_COUNT * PSU_HEAP_PAGE_LEN)
#define GUARD_LEN (UINT64_C(64) << 20)
#define RUNS_MAX 64
#define BLOCKS_MAX 64
#define STEPS_MAX 300
#define KEPT_FILL 0x5a
#define BLOCK_FILL 0xa5

static uint8_t *const low = (uint8_t *)LOW;
static struct psu_heap *const heap = (struct psu_heap *)LOW;
static uint8_t pages[PAGE_COUNT][PSU_HEAP_PAGE_LEN]; /* in their order */

static void demand(bool right)
{
	if (!right)
		abort();
}

static void map_inaccessible(uint64_t from, uint64_t end, int how)
{
	void *wanted = (void *)from;

	demand(mmap(wanted, end - from, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | how, -1,
				0) == wanted);
}

/** What lies there is gone, and all is inaccessible. */
static void clear(void)
{
	static bool mapped;

	if (!mapped)
		map_inaccessible(LOW - GUARD_LEN, HIGH + GUARD_LEN,
						 MAP_FIXED_NOREPLACE);
	mapped = true;
	map_inaccessible(LOW, HIGH, MAP_FIXED);
}

/* ---- what the input says */

struct input {
	uint32_t kept[2];
	uint32_t number;
	struct psu_heap_map map;
	struct psu_heap_run runs[RUNS_MAX];
	struct psu_reader rest;
};

static void get_input(struct input *input)
{
	struct psu_reader *reader = &input->rest;
	struct psu_heap_map *map = &input->map;
	struct psu_heap empty;

	psu_heap_make_header(LOW, HIGH, &empty);
	input->kept[0] = psu_get_u8(reader) % empty.first;
	input->kept[1] = psu_get_u8(reader);
	if (!input->kept[0])
		input->kept[1] = 0;
	map->run_count = psu_get_u8(reader) % (RUNS_MAX + 1);
	input->number = psu_get_u8(reader);
	map->accessible[0] = psu_get_u32(reader);
	map->accessible[1] = psu_get_u32(reader);
	map->runs = input->runs;
	for (size_t i = 0; i < map->run_count; i++) {
		uint32_t gap = psu_get_u32(reader), word = psu_get_u32(reader);

		map->runs[i] = (struct psu_heap_run){gap, word & (UINT32_MAX >> 1),
											 word >> 31};
	}
}

static void get_page(struct psu_reader *reader, uint8_t *page_out)
{
	size_t len = psu_get_u16(reader) % (PSU_HEAP_PAGE_LEN + 1);
	const uint8_t *bytes = psu_get_span(reader, len);

	memset(page_out, 0, PSU_HEAP_PAGE_LEN);
	if (bytes)
		memcpy(page_out, bytes, len);
}

/* ---- the pages of a map, one after the other */

enum page_use { WRITE_SENT, WRITE_KEPT, SPOIL_SENT, READ_ALL, EXPECT_ALL };

static void use_page(uint8_t *page, bool kept, enum page_use use, size_t number)
{
	if (use == READ_ALL)
		memcpy(pages[number], page, PSU_HEAP_PAGE_LEN);
	else if (use == EXPECT_ALL)
		demand(memcmp(pages[number], page, PSU_HEAP_PAGE_LEN) == 0);
	else if (use == SPOIL_SENT && !kept)
		memset(page, KEPT_FILL, PSU_HEAP_PAGE_LEN);
	else if (use != SPOIL_SENT && kept == (use == WRITE_KEPT))
		memcpy(page, pages[number], PSU_HEAP_PAGE_LEN);
}

/** Those behind the slot are not used. */
static void use_pages(const struct psu_heap_map *map, enum page_use use)
{
	uint64_t at = 0;
	size_t number = 0;

	for (size_t i = 0; i < map->run_count; i++) {
		at += map->runs[i].gap;
		for (uint32_t n = 0; n < map->runs[i].count; n++, at++) {
			if (at >= PAGE_COUNT)
				return;
			use_page(low + at * PSU_HEAP_PAGE_LEN, map->runs[i].kept, use,
					 number++);
		}
	}
}

/** As use_pages() will ask for them. */
static void get_pages(struct input *input)
{
	size_t number = 0;

	for (size_t i = 0; i < input->map.run_count; i++)
		for (uint32_t n = 0; n < input->runs[i].count && number < PAGE_COUNT;
			 n++)
			get_page(&input->rest, pages[number++]);
}

/** What is kept is kept, and nothing else is left of what was there. */
static void check_kept(const struct psu_heap_map *map, const uint32_t kept[2])
{
	struct psu_heap_walk walk = psu_heap_walk(LOW, HIGH, kept);
	static uint8_t is_listed[PAGE_COUNT];
	uint64_t at = 0;

	memset(is_listed, 0, sizeof(is_listed));
	for (size_t i = 0; i < map->run_count; i++) {
		at += map->runs[i].gap;
		memset(is_listed + at, 1, map->runs[i].count);
		at += map->runs[i].count;
	}
	while (psu_heap_walk_left(&walk)) {
		uint32_t page = psu_heap_walk_next(&walk, 1);
		bool within = page < walk.first
						  ? page < map->accessible[0]
						  : page - walk.first < map->accessible[1];

		if (within && !is_listed[page])
			demand(psu_heap_page_is_zero(psu_heap_walk_page(&walk, page)));
	}
}

/* ---- steps */

struct blocks {
	uint8_t *known[BLOCKS_MAX];
	size_t count;
};

static void expect_block(const uint8_t *block, size_t len)
{
	const uint8_t *first = psu_heap_at(heap, heap->first);
	const uint8_t *end = psu_heap_at(heap, heap->mark);

	demand(block >= first && block < end && len <= (size_t)(end - block));
}

static void know(struct blocks *blocks, uint8_t *block, size_t len)
{
	size_t usable;

	if (!block)
		return;
	demand(psu_heap_judge(heap, block) == PSU_HEAP_BLOCK);
	usable = psu_heap_usable_len(heap, block);
	demand(usable >= len);
	expect_block(block, usable);
	memset(block, BLOCK_FILL,
		   usable < PSU_HEAP_SMALL_MAX ? usable : PSU_HEAP_SMALL_MAX);
	block[usable - 1] = BLOCK_FILL;
	blocks->known[blocks->count++ % BLOCKS_MAX] = block;
}

static void take(struct blocks *blocks, uint8_t kind, uint32_t number)
{
	size_t len = number % (kind & 0x80 ? HIGH - LOW : 3 * PSU_HEAP_SMALL_MAX);
	uint8_t *block;

	if (kind & 0x40) {
		block = psu_heap_alloc_zeroed(heap, len);
		if (block && len && len <= PSU_HEAP_SMALL_MAX)
			demand(!block[0] && memcmp(block, block + 1, len - 1) == 0);
	} else {
		size_t align = (size_t)1 << (number >> 24) % 24;

		block = psu_heap_alloc_aligned(heap, align, len);
		demand((uintptr_t)block % align == 0);
	}
	know(blocks, block, len);
}

/** One that was taken, or whatever the peer says is one. */
static uint8_t *choose(const struct blocks *blocks, uint8_t kind,
					   uint32_t number)
{
	size_t count = blocks->count < BLOCKS_MAX ? blocks->count : BLOCKS_MAX;

	if (kind & 0x80 && count)
		return blocks->known[number % count];
	return low + number % (HIGH - LOW);
}

static void step(struct blocks *blocks, struct psu_reader *reader)
{
	uint8_t kind = psu_get_u8(reader), *block;
	uint32_t number = psu_get_u32(reader);

	if (kind % 4 == 0) {
		take(blocks, kind, number);
		return;
	}
	block = choose(blocks, kind, number);
	if (psu_heap_judge(heap, block) != PSU_HEAP_BLOCK)
		return;
	expect_block(block, psu_heap_usable_len(heap, block));
	if (kind % 4 == 1) {
		size_t len = psu_get_u32(reader) % (HIGH - LOW);

		know(blocks, psu_heap_resize(heap, block, len), len);
	} else {
		psu_heap_free(heap, block);
		demand(psu_heap_judge(heap, block) != PSU_HEAP_BLOCK);
	}
}

/* ---- moves */

/** What the input says was kept, between other things. */
static void keep(const struct input *input)
{
	struct psu_heap_walk walk = psu_heap_walk(LOW, HIGH, input->kept);
	struct psu_heap_map map = input->map;
	uint64_t at = 0;

	if (!input->kept[0])
		return;
	demand(psu_heap_hold(LOW, HIGH, input->kept, true));
	while (psu_heap_walk_left(&walk))
		memset(psu_heap_walk_page(&walk, psu_heap_walk_next(&walk, 1)),
			   KEPT_FILL, PSU_HEAP_PAGE_LEN);
	/* a map with others is refused */
	for (map.run_count = 0; map.run_count < input->map.run_count;
		 map.run_count++) {
		const struct psu_heap_run *run = &map.runs[map.run_count];
		uint32_t kept = input->kept[0];

		at += run->gap;
		if (at >= walk.first)
			kept = walk.first + input->kept[1];
		if (run->kept && at + run->count > kept)
			break;
		at += run->count;
	}
	use_pages(&map, WRITE_KEPT);
	demand(psu_heap_hold(LOW, HIGH, input->kept, false));
}

static bool arrive(const struct input *input)
{
	const struct psu_heap_map *map = &input->map;

	if (psu_heap_open(map, LOW, HIGH, input->kept) != 0)
		return false;
	check_kept(map, input->kept);
	use_pages(map, WRITE_SENT);
	use_pages(map, EXPECT_ALL);
	return psu_heap_adopt(map, LOW, HIGH) == 0;
}

/** Go away, and come back: some pages are the same as were kept, and the
 * others are something else. */
static void come_back(uint32_t number)
{
	uint64_t same[PAGE_COUNT / 64];
	struct psu_heap_map map, fewer;
	uint32_t kept[2];

	for (size_t i = 0; i < PAGE_COUNT / 64; i++)
		same[i] = (uint64_t)number << i | number >> i % 8;
	demand(psu_heap_survey(heap, &map) == 0);
	demand(psu_heap_map_spare(&map, same, &fewer));
	demand(psu_heap_map_len(&fewer) <= psu_heap_map_len(&map));
	use_pages(&fewer, READ_ALL);
	kept[0] = map.accessible[0];
	kept[1] = map.accessible[1];
	use_pages(&fewer, SPOIL_SENT);
	demand(psu_heap_hold(LOW, HIGH, kept, false));
	demand(psu_heap_open(&fewer, LOW, HIGH, kept) == 0);
	check_kept(&fewer, kept);
	use_pages(&fewer, WRITE_SENT);
	use_pages(&fewer, EXPECT_ALL);
	demand(psu_heap_adopt(&fewer, LOW, HIGH) == 0);
	psu_heap_map_free(&fewer);
	psu_heap_map_free(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input input = {.rest = {.at = bytes, .end = bytes + len}};
	struct blocks blocks = {.count = 0};
	struct psu_heap_extent accessible[2];

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	get_input(&input);
	if (input.rest.bad)
		return 0;
	get_pages(&input);
	clear();
	keep(&input);
	if (!arrive(&input))
		return 0;
	input.rest.bad = false;
	for (int i = 0; i < STEPS_MAX && input.rest.at < input.rest.end; i++)
		step(&blocks, &input.rest);
	psu_heap_accessible(heap, accessible);
	demand(psu_heap_verify(LOW, HIGH, accessible));
	come_back(input.number);
	return 0;
}
