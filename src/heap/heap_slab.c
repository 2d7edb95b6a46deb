/* SPDX-License-Identifier: ISC */
/*
 * heap_slab.c - small blocks, in slabs of one size
 *
 * Sizes are 16 to 128 in steps of 16, then four for each power of two.  A slab
 * begins with a bit for each block that is free; blocks of a multiple of 64
 * bytes are aligned to that.
 */
#include "heap/heap_pages.h"

#include <string.h>

/* ---- sizes */

unsigned psu_heap_class_of(size_t len)
{
	unsigned log;

	if (len <= 128)
		return len ? (unsigned)(len - 1) / 16 : 0;
	log = 63u - (unsigned)__builtin_clzll(len - 1);
	return 4 * log - 20 + ((unsigned)((len - 1) >> (log - 2)) & 3);
}

uint32_t psu_heap_class_len(unsigned class)
{
	unsigned log = (class + 20) / 4;

	if (class < 8)
		return 16 * (class + 1);
	return (uint32_t)((4 + (class & 3) + 1) << (log - 2));
}

/** Pages of a slab: from 4 to 32, some 16 blocks of the larger sizes. */
static uint32_t slab_pages(uint32_t len)
{
	uint32_t count = len * 16 / PSU_HEAP_PAGE_LEN;

	return count < 4 ? 4 : count;
}

static uint32_t words_of(const struct psu_slab *slab)
{
	return (slab->count + 63) / 64;
}

/** How blocks of @len bytes lie in a slab, behind bits for them. */
static void shape(uint32_t len, struct psu_slab *slab_out)
{
	uint32_t slab_len = slab_pages(len) * PSU_HEAP_PAGE_LEN;
	uint32_t align = len % 64 ? PSU_HEAP_ALIGN : 64;
	uint32_t begin = (uint32_t)sizeof(*slab_out);

	*slab_out = (struct psu_slab){.len = len,
								  .count = (slab_len - begin) / len};
	begin += words_of(slab_out) * 8;
	slab_out->begin = (begin + align - 1) & ~(align - 1);
	slab_out->count = (slab_len - slab_out->begin) / len;
	slab_out->free_count = slab_out->count;
}

/* ---- slabs with room: a list for each class */

static void open_slab(struct psu_heap *heap, uint32_t first)
{
	struct psu_page *page = &heap->pages[first];
	uint32_t *head = &heap->open[page->class];

	page->previous = 0;
	page->next = *head;
	if (page->next)
		heap->pages[page->next].previous = first;
	*head = first;
}

static void shut_slab(struct psu_heap *heap, uint32_t first)
{
	struct psu_page *page = &heap->pages[first];

	if (page->next)
		heap->pages[page->next].previous = page->previous;
	if (page->previous)
		heap->pages[page->previous].next = page->next;
	else
		heap->open[page->class] = page->next;
	page->next = page->previous = 0;
}

/** Its memory may be any. */
static void lay_out(struct psu_slab *slab, uint32_t len)
{
	shape(len, slab);
	memset(slab->free_bits, 0xff, slab->count / 64 * 8);
	if (slab->count % 64)
		slab->free_bits[slab->count / 64] = (UINT64_C(1) << slab->count % 64) -
											1;
}

static uint32_t make_slab(struct psu_heap *heap, unsigned class)
{
	uint32_t len = psu_heap_class_len(class), count = slab_pages(len);
	uint32_t first = psu_heap_take_pages(heap, count, 1);

	if (!first)
		return 0;
	heap->pages[first].kind = PSU_PAGE_SLAB;
	heap->pages[first].class = (uint8_t) class;
	for (uint32_t i = 1; i < count; i++)
		heap->pages[first + i] = (struct psu_page){.kind = PSU_PAGE_SLAB_INNER,
												   .run = first};
	lay_out(psu_heap_at(heap, first), len);
	open_slab(heap, first);
	return first;
}

static void unmake_slab(struct psu_heap *heap, uint32_t first)
{
	shut_slab(heap, first);
	for (uint32_t i = 1; i < heap->pages[first].run; i++)
		heap->pages[first + i].kind = PSU_PAGE_INNER;
	psu_heap_give_pages(heap, first);
}

uint32_t psu_heap_slab_of(const struct psu_heap *heap, uint32_t page)
{
	switch (heap->pages[page].kind) {
	case PSU_PAGE_SLAB:
		return page;
	case PSU_PAGE_SLAB_INNER:
		return heap->pages[page].run;
	default:
		return 0;
	}
}

/* ---- blocks */

void *psu_heap_alloc_small(struct psu_heap *heap, unsigned class)
{
	uint32_t first = heap->open[class], word, bit;
	struct psu_slab *slab;

	if (!first)
		first = make_slab(heap, class);
	if (!first)
		return NULL;
	slab = psu_heap_at(heap, first);
	word = slab->hint;
	while (!slab->free_bits[word])
		word++;
	bit = (uint32_t)__builtin_ctzll(slab->free_bits[word]);
	slab->free_bits[word] &= slab->free_bits[word] - 1;
	slab->hint = word;
	if (--slab->free_count == 0)
		shut_slab(heap, first);
	return (uint8_t *)slab + slab->begin + (word * 64 + bit) * slab->len;
}

void psu_heap_free_small(struct psu_heap *heap, uint32_t first, void *block)
{
	struct psu_slab *slab = psu_heap_at(heap, first);
	const struct psu_page *page = &heap->pages[first];
	uint32_t offset = (uint32_t)((uint8_t *)block - (uint8_t *)slab);
	uint32_t number = (offset - slab->begin) / slab->len;

	slab->free_bits[number / 64] |= UINT64_C(1) << number % 64;
	if (number / 64 < slab->hint)
		slab->hint = number / 64;
	if (slab->free_count++ == 0)
		open_slab(heap, first);
	/* the only one with room stays for the next block */
	if (slab->free_count == slab->count && (page->next || page->previous))
		unmake_slab(heap, first);
}

enum psu_heap_verdict psu_heap_judge_small(const struct psu_heap *heap,
										   uint32_t first, const void *pointer)
{
	const struct psu_slab *slab = psu_heap_at(heap, first);
	uint64_t offset = (uint64_t)((const uint8_t *)pointer -
								 (const uint8_t *)slab) -
					  slab->begin;
	uint64_t number = offset / slab->len;

	if (offset % slab->len || number >= slab->count)
		return PSU_HEAP_INSIDE;
	return slab->free_bits[number / 64] >> number % 64 & 1 ? PSU_HEAP_FREED
														   : PSU_HEAP_BLOCK;
}

bool psu_heap_slab_is_sound(const struct psu_heap *heap, uint32_t first)
{
	const struct psu_slab *slab = psu_heap_at(heap, first);
	const struct psu_page *page = &heap->pages[first];
	uint32_t free_count = 0, words;
	struct psu_slab good;

	if (page->class >= PSU_HEAP_CLASSES)
		return false;
	shape(psu_heap_class_len(page->class), &good);
	if (page->run != slab_pages(good.len) || slab->len != good.len ||
		slab->count != good.count || slab->begin != good.begin)
		return false;
	words = words_of(&good);
	for (uint32_t word = 0; word < words; word++) {
		if (slab->free_bits[word] && word < slab->hint)
			return false;
		free_count += (uint32_t)__builtin_popcountll(slab->free_bits[word]);
	}
	if (good.count % 64 && slab->free_bits[words - 1] >> good.count % 64)
		return false;
	return slab->hint < words && slab->free_count == free_count;
}
