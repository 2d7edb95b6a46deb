/* SPDX-License-Identifier: ISC */
/*
 * traffic.h - moves of this process that are under way at the same time
 *
 * One alone is over soonest if it looks for what comes next instead of
 * sleeping.  Of several each is over soonest if nobody takes a processor that
 * he does not need: then they sleep, and one with a large body gives way to
 * small ones between its parts, since the kernel would let it go on for some
 * milliseconds, which is many small moves.
 */
#ifndef PSU_TRAFFIC_H
#define PSU_TRAFFIC_H

#include <stdbool.h>

/** How long it takes at most, microseconds, to let a small move pass: if the
 * processor is away for longer, somebody else took it. */
#define PSU_GIVE_WAY_US 500
/** So long ago is of late: one that waits for the processor is not counted, and
 * where one has been there will be another. */
#define PSU_OF_LATE_US 1000000

/** The calling thread begins to send or to receive one, or to look for an
 * answer; and ends. */
void psu_traffic_enter(void);
void psu_traffic_leave(void);

/** Nobody else does. */
bool psu_traffic_is_alone(void);

/** Between two parts of what takes long: if there have been others of late, let
 * them have the processor, unless a thread that is none of ours has taken it
 * since psu_traffic_enter(). */
void psu_traffic_give_way(void);

#endif
