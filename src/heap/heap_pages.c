/* SPDX-License-Identifier: ISC */
/*
 * heap_pages.c - take runs of pages from a heap, and give them back
 *
 * Free runs hang in lists by length, four lists for each power of two; any run
 * of a longer list fits.  Neighbours that are free are one run, always.
 */
#include "heap/heap_pages.h"

#include <string.h>
#include <sys/mman.h>

/** Pages that become accessible at a time, and never fewer. */
#define GROW_COUNT 64u
/** A run this long is given back to the system at once. */
#define GIVE_BACK_COUNT 256u
/** And all, when there are more dirty ones, and more than an eighth. */
#define DIRTY_MIN 512u

/* ---- the lists of free runs */

/** The list whose runs are at least as long as those of any shorter one. */
unsigned psu_heap_bin_of(uint32_t count)
{
	unsigned log = 31u - (unsigned)__builtin_clz(count);

	if (log < 2)
		return count - 1;
	return 4 * (log - 1) + ((count >> (log - 2)) & 3) - 1;
}

static void hang(struct psu_heap *heap, uint32_t first)
{
	struct psu_page *page = &heap->pages[first];
	unsigned bin = psu_heap_bin_of(page->run);

	page->previous = 0;
	page->next = heap->bins[bin];
	if (page->next)
		heap->pages[page->next].previous = first;
	heap->bins[bin] = first;
	heap->bins_used[bin / 64] |= UINT64_C(1) << bin % 64;
}

static void unhang(struct psu_heap *heap, uint32_t first)
{
	const struct psu_page *page = &heap->pages[first];
	unsigned bin = psu_heap_bin_of(page->run);

	if (page->next)
		heap->pages[page->next].previous = page->previous;
	if (page->previous)
		heap->pages[page->previous].next = page->next;
	else
		heap->bins[bin] = page->next;
	if (!heap->bins[bin])
		heap->bins_used[bin / 64] &= ~(UINT64_C(1) << bin % 64);
}

/* ---- free runs */

/** [@first, @first + @count) is free, and its neighbours are not. */
static void note_free(struct psu_heap *heap, uint32_t first, uint32_t count,
					  bool dirty)
{
	heap->pages[first] = (struct psu_page){
		.kind = PSU_PAGE_FREE, .run = count, .dirty = dirty};
	if (count > 1)
		heap->pages[first + count - 1] = (struct psu_page){
			.kind = PSU_PAGE_FREE_LAST, .run = first};
	heap->dirty += dirty ? count : 0;
	hang(heap, first);
}

/** It is not free any more. */
static void forget_free(struct psu_heap *heap, uint32_t first)
{
	struct psu_page *page = &heap->pages[first];

	unhang(heap, first);
	heap->dirty -= page->dirty ? page->run : 0;
	if (page->run > 1)
		heap->pages[first + page->run - 1].kind = PSU_PAGE_INNER;
	page->kind = PSU_PAGE_INNER;
}

/** The first page of the free run that ends before @page; 0: none does. */
static uint32_t free_before(const struct psu_heap *heap, uint32_t page)
{
	const struct psu_page *last = &heap->pages[page - 1];

	if (page == heap->first)
		return 0;
	if (last->kind == PSU_PAGE_FREE && last->run == 1)
		return page - 1;
	return last->kind == PSU_PAGE_FREE_LAST ? last->run : 0;
}

static bool is_free(const struct psu_heap *heap, uint32_t page)
{
	return page < heap->mark && heap->pages[page].kind == PSU_PAGE_FREE;
}

/** Give pages back to the system.  False: they are locked, and keep what is in
 * them. */
static bool give_back(const struct psu_heap *heap, uint32_t first,
					  uint32_t count)
{
	return madvise(psu_heap_at(heap, first), (size_t)count * PSU_HEAP_PAGE_LEN,
				   MADV_DONTNEED) == 0;
}

/** Make a free run of it, together with its neighbours; the last one before
 * the mark is no run. */
static void set_free(struct psu_heap *heap, uint32_t first, uint32_t count,
					 bool dirty)
{
	uint32_t before = free_before(heap, first), after = first + count;

	if (is_free(heap, after)) {
		count += heap->pages[after].run;
		dirty = dirty || heap->pages[after].dirty;
		forget_free(heap, after);
	}
	if (before) {
		count += heap->pages[before].run;
		dirty = dirty || heap->pages[before].dirty;
		first = before;
		forget_free(heap, before);
	}
	note_free(heap, first, count, dirty);
}

/** Give all that is free back to the system. */
static void purge(struct psu_heap *heap)
{
	for (int bin = 0; bin < PSU_HEAP_BINS; bin++)
		for (uint32_t at = heap->bins[bin]; at && heap->dirty;
			 at = heap->pages[at].next)
			if (heap->pages[at].dirty &&
				give_back(heap, at, heap->pages[at].run)) {
				heap->pages[at].dirty = false;
				heap->dirty -= heap->pages[at].run;
			}
}

/* ---- the mark */

uint64_t psu_heap_map_high(const struct psu_heap *heap, uint32_t page)
{
	uint64_t high = (uint64_t)&heap->pages[page];

	return high + (-high & (PSU_HEAP_PAGE_LEN - 1));
}

static bool allow(uint64_t low, uint64_t high)
{
	return low >= high ||
		   mprotect((void *)low, high - low, PROT_READ | PROT_WRITE) == 0;
}

/** Make pages accessible up to @page, and what the map says of them. */
static bool reach(struct psu_heap *heap, uint32_t page)
{
	uint32_t had = heap->accessible, more = heap->accessible - heap->first;

	if (page <= had)
		return true;
	if (page > heap->count)
		return false;
	/* few calls for many pages */
	more = more / 8 > GROW_COUNT ? more / 8 : GROW_COUNT;
	if (page < had + more)
		page = had + more < heap->count ? had + more : heap->count;
	if (!allow(psu_heap_map_high(heap, had), psu_heap_map_high(heap, page)) ||
		!allow((uint64_t)psu_heap_at(heap, had),
			   (uint64_t)psu_heap_at(heap, page)))
		return false;
	heap->accessible = page;
	return true;
}

void psu_heap_make_header(uint64_t low, uint64_t high,
						  struct psu_heap *header_out)
{
	uint32_t count = (uint32_t)((high - low) / PSU_HEAP_PAGE_LEN);
	uint64_t map_len = sizeof(struct psu_heap) +
					   (uint64_t)count * sizeof(struct psu_page);
	uint32_t first =
		(uint32_t)((map_len + PSU_HEAP_PAGE_LEN - 1) / PSU_HEAP_PAGE_LEN) + 1;

	*header_out = (struct psu_heap){
		.high = high,
		.first = first,
		.count = count,
		.mark = first,
		.accessible = first,
	};
}

struct psu_heap *psu_heap_init(uint64_t low, uint64_t high)
{
	struct psu_heap *heap = (struct psu_heap *)low, header;

	psu_heap_make_header(low, high, &header);
	if (!allow(low, psu_heap_map_high(heap, header.first)))
		return NULL;
	*heap = header;
	return heap;
}

void psu_heap_accessible(const struct psu_heap *heap,
						 struct psu_heap_extent extents_out[2])
{
	uint64_t low = (uint64_t)heap;
	uint64_t first = (uint64_t)psu_heap_at(heap, heap->first);

	extents_out[0] = (struct psu_heap_extent){
		low, psu_heap_map_high(heap, heap->accessible) - low};
	extents_out[1] = (struct psu_heap_extent){
		first, (uint64_t)psu_heap_at(heap, heap->accessible) - first};
}

/* ---- take and give */

/** A free run of at least @count pages; 0: there is none. */
static uint32_t find(const struct psu_heap *heap, uint32_t count)
{
	unsigned bin = psu_heap_bin_of(count) + 1;

	/* its own list may have one that is long enough: a look at the first */
	if (heap->bins[bin - 1] && heap->pages[heap->bins[bin - 1]].run >= count)
		return heap->bins[bin - 1];
	for (unsigned word = bin / 64; word < sizeof(heap->bins_used) / 8; word++) {
		uint64_t bits = heap->bins_used[word];

		if (word == bin / 64)
			bits &= ~UINT64_C(0) << bin % 64;
		if (bits)
			return heap->bins[word * 64 + (unsigned)__builtin_ctzll(bits)];
	}
	return 0;
}

/** Never used pages, behind a free run at the mark if there is one. */
static uint32_t extend(struct psu_heap *heap, uint32_t count)
{
	uint32_t before = free_before(heap, heap->mark);
	uint32_t begin = before ? before : heap->mark;
	bool dirty = before && heap->pages[before].dirty;

	if (count > heap->count - begin || !reach(heap, begin + count))
		return 0;
	if (before)
		forget_free(heap, before);
	heap->mark = begin + count;
	note_free(heap, begin, count, dirty);
	return begin;
}

uint32_t psu_heap_take_pages(struct psu_heap *heap, uint32_t count,
							 uint32_t align)
{
	uint32_t found, begin, run;
	uint64_t at;
	bool dirty;

	/* each of them is less than 2^31 */
	if (count + align - 1 > heap->count - heap->first)
		return 0;
	found = find(heap, count + align - 1);
	if (!found)
		found = extend(heap, count + align - 1);
	if (!found)
		return 0;
	run = heap->pages[found].run;
	dirty = heap->pages[found].dirty;
	forget_free(heap, found);
	at = (uint64_t)psu_heap_at(heap, found) / PSU_HEAP_PAGE_LEN;
	begin = found + (uint32_t)(-at & (align - 1));
	if (begin > found)
		note_free(heap, found, begin - found, dirty);
	if (begin + count < found + run)
		note_free(heap, begin + count, found + run - begin - count, dirty);
	heap->pages[begin] = (struct psu_page){
		.kind = PSU_PAGE_LARGE, .run = count, .dirty = dirty};
	return begin;
}

/** How many dirty pages may lie about. */
static uint32_t dirty_max(const struct psu_heap *heap)
{
	uint32_t part = (heap->mark - heap->first) / 8;

	return part > DIRTY_MIN ? part : DIRTY_MIN;
}

/** Nobody uses these pages of a run any more. */
static void leave(struct psu_heap *heap, uint32_t first, uint32_t count)
{
	bool dirty = count < GIVE_BACK_COUNT || !give_back(heap, first, count);

	set_free(heap, first, count, dirty);
	if (heap->dirty > dirty_max(heap))
		purge(heap);
}

void psu_heap_give_pages(struct psu_heap *heap, uint32_t first)
{
	uint32_t count = heap->pages[first].run;

	heap->pages[first].kind = PSU_PAGE_INNER;
	leave(heap, first, count);
}

bool psu_heap_resize_pages(struct psu_heap *heap, uint32_t first,
						   uint32_t count)
{
	struct psu_page *page = &heap->pages[first];
	uint32_t after = first + page->run, more, rest;
	bool dirty;

	if (count == page->run)
		return true;
	if (count < page->run) {
		rest = page->run - count;
		page->run = count;
		leave(heap, first + count, rest);
		return true;
	}
	more = count - page->run;
	if (after == heap->mark && !extend(heap, more))
		return false;
	if (!is_free(heap, after) ||
		(heap->pages[after].run < more &&
		 (after + heap->pages[after].run != heap->mark || !extend(heap, more))))
		return false;
	rest = heap->pages[after].run - more;
	dirty = heap->pages[after].dirty;
	forget_free(heap, after);
	if (rest)
		note_free(heap, after + more, rest, dirty);
	page->run = count;
	return true;
}
