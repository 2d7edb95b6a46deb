/* SPDX-License-Identifier: ISC */
/*
 * outbox.h - what hosts owe to the homes of threads that are or were there
 *
 * Two kinds of letters: LOCATION, where a thread is since its latest move, and
 * END, its result.  A letter is kept until its home has acknowledged it; of
 * one thread only the latest.  The list is pure: courier.h delivers.
 */
#ifndef PSU_OUTBOX_H
#define PSU_OUTBOX_H

#include "seal/itinerary.h"
#include "trust/place.h"

#include <stdbool.h>

enum psu_letter_kind { PSU_LETTER_LOCATION = 1, PSU_LETTER_END };

struct psu_letter {
	struct psu_letter *next; /* the next younger one */
	enum psu_letter_kind kind;
	struct psu_place home;
	struct psu_id thread;
	uint64_t generation; /* of the move, or of the thread's end */
	bool joinable;		 /* somebody at home may wait for the thread */
	unsigned tries;		 /* made to deliver it */
	int64_t due_ms;		 /* not to be tried again before, CLOCK_MONOTONIC */

	struct psu_itinerary *itinerary; /* malloc()ed: up to what is told */

	struct psu_place where; /* LOCATION: it is now */

	/* END */
	uint64_t slot_addr;
	uint64_t slot_len;
	uint32_t stack_room;
	uint8_t *head; /* malloc()ed: an encoded image of that kind */
	size_t head_len;
};

struct psu_outbox {
	struct psu_letter *oldest;
	size_t count;
	size_t len; /* bytes of them all */
};

void psu_letter_free(struct psu_letter *letter);

/**
 * Put a letter in, as the youngest, or free it if a later one of its thread is
 * there.  Earlier ones of its thread go.
 *
 * Returns those that had to make room, oldest first, for the caller to tell
 * and free: over PSU_OUTBOX_MAX letters or PSU_OUTBOX_LEN_MAX bytes the oldest
 * goes, at last the new one itself.
 */
struct psu_letter *psu_outbox_put(struct psu_outbox *outbox,
								  struct psu_letter *letter);

/** The same for one that was taken out and could not be delivered: it becomes
 * the oldest again. */
struct psu_letter *psu_outbox_put_back(struct psu_outbox *outbox,
									   struct psu_letter *letter);

/** Take out the oldest letter for a home's process that is due, or NULL. */
struct psu_letter *psu_outbox_take(struct psu_outbox *outbox,
								   const struct psu_id *home, int64_t now_ms);

/** When the next letter for that home is due; INT64_MAX: there is none. */
int64_t psu_outbox_due(const struct psu_outbox *outbox,
					   const struct psu_id *home);

#endif
