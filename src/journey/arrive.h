/* SPDX-License-Identifier: ISC */
/*
 * arrive.h - one thread that is offered to this host, step by step
 *
 *     receive → verify → may it enter → decode → check → restore → resume
 */
#ifndef PSU_ARRIVE_H
#define PSU_ARRIVE_H

#include "journey/process.h"
#include "journey/traveller.h"
#include "seal/seal.h"

struct psu_arrival {
	struct psu_session *session;
	struct psu_peer peer; /* who offers it, as the peers file says now */

	struct psu_verified *verified;
	const struct psu_statement *statement; /* of verified */
	bool opening_taken;	 /* the server lets one thread in for this */
	bool body_counted;	 /* it is one of PSU_BODIES_MAX */
	struct psu_slot slot; /* mapped for a guest; a husk has its own */
	struct psu_traveller *husk; /* of a thread that was born here */
	uint8_t *head;
	struct psu_verified_body *body;
	struct psu_image image;
	struct psu_chain chain; /* as walked here */
	struct psu_traveller *thread; /* restored and parked */
};

/**
 * Take in what an OFFER, whose header has been received, announces.  Returns 0
 * if the session can go on, whatever became of the thread; else its code.
 */
PSU_MUST_CHECK int psu_arrive(struct psu_session *session,
							  const struct psu_frame_header *header);

/** Answer a control frame about some move, whose header has been received.
 * Returns as psu_arrive(). */
PSU_MUST_CHECK int psu_arrive_control(struct psu_session *session,
									  const struct psu_frame_header *header);

/* ---- the steps (arrive_steps.c); each returns 0 or why the thread is
 * refused */

PSU_MUST_CHECK int psu_arrive_recv_offer(struct psu_arrival *arrival,
										 const struct psu_frame_header *header);
PSU_MUST_CHECK int psu_arrive_take_opening(struct psu_arrival *arrival);
PSU_MUST_CHECK int psu_arrive_take_slot(struct psu_arrival *arrival);
PSU_MUST_CHECK int psu_arrive_recv_body(struct psu_arrival *arrival);
PSU_MUST_CHECK int psu_arrive_skip_body(struct psu_arrival *arrival);
PSU_MUST_CHECK int psu_arrive_check(struct psu_arrival *arrival);
PSU_MUST_CHECK int psu_arrive_park(struct psu_arrival *arrival);
/** Give back what a refused arrival holds. */
void psu_arrive_undo(struct psu_arrival *arrival);
/** Free what is of no use once the thread is parked, or gone. */
void psu_arrive_fini(struct psu_arrival *arrival);

#endif
