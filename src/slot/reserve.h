/* SPDX-License-Identifier: ISC */
/*
 * reserve.h - memory that is there before a thread comes
 *
 * The first touch of a page costs 1.2 us, as much as receiving it.  So a
 * process that takes threads in keeps some fresh pages, and moves them under
 * the stack of one that arrives; they are made up for when its slot is given
 * back.  Nothing ever lay in them.  Where the reserve does not reach, pages
 * come when they are touched.
 */
#ifndef PSU_RESERVE_H
#define PSU_RESERVE_H

#include "report/report.h"

#include <stdint.h>

/** Bytes kept: a stack of 1 MiB with what lies around it. */
#define PSU_RESERVE_LEN (UINT64_C(5) << 18)

/** Make up for what was taken.  Takes 300 us for each MiB: not while a thread
 * waits. */
void psu_reserve_fill(void);

/**
 * Move pages of the reserve to the upper end of [@low, @high), which is
 * readable, writable, and empty.  Moving costs as much as touching five pages:
 * less is not moved.
 *
 * Returns 0, or NO_MEMORY: the range may not be mapped any more.
 */
PSU_MUST_CHECK int psu_reserve_take(uint64_t low, uint64_t high);

#endif
