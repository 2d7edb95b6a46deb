/* SPDX-License-Identifier: ISC */
/*
 * walk.h - the frame chain: a stack unwound by its unwind tables
 *
 * One walker for both sides: libunwind's generic interface with memory reads
 * of our own, bounded to the travelling stack and the program's read-only
 * segments.  The source walks the live stack and signs the chain; the
 * destination walks the restored stack with its own tables, before anything
 * runs, and must get the same.
 */
#ifndef PSU_WALK_H
#define PSU_WALK_H

#include "report/report.h"
#include "start/manifest.h"
#include "state/state.h"

#include <stddef.h>
#include <stdint.h>

/**
 * One frame, innermost first.  The innermost is psu_thread_migrate's, whose
 * return address rsp points at; the last is the library's own entry.  Frames
 * lie without gaps, so that their lengths add up to high - low:
 *
 *     low = rsp                                                      high
 *     | psu_thread_migrate | its caller | ... | the thread's function | entry
 *                          ^ CFA        ^ CFA                         ^ CFA
 *
 * The entry has what is left above the last CFA: usually psu_slot_argument()
 * alone.
 */
struct psu_frame {
	uint64_t return_offset; /* in its object: where the frame goes on */
	uint32_t frame_len;		/* bytes from the CFA of the frame before it (of
							   the innermost: from rsp) to its own CFA (of
							   the last: to the stack's end) */
	uint16_t object;		/* index in the manifest */
};

struct psu_chain {
	size_t count;
	struct psu_frame *frames; /* psu_chain_free() */
};

/** More frames than this are refused: FRAME_UNKNOWN. */
#define PSU_CHAIN_FRAMES_MAX 524288

/** The stack to walk: [low, high) may be read, nothing else of it. */
struct psu_stack_bounds {
	uint64_t low;  /* the kept rsp; a multiple of 8 */
	uint64_t high; /* the travelling stack's end; a multiple of 8 */
};

/**
 * Unwind from the kept @registers to the library's own entry.  Every byte of
 * the stack, and every register, is hostile on arrival.  Called by any thread
 * on any stack but the one that is walked.
 *
 * Each return address must lie in an executable segment of an object of the
 * manifest, just after a call instruction, and every frame within @bounds,
 * each above the one before; the chain must end at psu_state_entered.  Frames
 * of other code than the program's own are those of qsort, qsort_r and
 * bsearch, and of what these call; others may hold what stays behind.
 *
 * @manifest   this process's own; the same one in every call
 * @chain_out  psu_chain_free()
 *
 * Returns 0, FRAME_UNKNOWN (no unwind table, or nonsense), FRAME_FOREIGN (the
 * return address lies outside the program's objects, or in code of theirs that
 * is not the program's own), NO_MEMORY; the sentence names the frame by
 * number, object and offset.
 */
PSU_MUST_CHECK int psu_walk_stack(const struct psu_manifest *manifest,
								  const struct psu_registers *registers,
								  const struct psu_stack_bounds *bounds,
								  struct psu_chain *chain_out);

/**
 * Find the callee-saved registers that the second frame has: those of the
 * caller of what called psu_state_capture().  Arguments as above, of a stack
 * that could be walked.
 *
 * @registers_out  rbx, rbp and r12 to r15; the rest as in @registers
 *
 * Returns 0 or what psu_walk_stack() does.
 */
PSU_MUST_CHECK int psu_walk_caller(const struct psu_manifest *manifest,
								   const struct psu_registers *registers,
								   const struct psu_stack_bounds *bounds,
								   struct psu_registers *registers_out);

/** Whether a function of this program begins at @addr, by its tables. */
bool psu_walk_is_function(const struct psu_manifest *manifest, uint64_t addr);

void psu_chain_free(struct psu_chain *chain);
bool psu_chain_equal(const struct psu_chain *a, const struct psu_chain *b);

#endif
