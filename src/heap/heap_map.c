/* SPDX-License-Identifier: ISC */
/*
 * heap_map.c - which of a heap's pages travel, and where they belong
 *
 * In: a heap whose thread is stopped; or, from a peer, a list of pages, every
 * byte of which is hostile.  Out: the list of those that are in use and not
 * all zeros; or the memory for them.  Refused: pages where no heap of that
 * slot can have any.
 */
#include "heap/heap_pages.h"
#include "report/traffic.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/** Of a huge page, on x86-64. */
#define HUGE_LEN (UINT64_C(2) << 20)

/** Pages between two looks at whether others wait for the processor. */
#define PAUSE_COUNT 64

static bool is_zero(const uint8_t *page)
{
	const uint64_t *words = (const uint64_t *)page;

	return !words[0] && memcmp(page, page + 8, PSU_HEAP_PAGE_LEN - 8) == 0;
}

/** A map under construction. */
struct survey {
	const struct psu_heap *heap;
	struct psu_heap_map map;
	uint32_t end;		/* of the last run */
	uint32_t gap_least; /* shorter gaps travel: else there are too many runs */
};

/** The page is to travel.  False: too many runs. */
static bool add_page(struct survey *survey, uint32_t page)
{
	struct psu_heap_map *map = &survey->map;
	uint32_t first = survey->heap->first, gap = page - survey->end;
	bool over_guard = survey->end <= first && page >= first;

	if (map->run_count && gap < survey->gap_least && !over_guard) {
		map->runs[map->run_count - 1].count += gap + 1;
	} else {
		if (map->run_count == PSU_HEAP_RUNS_MAX)
			return false;
		map->runs[map->run_count++] = (struct psu_heap_run){gap, 1};
	}
	survey->end = page + 1;
	return true;
}

/** False: too many runs. */
static bool add_all(struct survey *survey)
{
	const struct psu_heap *heap = survey->heap;
	struct psu_heap_extent extent;
	uint64_t after = 0;

	survey->map.run_count = 0;
	survey->end = 0;
	while (psu_heap_next(heap, after, &extent)) {
		after = extent.addr + extent.len;
		for (uint64_t at = extent.addr; at < after; at += PSU_HEAP_PAGE_LEN) {
			uint32_t page = psu_heap_page_of(heap, (void *)at);

			if (!is_zero((const uint8_t *)at) && !add_page(survey, page))
				return false;
			if (page % PAUSE_COUNT == 0)
				psu_traffic_give_way();
		}
	}
	return true;
}

int psu_heap_survey(const struct psu_heap *heap, struct psu_heap_map *map_out)
{
	struct survey survey = {.heap = heap, .gap_least = 1};
	struct psu_heap_extent accessible[2];
	struct psu_heap_run *runs;

	psu_heap_accessible(heap, accessible);
	survey.map.accessible[0] = (uint32_t)(accessible[0].len /
										  PSU_HEAP_PAGE_LEN);
	survey.map.accessible[1] = (uint32_t)(accessible[1].len /
										  PSU_HEAP_PAGE_LEN);
	survey.map.runs = malloc(PSU_HEAP_RUNS_MAX * sizeof(*runs));
	if (!survey.map.runs)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot move the thread: no memory to list its "
							 "heap's pages: free some on this host and try "
							 "again");
	while (!add_all(&survey))
		survey.gap_least *= 2;
	runs = realloc(survey.map.runs, (survey.map.run_count + 1) * sizeof(*runs));
	if (runs)
		survey.map.runs = runs;
	*map_out = survey.map;
	return 0;
}

void psu_heap_map_free(struct psu_heap_map *map)
{
	free(map->runs);
	*map = (struct psu_heap_map){.runs = NULL};
}

uint64_t psu_heap_map_len(const struct psu_heap_map *map)
{
	uint64_t count = 0;

	for (size_t i = 0; i < map->run_count; i++)
		count += map->runs[i].count;
	return count * PSU_HEAP_PAGE_LEN;
}

/** Where @map says that memory is accessible. */
static void extents_of(const struct psu_heap_map *map, uint64_t low,
					   uint64_t high, struct psu_heap_extent extents_out[2])
{
	struct psu_heap empty;

	psu_heap_make_header(low, high, &empty);
	extents_out[0] = (struct psu_heap_extent){
		low, (uint64_t)map->accessible[0] * PSU_HEAP_PAGE_LEN};
	extents_out[1] = (struct psu_heap_extent){
		low + (uint64_t)empty.first * PSU_HEAP_PAGE_LEN,
		(uint64_t)map->accessible[1] * PSU_HEAP_PAGE_LEN};
}

static bool is_within(uint64_t addr, uint64_t len,
					  const struct psu_heap_extent *extent)
{
	return addr >= extent->addr && addr - extent->addr <= extent->len &&
		   len <= extent->len - (addr - extent->addr);
}

static bool map_fits(const struct psu_heap_map *map, uint64_t low,
					 uint64_t high)
{
	struct psu_heap_extent extents[2];
	uint64_t addr = low;

	extents_of(map, low, high, extents);
	if (!extents[0].len || extents[0].len > extents[1].addr - low ||
		extents[1].len > high - extents[1].addr)
		return false;
	for (size_t i = 0; i < map->run_count; i++) {
		uint64_t len = (uint64_t)map->runs[i].count * PSU_HEAP_PAGE_LEN;

		addr += (uint64_t)map->runs[i].gap * PSU_HEAP_PAGE_LEN;
		if (!is_within(addr, len, &extents[0]) &&
			!is_within(addr, len, &extents[1]))
			return false;
		addr += len;
	}
	return true;
}

/** Fresh pages in the place of whatever is there: what does not come is to be
 * zeros. */
static bool renew(const struct psu_heap_extent *extent)
{
	void *wanted = (void *)extent->addr;

	return !extent->len ||
		   mmap(wanted, extent->len, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
				0) == wanted;
}

/** Where whole huge pages will be filled, let them be huge: to make those takes
 * a quarter of the time.  Elsewhere they would take memory that nobody uses. */
static void prefer_huge(const struct psu_heap_map *map, uint64_t low)
{
	uint64_t addr = low;

	for (size_t i = 0; i < map->run_count; i++) {
		uint64_t first, end;

		addr += (uint64_t)map->runs[i].gap * PSU_HEAP_PAGE_LEN;
		first = (addr + HUGE_LEN - 1) & ~(HUGE_LEN - 1);
		addr += (uint64_t)map->runs[i].count * PSU_HEAP_PAGE_LEN;
		end = addr & ~(HUGE_LEN - 1);
		if (first < end) /* a kernel without them has none */
			madvise((void *)first, end - first, MADV_HUGEPAGE);
	}
}

int psu_heap_open(const struct psu_heap_map *map, uint64_t low, uint64_t high)
{
	struct psu_heap_extent extents[2];

	if (!map_fits(map, low, high))
		return psu_error_set(PSU_THREAD_E_IMAGE_INVALID,
							 "cannot take a thread in: its heap lists pages "
							 "that no heap has there: install the same "
							 "psu_thread on both hosts");
	extents_of(map, low, high, extents);
	if (!renew(&extents[0]) || !renew(&extents[1]))
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot take a thread in: no memory for the %llu "
							 "bytes of its heap: %m: free some on this host",
							 (unsigned long long)psu_heap_map_len(map));
	prefer_huge(map, low);
	return 0;
}

/** Whether no page has come that is not in use yet: they are zeros. */
static bool is_unused_zero(const struct psu_heap_map *map,
						   const struct psu_heap *heap)
{
	uint64_t low = (uint64_t)heap;
	uint32_t map_end = (uint32_t)((psu_heap_map_high(heap, heap->mark) - low) /
								  PSU_HEAP_PAGE_LEN);
	uint64_t end = 0;

	for (size_t i = 0; i < map->run_count; i++) {
		end += (uint64_t)map->runs[i].gap + map->runs[i].count;
		if (end > heap->mark || (end > map_end && end <= heap->first))
			return false;
	}
	return true;
}

int psu_heap_adopt(const struct psu_heap_map *map, uint64_t low, uint64_t high)
{
	struct psu_heap_extent extents[2];

	extents_of(map, low, high, extents);
	if (psu_heap_verify(low, high, extents) &&
		is_unused_zero(map, (const struct psu_heap *)low))
		return 0;
	return psu_error_set(PSU_THREAD_E_IMAGE_INVALID,
						 "cannot take a thread in: what came as its heap is "
						 "none: install the same psu_thread on both hosts");
}
