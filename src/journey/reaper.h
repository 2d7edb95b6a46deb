/* SPDX-License-Identifier: ISC */
/*
 * reaper.h - free the threads that nobody waits for
 *
 * A pthread that has ended must be joined by another, and so its slot stays
 * until somebody does.  For threads whose maker waits for nothing (a created
 * one that has left, a lost one), and for psu_thread_serve()'s guests, that is
 * the reaper: one thread of the library's own, started by the first need.
 */
#ifndef PSU_REAPER_H
#define PSU_REAPER_H

#include "journey/traveller.h"

/** Nobody waits for @thread any more: it goes when it has ended here, or, a
 * guest, has left.  Lock held; only the reaper may use it afterwards. */
void psu_reaper_take(struct psu_traveller *thread);

/** Start it, unless it runs.  Lock held.  Returns 0, NO_MEMORY or SYSTEM. */
PSU_MUST_CHECK int psu_reaper_start(void);

/** Whether guests have ended, or left, that are not free yet.  Lock held. */
bool psu_reaper_has_guests(void);

/** A thread has ended here or left, or was lost elsewhere: perhaps one to be
 * freed.  Lock held. */
void psu_reaper_look(void);

#endif
