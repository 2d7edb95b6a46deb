/* SPDX-License-Identifier: ISC */
/*
 * heap.c - blocks of a heap: small ones in slabs, large ones in runs of pages
 */
#include "heap/heap_pages.h"

#include <string.h>

/** More than fits into any heap if @len does. */
static uint32_t pages_for(size_t len)
{
	size_t count = len / PSU_HEAP_PAGE_LEN + (len % PSU_HEAP_PAGE_LEN != 0);

	return count > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)count;
}

static void *alloc_large(struct psu_heap *heap, size_t align, size_t len)
{
	uint32_t first = psu_heap_take_pages(heap, pages_for(len ? len : 1),
										 pages_for(align));

	return first ? psu_heap_at(heap, first) : NULL;
}

void *psu_heap_alloc(struct psu_heap *heap, size_t len)
{
	if (len <= PSU_HEAP_SMALL_MAX)
		return psu_heap_alloc_small(heap, psu_heap_class_of(len));
	return alloc_large(heap, 1, len);
}

void *psu_heap_alloc_aligned(struct psu_heap *heap, size_t align, size_t len)
{
	unsigned class;

	if (align <= PSU_HEAP_ALIGN)
		return psu_heap_alloc(heap, len);
	if (align > 64 || len > PSU_HEAP_SMALL_MAX)
		return alloc_large(heap, align, len);
	/* of the sizes that are multiples of 64, which are aligned so; the last
	 * one is */
	class = psu_heap_class_of(len);
	while (psu_heap_class_len(class) % 64)
		class ++;
	return psu_heap_alloc_small(heap, class);
}

void *psu_heap_alloc_zeroed(struct psu_heap *heap, size_t len)
{
	void *block = psu_heap_alloc(heap, len);

	if (block && (len <= PSU_HEAP_SMALL_MAX ||
				  heap->pages[psu_heap_page_of(heap, block)].dirty))
		memset(block, 0, len);
	return block;
}

enum psu_heap_verdict psu_heap_judge(const struct psu_heap *heap,
									 const void *pointer)
{
	uint32_t page = psu_heap_page_of(heap, pointer), slab;

	if (page < heap->first)
		return PSU_HEAP_INSIDE;
	if (page >= heap->mark)
		return PSU_HEAP_FREED;
	slab = psu_heap_slab_of(heap, page);
	if (slab)
		return psu_heap_judge_small(heap, slab, pointer);
	if ((uintptr_t)pointer % PSU_HEAP_PAGE_LEN)
		return PSU_HEAP_INSIDE;
	return heap->pages[page].kind == PSU_PAGE_LARGE ? PSU_HEAP_BLOCK
													: PSU_HEAP_FREED;
}

size_t psu_heap_usable_len(const struct psu_heap *heap, const void *block)
{
	uint32_t page = psu_heap_page_of(heap, block);
	uint32_t slab = psu_heap_slab_of(heap, page);

	if (slab)
		return psu_heap_class_len(heap->pages[slab].class);
	return (size_t)heap->pages[page].run * PSU_HEAP_PAGE_LEN;
}

void psu_heap_free(struct psu_heap *heap, void *block)
{
	uint32_t page = psu_heap_page_of(heap, block);
	uint32_t slab = psu_heap_slab_of(heap, page);

	if (slab)
		psu_heap_free_small(heap, slab, block);
	else
		psu_heap_give_pages(heap, page);
}

/** Whether it can have @len bytes where it is, and does not waste half. */
static bool resize_here(struct psu_heap *heap, void *block, size_t len)
{
	uint32_t page = psu_heap_page_of(heap, block);
	uint32_t slab = psu_heap_slab_of(heap, page);

	if (slab)
		return len <= PSU_HEAP_SMALL_MAX &&
			   psu_heap_class_of(len) == heap->pages[slab].class;
	return len > PSU_HEAP_SMALL_MAX &&
		   psu_heap_resize_pages(heap, page, pages_for(len));
}

void *psu_heap_resize(struct psu_heap *heap, void *block, size_t len)
{
	size_t had = psu_heap_usable_len(heap, block);
	void *moved;

	if (resize_here(heap, block, len))
		return block;
	moved = psu_heap_alloc(heap, len);
	if (!moved)
		return len <= had ? block : NULL;
	memcpy(moved, block, len < had ? len : had);
	psu_heap_free(heap, block);
	return moved;
}

/* ---- where something is */

bool psu_heap_next(const struct psu_heap *heap, uint64_t after,
				   struct psu_heap_extent *extent_out)
{
	uint64_t low = (uint64_t)heap;
	uint32_t page = (uint32_t)((after - low) / PSU_HEAP_PAGE_LEN), begin;

	if (!after) {
		*extent_out = (struct psu_heap_extent){
			low, psu_heap_map_high(heap, heap->mark) - low};
		return true;
	}
	if (page < heap->first)
		page = heap->first;
	while (page < heap->mark && heap->pages[page].kind == PSU_PAGE_FREE)
		page += heap->pages[page].run;
	if (page >= heap->mark)
		return false;
	begin = page;
	while (page < heap->mark && heap->pages[page].kind != PSU_PAGE_FREE)
		page += heap->pages[page].run;
	extent_out->addr = (uint64_t)psu_heap_at(heap, begin);
	extent_out->len = (uint64_t)(page - begin) * PSU_HEAP_PAGE_LEN;
	return true;
}

bool psu_heap_next_block(const struct psu_heap *heap, uint64_t after,
						 struct psu_heap_extent *block_out)
{
	uint32_t page = heap->first;

	if (after) {
		page = psu_heap_page_of(heap, (const void *)after);
		if (psu_heap_slab_of(heap, page))
			page = psu_heap_slab_of(heap, page);
		else
			page += heap->pages[page].run;
	}
	for (; page < heap->mark; page += heap->pages[page].run) {
		if (heap->pages[page].kind == PSU_PAGE_SLAB &&
			psu_heap_next_small(heap, page, after, block_out))
			return true;
		if (heap->pages[page].kind == PSU_PAGE_LARGE) {
			block_out->addr = (uint64_t)psu_heap_at(heap, page);
			block_out->len = (uint64_t)heap->pages[page].run *
							 PSU_HEAP_PAGE_LEN;
			return true;
		}
	}
	return false;
}
