/* SPDX-License-Identifier: ISC */
/*
 * heap.h - memory that travels with its thread
 *
 * A heap is one range of addresses, and all that it knows lies in that range,
 * so that whoever has its pages at the same addresses has the heap.  One
 * thread owns it; nothing locks.
 *
 *     low                                                          high
 *     | heap, page map | guard | runs of pages: slabs, large, free | unused |
 *                       1 page                                     ^ the mark
 *
 * Up to PSU_HEAP_SMALL_MAX bytes a block lies in a slab, a run of pages with
 * blocks of one size; larger ones have a run of their own.  Behind the mark
 * all is zeros, and so is what the map says of it.  What is free says so in the
 * page map, or in its slab's head, never in the free memory itself, so that a
 * block that is used after it was freed cannot damage the heap.
 */
#ifndef PSU_HEAP_H
#define PSU_HEAP_H

#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSU_HEAP_PAGE_LEN 4096u
#define PSU_HEAP_SMALL_MAX 8192u
/** Between two looks at whether others wait for the processor. */
#define PSU_HEAP_PAUSE_PAGES 64u
/** What any block is aligned to. */
#define PSU_HEAP_ALIGN 16u

struct psu_heap;

/** What is wrong with a pointer that is to be a block's. */
enum psu_heap_verdict {
	PSU_HEAP_BLOCK, /* nothing */
	PSU_HEAP_FREED, /* it may have been one, and is none now */
	PSU_HEAP_INSIDE /* it points somewhere else than to a block's begin */
};

/**
 * Make a heap of inaccessible memory that is mapped at [@low, @high), whole
 * pages, 1 MiB at least.
 *
 * Returns it, at @low, or NULL without memory.
 */
struct psu_heap *psu_heap_init(uint64_t low, uint64_t high);

/**
 * @len bytes, not cleared; with @align, a power of two, aligned to that.
 * From 8 KiB up they begin a page.  NULL: it does not fit, or the system has
 * no memory.
 */
void *psu_heap_alloc(struct psu_heap *heap, size_t len);
void *psu_heap_alloc_aligned(struct psu_heap *heap, size_t align, size_t len);
/** The same, all zeros. */
void *psu_heap_alloc_zeroed(struct psu_heap *heap, size_t len);

/** Whether @pointer, which lies in the heap's range, is a block. */
enum psu_heap_verdict psu_heap_judge(const struct psu_heap *heap,
									 const void *pointer);

/* Of blocks only. */
size_t psu_heap_usable_len(const struct psu_heap *heap, const void *block);
void psu_heap_free(struct psu_heap *heap, void *block);
/** NULL: it does not fit, and the block is as it was. */
void *psu_heap_resize(struct psu_heap *heap, void *block, size_t len);

/** A range of addresses. */
struct psu_heap_extent {
	uint64_t addr, len;
};

/**
 * The next range of pages in which something is, behind @after (0: the first
 * one, which is the map).  False: there is none.
 */
bool psu_heap_next(const struct psu_heap *heap, uint64_t after,
				   struct psu_heap_extent *extent_out);

/**
 * The next block that is in use, behind the one at @after (0: the first one).
 * False: there is none.
 */
bool psu_heap_next_block(const struct psu_heap *heap, uint64_t after,
						 struct psu_heap_extent *block_out);

/**
 * What of the heap is accessible: one range at its low end, with the map, and
 * one behind the map.  Everything else is zero if it was not used since.
 */
void psu_heap_accessible(const struct psu_heap *heap,
						 struct psu_heap_extent extents_out[2]);

/**
 * Whether what lies at [@low, @high) is a heap, with exactly these ranges
 * accessible, and so whole that nothing which is done to it reads or writes
 * elsewhere.  Every byte read here is hostile.
 */
PSU_MUST_CHECK bool psu_heap_verify(uint64_t low, uint64_t high,
									const struct psu_heap_extent accessible[2]);

/* ---- heap_map.c: its pages on their way */

/** Runs of a map, at most. */
#define PSU_HEAP_RUNS_MAX 65536

/** Pages that travel, one behind the other, or that the destination has kept.
 */
struct psu_heap_run {
	uint32_t gap; /* pages between the run before, or the low end, and these */
	uint32_t count; /* pages, less than 2^31 */
	uint32_t kept;	/* 1: they are as they were at the destination */
};

/** Which pages of a heap travel.  Those of no run are zeros, or of no interest.
 */
struct psu_heap_map {
	uint32_t accessible[2]; /* pages of psu_heap_accessible(); zeros: there is
							   no heap */
	size_t run_count;
	struct psu_heap_run *runs; /* malloc()ed */
};

/**
 * List the pages of a heap that whoever has no page of it must get.  Its owner
 * is stopped.
 *
 * @map_out  psu_heap_map_free()
 *
 * Returns 0 or PSU_THREAD_E_NO_MEMORY.
 */
PSU_MUST_CHECK int psu_heap_survey(const struct psu_heap *heap,
								   struct psu_heap_map *map_out);
void psu_heap_map_free(struct psu_heap_map *map);
/** Bytes of all pages that travel. */
uint64_t psu_heap_map_len(const struct psu_heap_map *map);

/**
 * Make the memory of a heap that is to come to [@low, @high), which is mapped
 * and inaccessible, accessible.  The map is a peer's.
 *
 * @kept  what is left there of the same heap, as psu_heap_keep() said; zeros:
 *        nothing.  It is of no use any more when this fails.
 *
 * Returns 0, PSU_THREAD_E_IMAGE_INVALID (no heap there can have such pages, or
 * they were not kept) or PSU_THREAD_E_NO_MEMORY.
 */
PSU_MUST_CHECK int psu_heap_open(const struct psu_heap_map *map, uint64_t low,
								 uint64_t high, const uint32_t kept[2]);
/** No heap comes, and nothing is to be left there of an older one.  Returns 0
 * or PSU_THREAD_E_NO_MEMORY. */
PSU_MUST_CHECK int psu_heap_drop(uint64_t low, uint64_t high);
/** When its pages are there: whether it is one.  0 or
 * PSU_THREAD_E_IMAGE_INVALID. */
PSU_MUST_CHECK int psu_heap_adopt(const struct psu_heap_map *map, uint64_t low,
								  uint64_t high);

/* ---- heap_kept.c: what its home keeps of a heap that has left */

/** Give the memory of what lies at [@low, @high) back, before the addresses are
 * given back as a whole, which would keep others waiting. */
void psu_heap_release(uint64_t low, uint64_t high);

/** Bytes of a heap below which keeping it is of no use. */
#define PSU_HEAP_KEPT_LEN_MIN (1u << 20)

/**
 * The heap's thread has left: keep its pages, inaccessible, as long as nobody
 * else needs the memory.
 *
 * @kept_out  how many pages of both its ranges; zeros: none, and what is there
 *            is of no use
 */
void psu_heap_keep(struct psu_heap *heap, uint32_t kept_out[2]);

/** One page after the other of what is accessible, or was kept. */
struct psu_heap_walk {
	uint64_t low;
	uint32_t first;		/* page behind the map and its guard */
	uint32_t counts[2]; /* pages of both ranges */
	uint32_t at;		/* pages before the next one */
};

struct psu_heap_walk psu_heap_walk(uint64_t low, uint64_t high,
								   const uint32_t counts[2]);
/** How many are left. */
uint32_t psu_heap_walk_left(const struct psu_heap_walk *walk);
/** The next one's number, counted from the low end.  There is one.  The @stride
 * - 1 pages behind it are passed over. */
uint32_t psu_heap_walk_next(struct psu_heap_walk *walk, uint32_t stride);

static inline void *psu_heap_walk_page(const struct psu_heap_walk *walk,
									   uint32_t page)
{
	return (void *)(walk->low + (uint64_t)page * PSU_HEAP_PAGE_LEN);
}

/** Make what is kept at [@low, @high) accessible, or inaccessible again.
 * False: the system does not. */
PSU_MUST_CHECK bool psu_heap_hold(uint64_t low, uint64_t high,
								  const uint32_t kept[2], bool accessible);
/** A page of what is kept and accessible: have the system not take it back any
 * more, unless it is zeros, whatever it was. */
void psu_heap_settle(void *page);

/**
 * The same map, but pages whose bit is set in @same, one for each from the low
 * end, need not travel.
 *
 * @fewer_out  psu_heap_map_free()
 *
 * False: there is no memory for it.
 */
PSU_MUST_CHECK bool psu_heap_map_spare(const struct psu_heap_map *map,
									   const uint64_t *same,
									   struct psu_heap_map *fewer_out);

#endif
