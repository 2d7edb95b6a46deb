/* SPDX-License-Identifier: ISC */
/*
 * heap_kept.c - what its home keeps of a heap that has left
 *
 * In: a heap whose thread has left, or one that is on its way back and knows
 * which pages are as they were.  Out: pages that nobody can reach, and that
 * the system may take whenever it needs memory, whereupon they are zeros; or
 * a list of fewer pages that travel.
 */
#include "heap/heap_pages.h"
#include "report/traffic.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/** What the system is asked at a time: it lets nobody else change the
 * process's memory meanwhile. */
#define PIECE_LEN (UINT64_C(16) << 20)

/** Change something about [@addr, @addr + @len), piece by piece.  False: it
 * could not be changed everywhere. */
static bool change(uint64_t addr, uint64_t len, int (*how)(void *, size_t, int),
				   int what)
{
	while (len) {
		uint64_t piece = len < PIECE_LEN ? len : PIECE_LEN;

		if (how((void *)addr, piece, what) != 0)
			return false;
		addr += piece;
		len -= piece;
		psu_traffic_give_way();
	}
	return true;
}

void psu_heap_release(uint64_t low, uint64_t high)
{
	change(low, high - low, madvise, MADV_DONTNEED);
}

void psu_heap_keep(struct psu_heap *heap, uint32_t kept_out[2])
{
	struct psu_heap_extent extents[2];

	memset(kept_out, 0, 2 * sizeof(*kept_out));
	psu_heap_accessible(heap, extents);
	if (extents[1].len < PSU_HEAP_KEPT_LEN_MIN)
		return;
	for (int i = 0; i < 2; i++)
		if (!change(extents[i].addr, extents[i].len, madvise, MADV_FREE) ||
			!change(extents[i].addr, extents[i].len, mprotect, PROT_NONE))
			return;
	for (int i = 0; i < 2; i++)
		kept_out[i] = (uint32_t)(extents[i].len / PSU_HEAP_PAGE_LEN);
}

struct psu_heap_walk psu_heap_walk(uint64_t low, uint64_t high,
								   const uint32_t counts[2])
{
	struct psu_heap empty;

	psu_heap_make_header(low, high, &empty);
	return (struct psu_heap_walk){
		.low = low,
		.first = empty.first,
		.counts = {counts[0], counts[1]},
	};
}

uint32_t psu_heap_walk_left(const struct psu_heap_walk *walk)
{
	return walk->counts[0] + walk->counts[1] - walk->at;
}

uint32_t psu_heap_walk_next(struct psu_heap_walk *walk, uint32_t stride)
{
	uint32_t at = walk->at, left = psu_heap_walk_left(walk);

	walk->at += stride < left ? stride : left;
	return at < walk->counts[0] ? at : walk->first + (at - walk->counts[0]);
}

bool psu_heap_hold(uint64_t low, uint64_t high, const uint32_t kept[2],
				   bool accessible)
{
	struct psu_heap_walk walk = psu_heap_walk(low, high, kept);
	uint64_t behind = low + (uint64_t)walk.first * PSU_HEAP_PAGE_LEN;
	int protection = accessible ? PROT_READ | PROT_WRITE : PROT_NONE;

	return change(low, (uint64_t)kept[0] * PSU_HEAP_PAGE_LEN, mprotect,
				  protection) &&
		   change(behind, (uint64_t)kept[1] * PSU_HEAP_PAGE_LEN, mprotect,
				  protection);
}

void psu_heap_settle(void *page)
{
	/* what is written to is not free any more (madvise(2), MADV_FREE) */
	if (!psu_heap_page_is_zero(page))
		__atomic_fetch_or((uint64_t *)page, 0, __ATOMIC_RELAXED);
}

/* ---- fewer pages */

static bool is_set(const uint64_t *bits, uint32_t page)
{
	return bits[page / 64] >> page % 64 & 1;
}

/** The next pages of a run, from @page up to @end, that are alike; what is the
 * same in fewer than @least pages counts as changed. */
static uint32_t stretch(const uint64_t *same, uint32_t page, uint32_t end,
						uint32_t least, bool *same_out)
{
	uint32_t count = 0, of_late = 0;

	while (page + count < end && is_set(same, page + count))
		count++;
	*same_out = count >= least;
	if (*same_out)
		return count;
	for (count = 0; page + count < end && of_late < least; count++)
		of_late = is_set(same, page + count) ? of_late + 1 : 0;
	return of_late == least ? count - least : count;
}

/** Returns how many runs there are, or SIZE_MAX: too many. */
static size_t divide(const struct psu_heap_map *map, const uint64_t *same,
					 uint32_t least, struct psu_heap_run *runs_out)
{
	uint32_t page = 0, end = 0;
	size_t count = 0;

	for (size_t i = 0; i < map->run_count; i++) {
		page += map->runs[i].gap;
		for (uint32_t last = page + map->runs[i].count; page < last;) {
			bool kept;
			uint32_t len = stretch(same, page, last, least, &kept);

			if (count == PSU_HEAP_RUNS_MAX)
				return SIZE_MAX;
			runs_out[count] = (struct psu_heap_run){
				.gap = page - end, .count = len, .kept = kept};
			count++;
			page += len;
			end = page;
		}
	}
	return count;
}

bool psu_heap_map_spare(const struct psu_heap_map *map, const uint64_t *same,
						struct psu_heap_map *fewer_out)
{
	struct psu_heap_run *runs = malloc(PSU_HEAP_RUNS_MAX * sizeof(*runs));
	size_t count = SIZE_MAX;

	if (!runs)
		return false;
	/* at last nothing is the same, and the runs are what they were */
	for (uint32_t least = 1; count == SIZE_MAX; least *= 2)
		count = divide(map, same, least, runs);
	*fewer_out = *map;
	fewer_out->runs = runs;
	fewer_out->run_count = count;
	return true;
}
