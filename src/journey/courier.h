/* SPDX-License-Identifier: ISC */
/*
 * courier.h - deliver what this host owes to the homes of threads
 *
 * Who posts a letter goes on at once.  For each home with mail there is one
 * thread, which ends with its last letter.  It tries until a letter is
 * acknowledged, its home is known to have ended, or the outbox is full.
 */
#ifndef PSU_COURIER_H
#define PSU_COURIER_H

#include "journey/outbox.h"
#include "journey/traveller.h"

/**
 * Write down that the thread, a guest, has come to @where by the newest move of
 * its itinerary, which commits @generation.  Lock held.
 *
 * Returns the letter, for psu_courier_post() without the lock, or NULL, which
 * the log says.
 */
struct psu_letter *psu_courier_write_moved(const struct psu_traveller *thread,
										   uint64_t generation,
										   const struct psu_place *where);

/** Have a letter delivered; NULL: there is none. */
void psu_courier_post(struct psu_letter *letter);

/** The thread, a guest, has ended here with @result: post that, and its last
 * state, to its home.  Its pthread has ended. */
void psu_courier_tell_ended(struct psu_traveller *thread, void *result);

/** Wait until all is delivered that somebody at a home may wait for, and all
 * else has been tried once.  Lock held. */
void psu_courier_linger(int64_t deadline);

/** The process ends: say of each letter that is left that it is dropped. */
void psu_courier_give_up(void);

/* ---- between the files of this part */

enum psu_delivery {
	PSU_DELIVERY_DONE = 1,	/* or of no interest there any more */
	PSU_DELIVERY_POSTPONED, /* home does not take it now */
	PSU_DELIVERY_UNREACHED, /* home does not answer now */
	PSU_DELIVERY_HOPELESS	/* never: its home has ended */
};

/** Try once to deliver a letter (courier_deliver.c).  What goes wrong is kept
 * as the calling thread's sentence, and in the log for debugging only. */
enum psu_delivery psu_courier_deliver(const struct psu_letter *letter);

#endif
