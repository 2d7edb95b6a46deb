/* SPDX-License-Identifier: ISC */
/*
 * chunks.c - is it a block of malloc()'s that is in use?
 *
 * In: addresses in memory that glibc's malloc may have.  Out: the block.
 * glibc has no call for that, so its chunks are read (malloc/malloc.c,
 * arena.c):
 *
 *     chunk -> | size of the one before, if that is free |
 *              | size of this one, and three bits        |
 *     block -> | ...
 *
 * The first of those bits tells that the chunk before is in use; the second
 * that this one has pages of its own.  The last chunk of an arena is its free
 * rest.  Small free ones look as if they were in use, but their first word is a
 * link to the next one of the same size, or none, xored with its own address
 * by 12 bits to the right.  Other threads use all this meanwhile.
 */
#include "preflight/preflight.h"

#include <string.h>

#define PAGE_LEN 4096u
#define UNIT 16u /* what chunks are aligned to */
#define CHUNK_LEN_MIN 32u
#define HEAD_LEN 16u
#define WORD_LEN 8u

#define SIZE_BITS UINT64_C(7)
#define PREVIOUS_IN_USE UINT64_C(1)
#define HAS_PAGES UINT64_C(2)

/** Small ones are this long at most: tcache's. */
#define SMALL_MAX 1040u

/** Arenas of other threads than the main one lie at such multiples. */
#define ARENA_ALIGN (UINT64_C(64) << 20)

/** The first chunk begins no farther behind an arena's begin, where thread-
 * locals of a static program and the arena's own state lie. */
#define BEGIN_MAX (UINT64_C(1) << 20)

struct chunk {
	uint64_t before, size;
};

/** What such an arena begins with. */
struct arena_head {
	uint64_t state_addr, previous, len, accessible_len;
};

static uint64_t len_of(const struct chunk *chunk)
{
	return chunk->size & ~SIZE_BITS;
}

/** Whether one that begins at @addr can be so. */
static bool is_sane(const struct chunk *chunk, uint64_t addr, uint64_t high)
{
	return len_of(chunk) >= CHUNK_LEN_MIN && len_of(chunk) % UNIT == 0 &&
		   len_of(chunk) <= high - addr && !(chunk->size & HAS_PAGES);
}

/* ---- where chunks begin */

/** By windows: each look at other memory is a system call. */
static bool get_chunk(struct psu_chunks *chunks, uint64_t addr, uint64_t high,
					  struct chunk *chunk_out)
{
	uint64_t offset = addr - chunks->window_addr;

	if (addr > high - sizeof(*chunk_out))
		return false;
	if (addr < chunks->window_addr || offset > chunks->window_len ||
		chunks->window_len - offset < sizeof(*chunk_out)) {
		size_t len = high - addr < sizeof(chunks->window)
						 ? (size_t)(high - addr)
						 : sizeof(chunks->window);

		chunks->window_len = 0;
		if (!psu_memory_peek(addr, chunks->window, len))
			return false;
		chunks->window_addr = addr;
		chunks->window_len = len;
		offset = 0;
	}
	memcpy(chunk_out, chunks->window + offset, sizeof(*chunk_out));
	return true;
}

static size_t bit_of(const struct psu_arena *arena, uint64_t addr)
{
	return (size_t)((addr - arena->low) / UNIT);
}

/** From one chunk to the next.  Returns whether that leads to the arena's end,
 * or to the two empty chunks before it that end one which cannot grow. */
static bool follow(struct psu_chunks *chunks, const struct psu_arena *arena,
				   uint64_t at, bool mark)
{
	struct chunk chunk;

	while (at < arena->high) {
		if (arena->high - at <= 2 * HEAD_LEN)
			return true;
		if (!get_chunk(chunks, at, arena->high, &chunk) ||
			!is_sane(&chunk, at, arena->high))
			return false;
		if (mark)
			arena->starts[bit_of(arena, at) / 64] |= UINT64_C(1)
													 << bit_of(arena, at) % 64;
		at += len_of(&chunk);
	}
	return true;
}

static size_t starts_len(const struct psu_arena *arena)
{
	return (size_t)((arena->high - arena->low) / UNIT / 64 + 1) *
		   sizeof(uint64_t);
}

/** Where the first chunk begins, is not told: from there on all are sound up to
 * the end, which nothing else is. */
static void find_starts(struct psu_chunks *chunks, struct psu_arena *arena)
{
	uint64_t end = arena->high - arena->low < BEGIN_MAX
					   ? arena->high
					   : arena->low + BEGIN_MAX;

	for (uint64_t at = arena->low; at + CHUNK_LEN_MIN < end; at += UNIT) {
		if (!follow(chunks, arena, at, false))
			continue;
		arena->starts = psu_memory_take(starts_len(arena));
		if (arena->starts && follow(chunks, arena, at, true))
			return;
		psu_memory_give(arena->starts, starts_len(arena));
		arena->starts = NULL;
		return;
	}
}

/** NULL: there are too many. */
static struct psu_arena *get_arena(struct psu_chunks *chunks, uint64_t low,
								   uint64_t high)
{
	struct psu_arena *arena = chunks->arenas;

	for (unsigned i = 0; i < chunks->arena_count; i++, arena++)
		if (arena->low == low)
			return arena;
	if (chunks->arena_count == PSU_ARENAS_MAX)
		return NULL;
	chunks->arena_count++;
	*arena = (struct psu_arena){.low = low, .high = high};
	find_starts(chunks, arena);
	return arena;
}

/** The begin of the chunk whose block @addr lies in; or what must be one, if
 * that is where its block begins.  A block has the next chunk's first word. */
static uint64_t find_begin(const struct psu_arena *arena, uint64_t addr)
{
	size_t bit, word;
	uint64_t bits;

	if (addr - arena->low < HEAD_LEN)
		return 0;
	if (!arena->starts)
		return addr % UNIT ? 0 : addr - HEAD_LEN;
	bit = bit_of(arena, addr - WORD_LEN);
	word = bit / 64;
	bits = arena->starts[word] & (~UINT64_C(0) >> (63 - bit % 64));
	while (!bits && word)
		bits = arena->starts[--word];
	if (!bits)
		return 0;
	bit = word * 64 + 63 - (unsigned)__builtin_clzll(bits);
	return arena->low + bit * UNIT;
}

/* ---- whether one is in use */

/** Whether the first word of a small one links to another free one. */
static bool is_cached(const struct psu_mappings *mappings, uint64_t addr,
					  uint64_t len)
{
	uint64_t block = addr + HEAD_LEN, link = 0;
	struct chunk chunk = {0};

	if (len > SMALL_MAX || !psu_memory_peek(block, &link, sizeof(link)))
		return false;
	link ^= block >> 12;
	if (!link)
		return true;
	if (link % UNIT || !psu_mappings_find(mappings, link))
		return false;
	/* to a block, or to its chunk */
	for (unsigned back = 0; back <= HEAD_LEN; back += HEAD_LEN)
		if (psu_memory_peek(link - back, &chunk, sizeof(chunk)) &&
			len_of(&chunk) == len)
			return true;
	return false;
}

static enum psu_chunk judge_chunk(const struct psu_mappings *mappings,
								  const struct psu_arena *arena, uint64_t addr,
								  struct psu_block *block_out)
{
	uint64_t begin = find_begin(arena, addr), end;
	struct chunk chunk = {0}, next = {0};

	if (!begin || addr < begin + HEAD_LEN ||
		!psu_memory_peek(begin, &chunk, sizeof(chunk)) ||
		!is_sane(&chunk, begin, arena->high))
		return PSU_CHUNK_FREE;
	end = begin + len_of(&chunk);
	if (addr >= end + WORD_LEN || end > arena->high - sizeof(next) ||
		!psu_memory_peek(end, &next, sizeof(next)) ||
		!(next.size & PREVIOUS_IN_USE) ||
		is_cached(mappings, begin, len_of(&chunk)))
		return PSU_CHUNK_FREE;
	block_out->addr = begin + HEAD_LEN;
	block_out->len = end + WORD_LEN - block_out->addr;
	return PSU_CHUNK_USED;
}

/* ---- arenas of threads, and blocks with pages of their own */

static bool get_head(const struct psu_mappings *mappings, uint64_t addr,
					 struct arena_head *head_out)
{
	return psu_mappings_find(mappings, addr) &&
		   psu_memory_peek(addr, head_out, sizeof(*head_out));
}

/** The state lies in the arena's first part, right behind its head. */
static bool is_arena(const struct psu_mappings *mappings, uint64_t low,
					 struct arena_head *head_out)
{
	struct arena_head first = {0};
	uint64_t first_low;

	if (!get_head(mappings, low, head_out) || !head_out->len ||
		head_out->len % PAGE_LEN || head_out->len > ARENA_ALIGN ||
		head_out->len > head_out->accessible_len)
		return false;
	first_low = head_out->state_addr & ~(ARENA_ALIGN - 1);
	return head_out->state_addr - first_low <= 2 * sizeof(first) &&
		   get_head(mappings, first_low, &first) &&
		   first.state_addr == head_out->state_addr;
}

/** Look back from @addr for the head of a block with pages of its own. */
static enum psu_chunk find_large(struct psu_chunks *chunks,
								 const struct psu_mapping *mapping,
								 uint64_t addr, struct psu_block *block_out)
{
	uint64_t page = addr & ~(uint64_t)(PAGE_LEN - 1);
	struct chunk chunk = {0};

	if (addr - chunks->large.addr < chunks->large.len) {
		*block_out = chunks->large;
		return chunks->large_is;
	}
	for (uint64_t at = page; at >= mapping->start; at -= PAGE_LEN) {
		if (!psu_memory_peek(at, &chunk, sizeof(chunk)))
			break;
		if (!chunk.before && (chunk.size & SIZE_BITS) == HAS_PAGES &&
			len_of(&chunk) % PAGE_LEN == 0 &&
			len_of(&chunk) <= mapping->end - at && addr - at < len_of(&chunk)) {
			chunks->large = (struct psu_block){at + HEAD_LEN,
											   len_of(&chunk) - HEAD_LEN};
			chunks->large_is = PSU_CHUNK_USED;
			*block_out = chunks->large;
			return PSU_CHUNK_USED;
		}
	}
	chunks->large = (struct psu_block){mapping->start,
									   page + PAGE_LEN - mapping->start};
	chunks->large_is = PSU_CHUNK_NONE;
	return PSU_CHUNK_NONE;
}

enum psu_chunk psu_chunks_find(struct psu_chunks *chunks,
							   const struct psu_mappings *mappings,
							   const struct psu_mapping *mapping, uint64_t addr,
							   struct psu_block *block_out)
{
	uint64_t low = mapping->start, high = mapping->end;
	struct psu_arena *arena, other;
	struct arena_head head = {0};

	if (mapping->kind == PSU_MAPPING_ANONYMOUS) {
		low = addr & ~(ARENA_ALIGN - 1);
		if (!is_arena(mappings, low, &head))
			return find_large(chunks, mapping, addr, block_out);
		high = low + head.len;
		if (addr >= high)
			return PSU_CHUNK_FREE;
	}
	arena = get_arena(chunks, low, high);
	if (!arena) {
		other = (struct psu_arena){.low = low, .high = high};
		arena = &other;
	}
	return judge_chunk(mappings, arena, addr, block_out);
}

void psu_chunks_free(struct psu_chunks *chunks)
{
	for (unsigned i = 0; i < chunks->arena_count; i++)
		psu_memory_give(chunks->arenas[i].starts,
						starts_len(&chunks->arenas[i]));
	chunks->arena_count = 0;
}
