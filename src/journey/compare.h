/* SPDX-License-Identifier: ISC */
/*
 * compare.h - what is left at home of the heap of a thread that is away
 */
#ifndef PSU_COMPARE_H
#define PSU_COMPARE_H

#include "journey/process.h"
#include "journey/reaper.h"
#include "journey/traveller.h"

/** Answer a COMPARE, whose header has been received.  Whether the session is
 * still good for anything is in session->broken. */
void psu_compare_answer(struct psu_session *session);

#endif
