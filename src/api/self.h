/* SPDX-License-Identifier: ISC */
/*
 * self.h - the calling thread, for calls that only a migratable one may make
 */
#ifndef PSU_SELF_H
#define PSU_SELF_H

#include "journey/traveller.h"

/**
 * Find the calling thread.
 *
 * @can  what only such threads can, for the sentence: "has a home"
 *
 * Returns 0, NOT_SET_UP, FORKED or OUTSIDE_THREAD.
 */
PSU_MUST_CHECK int psu_self_find(const char *can,
								 struct psu_traveller **self_out);

/** The same, if its function has not returned yet: else STACK_OUTSIDE_SLOT. */
PSU_MUST_CHECK int psu_self_find_running(const char *can,
										 struct psu_traveller **self_out);

#endif
