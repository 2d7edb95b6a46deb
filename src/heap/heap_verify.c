/* SPDX-License-Identifier: ISC */
/*
 * heap_verify.c - is what came from somewhere else a heap?
 *
 * In: the pages of a heap as a peer sent them, or as the program has left them
 * that may have written where it should not; every byte read here is hostile.
 * Out: that all of it agrees.  Then each number in it is one of a page that is
 * what it is taken for, and what is done to the heap stays inside it.
 */
#include "heap/heap_pages.h"

#include <string.h>

/** What a walk over all runs has found. */
struct census {
	uint32_t free_runs, slabs_with_room;
	uint32_t dirty; /* pages of free runs */
};

static bool header_is_sound(const struct psu_heap *heap, uint64_t low,
							uint64_t high,
							const struct psu_heap_extent accessible[2])
{
	struct psu_heap_extent stated[2];
	struct psu_heap empty;

	psu_heap_make_header(low, high, &empty);
	if (heap->high != empty.high || heap->first != empty.first ||
		heap->count != empty.count || heap->mark < heap->first ||
		heap->mark > heap->accessible || heap->accessible > heap->count)
		return false;
	psu_heap_accessible(heap, stated);
	return memcmp(stated, accessible, sizeof(stated)) == 0;
}

/** Whether all entries of a run but the first are @kind, and name @run. */
static bool inner_are(const struct psu_heap *heap, uint32_t first,
					  uint32_t count, enum psu_page_kind kind, uint32_t run)
{
	for (uint32_t at = first + 1; at < first + count; at++)
		if (heap->pages[at].kind != kind ||
			(kind != PSU_PAGE_INNER && heap->pages[at].run != run))
			return false;
	return true;
}

static bool free_run_is_sound(const struct psu_heap *heap, uint32_t first,
							  struct census *census)
{
	const struct psu_page *page = &heap->pages[first];
	uint32_t last = first + page->run - 1;

	if (page->dirty > 1)
		return false;
	census->free_runs++;
	census->dirty += page->dirty ? page->run : 0;
	return page->run == 1 ||
		   (inner_are(heap, first, page->run - 1, PSU_PAGE_INNER, 0) &&
			heap->pages[last].kind == PSU_PAGE_FREE_LAST &&
			heap->pages[last].run == first);
}

static bool slab_is_sound(const struct psu_heap *heap, uint32_t first,
						  struct census *census)
{
	const struct psu_slab *slab = psu_heap_at(heap, first);

	if (!psu_heap_slab_is_sound(heap, first))
		return false;
	census->slabs_with_room += slab->free_count > 0;
	return inner_are(heap, first, heap->pages[first].run, PSU_PAGE_SLAB_INNER,
					 first);
}

static bool runs_are_sound(const struct psu_heap *heap, struct census *census)
{
	bool after_free = false, sound = true;
	uint32_t at = heap->first;

	while (sound && at < heap->mark) {
		const struct psu_page *page = &heap->pages[at];
		bool is_free = page->kind == PSU_PAGE_FREE;

		if (!page->run || page->run > heap->mark - at)
			return false;
		if (is_free)
			sound = !after_free && free_run_is_sound(heap, at, census);
		else if (page->kind == PSU_PAGE_SLAB)
			sound = slab_is_sound(heap, at, census);
		else
			sound = page->kind == PSU_PAGE_LARGE &&
					inner_are(heap, at, page->run, PSU_PAGE_INNER, 0);
		after_free = is_free;
		at += page->run;
	}
	return sound;
}

/** Count what hangs in a list into @count, which ends at @most.  The runs are
 * sound, so that a page of that kind is the first of its run. */
static bool list_is_sound(const struct psu_heap *heap, uint32_t head,
						  enum psu_page_kind kind, uint32_t most,
						  uint32_t *count)
{
	uint32_t previous = 0;

	for (uint32_t at = head; at; at = heap->pages[at].next) {
		if (at < heap->first || at >= heap->mark || (*count)++ == most ||
			heap->pages[at].kind != kind ||
			heap->pages[at].previous != previous)
			return false;
		previous = at;
	}
	return true;
}

/** Nothing is said of pages behind the mark, up to the end of the map's page:
 * those behind that are zeros for who has taken them in. */
static bool rest_is_silent(const struct psu_heap *heap)
{
	const uint8_t *rest = (const uint8_t *)&heap->pages[heap->mark];
	const uint8_t *end = (const uint8_t *)psu_heap_map_high(heap, heap->mark);

	for (; rest < end; rest++)
		if (*rest)
			return false;
	return true;
}

static bool bins_are_sound(const struct psu_heap *heap,
						   const struct census *census)
{
	uint32_t count = 0;

	for (unsigned bin = 0; bin < PSU_HEAP_BINS; bin++) {
		bool used = heap->bins_used[bin / 64] >> bin % 64 & 1;

		if (used != (heap->bins[bin] != 0) ||
			!list_is_sound(heap, heap->bins[bin], PSU_PAGE_FREE,
						   census->free_runs, &count))
			return false;
		for (uint32_t at = heap->bins[bin]; at; at = heap->pages[at].next)
			if (psu_heap_bin_of(heap->pages[at].run) != bin)
				return false;
	}
	return count == census->free_runs &&
		   heap->bins_used[1] >> (PSU_HEAP_BINS - 64) == 0;
}

static bool open_slabs_are_sound(const struct psu_heap *heap,
								 const struct census *census)
{
	uint32_t count = 0;

	for (unsigned class = 0; class < PSU_HEAP_CLASSES; class ++) {
		if (!list_is_sound(heap, heap->open[class], PSU_PAGE_SLAB,
						   census->slabs_with_room, &count))
			return false;
		for (uint32_t at = heap->open[class]; at; at = heap->pages[at].next) {
			const struct psu_slab *slab = psu_heap_at(heap, at);

			if (heap->pages[at].class != class || !slab->free_count)
				return false;
		}
	}
	return count == census->slabs_with_room;
}

bool psu_heap_verify(uint64_t low, uint64_t high,
					 const struct psu_heap_extent accessible[2])
{
	const struct psu_heap *heap = (const struct psu_heap *)low;
	struct census census = {0};

	return header_is_sound(heap, low, high, accessible) &&
		   runs_are_sound(heap, &census) && rest_is_silent(heap) &&
		   census.dirty == heap->dirty && bins_are_sound(heap, &census) &&
		   open_slabs_are_sound(heap, &census);
}
