/* SPDX-License-Identifier: ISC */
/*
 * heap_open.c - memory for a heap that comes, and whether it is one
 *
 * In: a list of pages from a peer, every byte of which is hostile, and what
 * may have been kept of that heap here.  Out: accessible memory, with zeros
 * where nothing comes and nothing was kept; and then a heap.  Refused: pages
 * where no heap of that slot can have any, or that were not kept.
 */
#include "heap/heap_pages.h"

#include <sys/mman.h>

/** Of a huge page, on x86-64. */
#define HUGE_LEN (UINT64_C(2) << 20)

/** Where so many pages lie. */
static void extents_of(const uint32_t counts[2], uint64_t low, uint64_t high,
					   struct psu_heap_extent extents_out[2])
{
	struct psu_heap empty;

	psu_heap_make_header(low, high, &empty);
	extents_out[0] = (struct psu_heap_extent){low, (uint64_t)counts[0] *
													   PSU_HEAP_PAGE_LEN};
	extents_out[1] = (struct psu_heap_extent){
		low + (uint64_t)empty.first * PSU_HEAP_PAGE_LEN,
		(uint64_t)counts[1] * PSU_HEAP_PAGE_LEN};
}

static bool is_within(uint64_t addr, uint64_t len,
					  const struct psu_heap_extent extents[2])
{
	for (int i = 0; i < 2; i++) {
		const struct psu_heap_extent *extent = &extents[i];

		if (addr >= extent->addr && addr - extent->addr <= extent->len &&
			len <= extent->len - (addr - extent->addr))
			return true;
	}
	return false;
}

/** The ranges are in the slot, and the runs in them. */
static bool map_fits(const struct psu_heap_map *map,
					 const struct psu_heap_extent extents[2], uint64_t high,
					 const struct psu_heap_extent kept[2])
{
	uint64_t addr = extents[0].addr;

	if (!extents[0].len || extents[0].len > extents[1].addr - addr ||
		extents[1].len > high - extents[1].addr)
		return false;
	for (size_t i = 0; i < map->run_count; i++) {
		const struct psu_heap_run *run = &map->runs[i];
		uint64_t len = (uint64_t)run->count * PSU_HEAP_PAGE_LEN;

		addr += (uint64_t)run->gap * PSU_HEAP_PAGE_LEN;
		if (!is_within(addr, len, extents) ||
			(run->kept && !is_within(addr, len, kept)))
			return false;
		addr += len;
	}
	return true;
}

/** Fresh pages in the place of whatever is there. */
static bool renew(uint64_t addr, uint64_t len, int protection)
{
	void *wanted = (void *)addr;

	return !len || mmap(wanted, len, protection,
						MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
						-1, 0) == wanted;
}

/** Zeros where the kept ranges reach into [@low, @high). */
static bool drop_kept(uint64_t low, uint64_t high,
					  const struct psu_heap_extent kept[2])
{
	for (int i = 0; i < 2; i++) {
		uint64_t end = kept[i].addr + kept[i].len;
		uint64_t from = low > kept[i].addr ? low : kept[i].addr;
		uint64_t to = high < end ? high : end;

		/* pages that somebody has locked are not given back */
		if (from < to && madvise((void *)from, to - from, MADV_DONTNEED) != 0 &&
			!renew(from, to - from, PROT_NONE))
			return false;
	}
	return true;
}

/** Nothing is left of what was kept but pages that are still of use: those
 * that stay, and those that are written over. */
static bool drop_useless(const struct psu_heap_map *map, uint64_t low,
						 uint64_t high, const struct psu_heap_extent kept[2])
{
	uint64_t addr = low;

	for (size_t i = 0; i < map->run_count; i++) {
		uint64_t gap = (uint64_t)map->runs[i].gap * PSU_HEAP_PAGE_LEN;

		if (!drop_kept(addr, addr + gap, kept))
			return false;
		addr += gap + (uint64_t)map->runs[i].count * PSU_HEAP_PAGE_LEN;
	}
	return drop_kept(addr, high, kept);
}

static bool make_accessible(const struct psu_heap_extent *extent, bool fresh)
{
	if (fresh)
		return renew(extent->addr, extent->len, PROT_READ | PROT_WRITE);
	return !extent->len || mprotect((void *)extent->addr, extent->len,
									PROT_READ | PROT_WRITE) == 0;
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

int psu_heap_open(const struct psu_heap_map *map, uint64_t low, uint64_t high,
				  const uint32_t kept_counts[2])
{
	struct psu_heap_extent extents[2], kept[2];
	bool fresh = !kept_counts[0];

	extents_of(map->accessible, low, high, extents);
	extents_of(kept_counts, low, high, kept);
	if (!map_fits(map, extents, high, kept))
		return psu_error_set(PSU_THREAD_E_IMAGE_INVALID,
							 "cannot take a thread in: its heap lists pages "
							 "that no heap has there: install the same "
							 "psu_thread on both hosts");
	if (!(fresh || drop_useless(map, low, high, kept)) ||
		!make_accessible(&extents[0], fresh) ||
		!make_accessible(&extents[1], fresh))
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot take a thread in: no memory for the %llu "
							 "bytes of its heap: %m: free some on this host",
							 (unsigned long long)psu_heap_map_len(map));
	prefer_huge(map, low);
	return 0;
}

int psu_heap_drop(uint64_t low, uint64_t high)
{
	if (renew(low, high - low, PROT_NONE))
		return 0;
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "cannot take a thread in: no memory for its slot: %m: "
						 "free some on this host");
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

	extents_of(map->accessible, low, high, extents);
	if (psu_heap_verify(low, high, extents) &&
		is_unused_zero(map, (const struct psu_heap *)low))
		return 0;
	return psu_error_set(PSU_THREAD_E_IMAGE_INVALID,
						 "cannot take a thread in: what came as its heap is "
						 "none: install the same psu_thread on both hosts");
}
