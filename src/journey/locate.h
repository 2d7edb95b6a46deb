/* SPDX-License-Identifier: ISC */
/*
 * locate.h - what a home learns of where its threads are
 */
#ifndef PSU_LOCATE_H
#define PSU_LOCATE_H

#include "journey/traveller.h"
#include "net/session.h"

/** Take a LOCATION, whose header has been received, and answer NOTED, or
 * REFUSED if it is not to be believed. */
void psu_locate_recv(struct psu_session *session,
					 const struct psu_frame_header *header);

/** Whether the process at @place has @thread, which was born here, as far as is
 * known.  Lock held. */
bool psu_locate_is_with(const struct psu_traveller *thread,
						const struct psu_place *place);

/** That process is known to have died: this process's threads that were there
 * are lost, as far as is known.  Lock held. */
void psu_locate_died(const struct psu_place *place);

/** Whether it cannot be asked any more what became of them, or can again.  Lock
 * held. */
void psu_locate_silent(const struct psu_place *place, bool silent);

/** Somebody who knows better says that @thread, which is with a process that
 * cannot be asked, is lost.  Lock held. */
void psu_locate_give_up(struct psu_traveller *thread);

#endif
