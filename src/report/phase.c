/* SPDX-License-Identifier: ISC */
/*
 * phase.c - when each phase of a move began last
 */
#include "report/phase.h"

#include <time.h>

bool psu_phase_watched;
uint64_t psu_phase_began_ns[PSU_PHASE_COUNT];

void psu_phase_note(enum psu_phase phase)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	__atomic_store_n(&psu_phase_began_ns[phase],
					 (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
					 __ATOMIC_RELAXED);
}
