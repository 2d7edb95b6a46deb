/* SPDX-License-Identifier: ISC */
/*
 * heap_pages.h - what lies in a heap: its page map, runs of pages, slabs
 *
 * Each page has an entry.  Only these say something: the first of each run;
 * the last of a free one, which names the first; and all of a slab, which do
 * too.  The others are PSU_PAGE_INNER, so that no old entry is taken for a run.
 * Two free runs are never neighbours.
 */
#ifndef PSU_HEAP_PAGES_H
#define PSU_HEAP_PAGES_H

#include "heap/heap.h"

enum psu_page_kind {
	PSU_PAGE_INNER,
	PSU_PAGE_FREE,
	PSU_PAGE_FREE_LAST,
	PSU_PAGE_SLAB,
	PSU_PAGE_SLAB_INNER,
	PSU_PAGE_LARGE
};

struct psu_page {
	uint8_t kind;
	uint8_t class; /* of a slab */
	uint8_t dirty; /* 0: a free run's is all zeros, or a large block's was */
	uint8_t unused;
	uint32_t run; /* of a first page: how many there are; else which it is */
	uint32_t next, previous; /* free runs of like length, slabs with room */
};

/** Lists of free runs, four for each power of two, and sizes of small blocks.
 */
#define PSU_HEAP_BINS 96
#define PSU_HEAP_CLASSES 32

struct psu_heap {
	uint64_t high;
	uint32_t first;		 /* page behind the map and its guard */
	uint32_t count;		 /* pages up to @high */
	uint32_t mark;		 /* the first page that was never used */
	uint32_t accessible; /* the first page that is not accessible yet */
	uint32_t dirty;		 /* pages that are free, and not given back */
	uint32_t open[PSU_HEAP_CLASSES]; /* slabs with room; 0: none */
	uint64_t bins_used[(PSU_HEAP_BINS + 63) / 64];
	uint32_t bins[PSU_HEAP_BINS]; /* free runs by length; 0: none */
	struct psu_page pages[];
};

/** What a slab begins with.  The rest of its shape follows from its class. */
struct psu_slab {
	uint32_t free_count;  /* blocks */
	uint32_t hint;		  /* no word before it has a free block */
	uint64_t free_bits[]; /* a bit for each block; zeros behind them */
};

static inline void *psu_heap_at(const struct psu_heap *heap, uint32_t page)
{
	return (uint8_t *)(uintptr_t)heap + (size_t)page * PSU_HEAP_PAGE_LEN;
}

static inline uint32_t psu_heap_page_of(const struct psu_heap *heap,
										const void *pointer)
{
	return (uint32_t)(((uintptr_t)pointer - (uintptr_t)heap) /
					  PSU_HEAP_PAGE_LEN);
}

/* ---- heap_pages.c: runs of pages */

/** What a new heap at [@low, @high) begins with. */
void psu_heap_make_header(uint64_t low, uint64_t high,
						  struct psu_heap *header_out);
/** Whether a page is all zeros. */
bool psu_heap_page_is_zero(const void *page);
/** The first page behind the map's entries of all pages up to @page. */
uint64_t psu_heap_map_high(const struct psu_heap *heap, uint32_t page);

/** A run of @count pages, whose first one begins at a multiple of @align
 * pages, a power of two; its kind is PSU_PAGE_LARGE.  0: there is none. */
uint32_t psu_heap_take_pages(struct psu_heap *heap, uint32_t count,
							 uint32_t align);
/** Give a run back. */
void psu_heap_give_pages(struct psu_heap *heap, uint32_t first);
/** Make a run @count pages long where it is.  False: it cannot grow. */
bool psu_heap_resize_pages(struct psu_heap *heap, uint32_t first,
						   uint32_t count);
/** The list that a free run of @count pages hangs in. */
unsigned psu_heap_bin_of(uint32_t count);

/* ---- heap_slab.c: small blocks */

/** The smallest class for @len bytes; the length of its blocks, and how many a
 * slab has. */
unsigned psu_heap_class_of(size_t len);
uint32_t psu_heap_class_len(unsigned class);
uint32_t psu_heap_class_count(unsigned class);
/** A block of that class, or NULL. */
void *psu_heap_alloc_small(struct psu_heap *heap, unsigned class);
void psu_heap_free_small(struct psu_heap *heap, uint32_t slab, void *block);
enum psu_heap_verdict psu_heap_judge_small(const struct psu_heap *heap,
										   uint32_t slab, const void *pointer);
/** The next block of a slab in use, behind the one at @after, or the first one
 * if that lies before the slab. */
bool psu_heap_next_small(const struct psu_heap *heap, uint32_t slab,
						 uint64_t after, struct psu_heap_extent *block_out);
/** The first page of the slab that @page belongs to; 0: none. */
uint32_t psu_heap_slab_of(const struct psu_heap *heap, uint32_t page);
/** Whether a run that says it is a slab is one.  Every byte read here is
 * hostile. */
bool psu_heap_slab_is_sound(const struct psu_heap *heap, uint32_t first);

#endif
