/* SPDX-License-Identifier: ISC */
/*
 * preflight.h - words of a thread that point to memory which stays
 *
 *     preflight.c  the coordination, and PSU_THREAD_STRICT
 *     scan.c       every aligned word of what travels; most are no pointers
 *     judge.c      does the memory that a word points to stay?
 *     mappings.c   what this process has mapped
 *     chunks.c     is it a block of malloc()'s that is in use?
 *     stacks.c     is it a part of another thread's stack that is in use?
 *     memory.c     read what another thread may unmap meanwhile
 *     tell.c       words for a finding
 *
 * The thread that is scanned is the calling one, on its home stack.  All
 * others run on.
 */
#ifndef PSU_PREFLIGHT_H
#define PSU_PREFLIGHT_H

#include "heap/heap.h"
#include "slot/slot.h"
#include "start/manifest.h"
#include "state/state.h"
#include "walk/walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct psu_block {
	uint64_t addr, len;
};

/** The calling thread. */
struct psu_preflight_thread {
	const struct psu_slot *slot;
	const struct psu_heap *heap;	/* a sound one, or NULL */
	const struct psu_chain *chain;	/* the first frame is the library's */
	struct psu_registers registers; /* as the second frame has them */
	uint64_t stack_addr;			/* where the first frame begins */
	struct psu_block own; /* what the library itself has of it, pointers to
							 which it leaves behind on the stack */
	const struct psu_manifest *manifest;
};

/**
 * Scan all of the calling thread that travels.
 *
 * @report_out  also written with POINTER_STAYS; on no memory that travels
 *
 * Returns 0, POINTER_STAYS, NO_MEMORY, or SYSTEM (the process's mappings cannot
 * be read).
 */
PSU_MUST_CHECK int psu_preflight_scan(const struct psu_preflight_thread *thread,
									  struct psu_thread_report *report_out);

/** Whether $PSU_THREAD_STRICT asks for that before each move.  Returns 0 or
 * INVALID_ARGUMENT. */
PSU_MUST_CHECK int psu_preflight_strict(bool *strict_out);

/* ---- memory.c */

/** Copy @len bytes at @addr.  False: they are not all mapped and readable. */
bool psu_memory_peek(uint64_t addr, void *bytes_out, size_t len);
/** Fresh zeros, which take no memory before they are used; NULL: none. */
void *psu_memory_take(size_t len);
void psu_memory_give(void *bytes, size_t len);

/* ---- mappings.c */

enum psu_mapping_kind {
	PSU_MAPPING_ANONYMOUS,
	PSU_MAPPING_BREAK, /* [heap]: where libc's heap begins */
	PSU_MAPPING_STACK, /* [stack]: the main thread's */
	PSU_MAPPING_FILE
};

struct psu_mapping {
	uint64_t start, end;
	enum psu_mapping_kind kind;
	const char *path; /* of a file; else "" */
};

/** Room for text: 128 bytes for each of as many mappings as a process may have;
 * and for as many as fit in there. */
#define PSU_MAPPINGS_TEXT_LEN (8u << 20)
#define PSU_MAPPINGS_MAX (PSU_MAPPINGS_TEXT_LEN / 40)

/** All that can be accessed, but for the kernel's own, by address. */
struct psu_mappings {
	size_t count;
	struct psu_mapping list[PSU_MAPPINGS_MAX];
	char text[PSU_MAPPINGS_TEXT_LEN]; /* that it was read from */
};

/** Returns 0 or SYSTEM. */
PSU_MUST_CHECK int psu_mappings_read(struct psu_mappings *mappings);
/** Take @text, lines as of /proc/self/maps and a NUL, apart; it is changed, and
 * kept.  Returns how many are in @list_out, @room at most. */
size_t psu_mappings_parse(char *text, struct psu_mapping *list_out,
						  size_t room);
/** NULL: none is there. */
const struct psu_mapping *psu_mappings_find(const struct psu_mappings *mappings,
											uint64_t addr);

/* ---- chunks.c: libc's heap, as glibc has it */

enum psu_chunk {
	PSU_CHUNK_NONE, /* no memory of malloc()'s */
	PSU_CHUNK_FREE, /* of malloc()'s, and nobody's */
	PSU_CHUNK_USED
};

#define PSU_ARENAS_MAX 64

/** Memory that consists of chunks, without gaps. */
struct psu_arena {
	uint64_t low, high;
	uint64_t *starts; /* a bit for each 16 bytes: a chunk begins there; NULL:
						 it is not known where they begin */
};

/** What is known of libc's heap so far. */
struct psu_chunks {
	struct psu_arena arenas[PSU_ARENAS_MAX];
	unsigned arena_count;
	struct psu_block large;	 /* pages that were asked about last, */
	enum psu_chunk large_is; /* and what they are */
	uint64_t window_addr;	 /* a copy of the bytes there: */
	size_t window_len;
	uint8_t window[64 << 10];
};

/**
 * What @addr, in @mapping, points to.
 *
 * @block_out  of USED: the block
 */
enum psu_chunk psu_chunks_find(struct psu_chunks *chunks,
							   const struct psu_mappings *mappings,
							   const struct psu_mapping *mapping, uint64_t addr,
							   struct psu_block *block_out);
void psu_chunks_free(struct psu_chunks *chunks);

/* ---- stacks.c */

#define PSU_STACKS_MAX 4096

/** The other threads of this process. */
struct psu_stacks {
	bool read;
	size_t count;
	struct psu_stack {
		pid_t tid;
		uint64_t control_addr; /* of its control block, at the stack's top */
		uint64_t live_addr;	   /* what lies from here on is in use */
		bool live_known;
	} list[PSU_STACKS_MAX];
};

/**
 * The stack, in @mapping, that @addr lies in.  NULL: in none.
 *
 * Its live_addr is known then, as far as the kernel tells it.
 */
const struct psu_stack *psu_stacks_find(struct psu_stacks *stacks,
										const struct psu_mapping *mapping,
										uint64_t addr);

/* ---- judge.c */

enum psu_stay {
	PSU_STAY_NOT, /* it is no such pointer */
	PSU_STAY_HEAP,
	PSU_STAY_STACK,
	PSU_STAY_SLOT,
	PSU_STAY_FILE,
	PSU_STAY_ANONYMOUS
};

/** What a word points to. */
struct psu_verdict {
	enum psu_stay stay;
	const struct psu_mapping *mapping;
	struct psu_block block; /* of HEAP */
	pid_t tid;				/* of STACK */
};

/** What words are looked up in.  In memory of its own, which is nobody's. */
struct psu_judge {
	const struct psu_manifest *manifest;
	struct psu_mappings mappings;
	struct psu_chunks chunks;
	struct psu_stacks stacks;
};

void psu_judge_word(struct psu_judge *judge, uint64_t value,
					struct psu_verdict *verdict_out);

/* ---- scan.c */

/** Where a word was found. */
struct psu_word {
	enum psu_thread_finding_place place;
	uint64_t addr, value;
	struct psu_block block; /* of HEAP */
	size_t frame;			/* of STACK, its number, */
	uint64_t frame_addr;	/* and where it begins */
	const char *name;		/* of REGISTER */
};

/** Gets each word that points to what stays. */
typedef void psu_scan_found(const struct psu_word *word,
							const struct psu_verdict *verdict, void *context);

void psu_scan_thread(const struct psu_preflight_thread *thread,
					 struct psu_judge *judge, psu_scan_found *found,
					 void *context);

/* ---- tell.c */

void psu_tell_finding(const struct psu_preflight_thread *thread,
					  const struct psu_mappings *mappings,
					  const struct psu_word *word,
					  const struct psu_verdict *verdict,
					  struct psu_thread_finding *finding_out);

#endif
