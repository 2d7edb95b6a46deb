/* SPDX-License-Identifier: ISC */
/*
 * test_arrive_offer.h - host a offers a thread to this process, host b
 */
#ifndef TEST_ARRIVE_OFFER_H
#define TEST_ARRIVE_OFFER_H

#include "test_arrive_thread.h"

#include "journey/process.h"
#include "seal/itinerary.h"

/** Host a, and where host b listens; set by main(). */
extern struct psu_session_context host_a;
extern struct psu_endpoint server;

/** What is sent around the thread. */
extern struct offer {
	struct psu_statement statement;
	struct psu_itinerary itinerary; /* of the moves before */
	uint16_t stream;				/* of the OFFER's frame */
	struct psu_frame_header first;	/* of the body's frames; a second one has
									   what the first leaves */
} offer;

/** Spoils something in @thread or @offer. */
typedef void offer_change(void);

struct psu_session *offer_dial(void);

/** Let the thread have made @count moves before, the last of them to host a:
 * for a change of the statement. */
void offer_moved(unsigned count);

/**
 * Make a thread and offer it, in one flight.
 *
 * @image      called before the thread is encoded
 * @statement  called before the statement is signed
 *
 * Returns 0 if it runs, or the code of the refusal, or of what broke.
 */
int offer_try(struct psu_session *session, offer_change *image,
			  offer_change *statement);

#endif
