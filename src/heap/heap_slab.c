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

/** How blocks lie in a slab. */
struct shape {
	uint32_t len;	/* of a block */
	uint32_t pages; /* of the slab: 4 to 32, some 16 blocks of the larger */
	uint32_t begin; /* of the first block, behind bits for all */
	uint32_t count;
};

#define PAGES(len) ((len) > 1024 ? (len)*16 / PSU_HEAP_PAGE_LEN : 4)
#define SLAB_LEN(len) (PAGES(len) * PSU_HEAP_PAGE_LEN)
#define ALIGN(len) ((len) % 64 ? PSU_HEAP_ALIGN : 64)
#define BITS_LEN(len) ((SLAB_LEN(len) / (len) + 63) / 64 * 8)
#define BEGIN(len)                                                             \
	((sizeof(struct psu_slab) + BITS_LEN(len) + ALIGN(len) - 1) / ALIGN(len) * \
	 ALIGN(len))
#define SHAPE(len)                                                             \
	{                                                                          \
		(len), PAGES(len), BEGIN(len), (SLAB_LEN(len) - BEGIN(len)) / (len)    \
	}
#define FOUR(len) SHAPE((len)*5), SHAPE((len)*6), SHAPE((len)*7), SHAPE((len)*8)

static const struct shape shapes[] = {
	SHAPE(16), SHAPE(32),  SHAPE(48),  SHAPE(64),  SHAPE(80),
	SHAPE(96), SHAPE(112), SHAPE(128), FOUR(32),   FOUR(64),
	FOUR(128), FOUR(256),  FOUR(512),  FOUR(1024),
};

_Static_assert(sizeof(shapes) / sizeof(shapes[0]) == PSU_HEAP_CLASSES,
			   "psu_heap_class_of()");

uint32_t psu_heap_class_len(unsigned class)
{
	return shapes[class].len;
}

uint32_t psu_heap_class_count(unsigned class)
{
	return shapes[class].count;
}

static const struct shape *shape_of(const struct psu_heap *heap, uint32_t slab)
{
	return &shapes[heap->pages[slab].class];
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
static void lay_out(struct psu_slab *slab, uint32_t count)
{
	slab->free_count = count;
	slab->hint = 0;
	memset(slab->free_bits, 0xff, count / 64 * 8);
	if (count % 64)
		slab->free_bits[count / 64] = (UINT64_C(1) << count % 64) - 1;
}

static uint32_t make_slab(struct psu_heap *heap, unsigned class)
{
	const struct shape *shape = &shapes[class];
	uint32_t first = psu_heap_take_pages(heap, shape->pages, 1);

	if (!first)
		return 0;
	heap->pages[first].kind = PSU_PAGE_SLAB;
	heap->pages[first].class = (uint8_t) class;
	for (uint32_t i = 1; i < shape->pages; i++)
		heap->pages[first + i] = (struct psu_page){.kind = PSU_PAGE_SLAB_INNER,
												   .run = first};
	lay_out(psu_heap_at(heap, first), shape->count);
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
	return (uint8_t *)slab + shapes[class].begin +
		   (word * 64 + bit) * shapes[class].len;
}

void psu_heap_free_small(struct psu_heap *heap, uint32_t first, void *block)
{
	struct psu_slab *slab = psu_heap_at(heap, first);
	const struct shape *shape = shape_of(heap, first);
	const struct psu_page *page = &heap->pages[first];
	uint32_t offset = (uint32_t)((uint8_t *)block - (uint8_t *)slab);
	uint32_t number = (offset - shape->begin) / shape->len;

	slab->free_bits[number / 64] |= UINT64_C(1) << number % 64;
	if (number / 64 < slab->hint)
		slab->hint = number / 64;
	if (slab->free_count++ == 0)
		open_slab(heap, first);
	/* the only one with room stays for the next block */
	if (slab->free_count == shape->count && (page->next || page->previous))
		unmake_slab(heap, first);
}

enum psu_heap_verdict psu_heap_judge_small(const struct psu_heap *heap,
										   uint32_t first, const void *pointer)
{
	const struct psu_slab *slab = psu_heap_at(heap, first);
	const struct shape *shape = shape_of(heap, first);
	uint64_t offset = (uint64_t)((const uint8_t *)pointer -
								 (const uint8_t *)slab) -
					  shape->begin;
	uint64_t number = offset / shape->len;

	if (offset % shape->len || number >= shape->count)
		return PSU_HEAP_INSIDE;
	return slab->free_bits[number / 64] >> number % 64 & 1 ? PSU_HEAP_FREED
														   : PSU_HEAP_BLOCK;
}

bool psu_heap_next_small(const struct psu_heap *heap, uint32_t first,
						 uint64_t after, struct psu_heap_extent *block_out)
{
	const struct psu_slab *slab = psu_heap_at(heap, first);
	const struct shape *shape = shape_of(heap, first);
	uint64_t begin = (uint64_t)slab + shape->begin;
	uint32_t number = 0;

	if (after >= begin)
		number = (uint32_t)((after - begin) / shape->len) + 1;
	for (; number < shape->count; number++) {
		if (slab->free_bits[number / 64] >> number % 64 & 1)
			continue;
		block_out->addr = begin + (uint64_t)number * shape->len;
		block_out->len = shape->len;
		return true;
	}
	return false;
}

bool psu_heap_slab_is_sound(const struct psu_heap *heap, uint32_t first)
{
	const struct psu_slab *slab = psu_heap_at(heap, first);
	const struct psu_page *page = &heap->pages[first];
	uint32_t free_count = 0, count, words;

	if (page->class >= PSU_HEAP_CLASSES ||
		page->run != shapes[page->class].pages)
		return false;
	count = shapes[page->class].count;
	words = (count + 63) / 64;
	for (uint32_t word = 0; word < words; word++) {
		if (word < slab->hint && slab->free_bits[word])
			return false;
		free_count += (uint32_t)__builtin_popcountll(slab->free_bits[word]);
	}
	if (count % 64 && slab->free_bits[words - 1] >> count % 64)
		return false;
	return slab->hint < words && slab->free_count == free_count;
}
