/* SPDX-License-Identifier: ISC */
/*
 * phase.h - when a move passed from one phase to the next
 *
 * Each step of the two narratives says in its first line which phase begins;
 * a phase lasts until the next one of its side begins.  Unless somebody
 * watches, that costs one branch.
 */
#ifndef PSU_PHASE_H
#define PSU_PHASE_H

#include <stdbool.h>
#include <stdint.h>

/** Every phase, in the order of a move: name, word. */
#define PSU_PHASES(X)                                                          \
	/* at the source */                                                        \
	X(CAPTURE, "capture")                                                      \
	X(UNWIND, "unwind")                                                        \
	X(ENCODE, "encode")                                                        \
	X(OPEN, "open")                                                            \
	X(SIGN, "sign")                                                            \
	X(SEND, "send")                                                            \
	X(AWAIT, "await")                                                          \
	X(COMMIT, "commit") /* two flights only */                                 \
	X(LEAVE, "leave")                                                          \
	/* at the destination */                                                   \
	X(RECEIVE, "receive")                                                      \
	X(VERIFY, "verify")                                                        \
	X(ADMIT, "admit")                                                          \
	X(BODY, "body")                                                            \
	X(DECODE, "decode")                                                        \
	X(REWALK, "re-walk")                                                       \
	X(RESTORE, "restore")                                                      \
	X(START, "start")                                                          \
	X(RESUME, "resume")

#define PSU_PHASE_ENUM_(name, word) PSU_PHASE_##name,
enum psu_phase {
	PSU_PHASES(PSU_PHASE_ENUM_) PSU_PHASE_COUNT,
	PSU_PHASE_DEST = PSU_PHASE_RECEIVE /* the first at the destination */
};

/** Whether anybody watches; set before the moves that are watched. */
extern bool psu_phase_watched;

/** When each phase began last in this process, nanoseconds of
 * CLOCK_MONOTONIC; of moves at the same time, some of each. */
extern uint64_t psu_phase_began_ns[PSU_PHASE_COUNT];

void psu_phase_note(enum psu_phase phase);

/** @phase begins now. */
static inline void psu_phase_begin(enum psu_phase phase)
{
	if (__builtin_expect(psu_phase_watched, 0))
		psu_phase_note(phase);
}

#endif
