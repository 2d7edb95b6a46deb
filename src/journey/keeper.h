/* SPDX-License-Identifier: ISC */
/*
 * keeper.h - stay connected with where this process's threads are
 *
 * A thread can come home to a process that nobody can dial, over a session
 * that this process has opened; and that its host's process has died is
 * learnt from that host alone.  So a home sees to it that it has a session
 * with every process that has threads of its own.
 */
#ifndef PSU_KEEPER_H
#define PSU_KEEPER_H

#include "trust/place.h"

/** Something has changed about a process of that incarnation, whichever host's:
 * a session with it has ended or turned, or a thread has gone there.  If
 * threads of ours are there and there is no session left, see to it.  Lock
 * held. */
void psu_keeper_look(const struct psu_id *incarnation);

/** Whether a thread of ours is there, as far as is known.  Lock held. */
bool psu_keeper_is_visited(const struct psu_place *place);

#endif
