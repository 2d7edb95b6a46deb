/* SPDX-License-Identifier: ISC */
/*
 * arrive.h - one thread that is offered to this host, step by step
 *
 *     receive → verify → may it enter → decode → check → restore → resume
 */
#ifndef PSU_ARRIVE_H
#define PSU_ARRIVE_H

#include "journey/digests.h"
#include "journey/process.h"
#include "journey/traveller.h"
#include "report/phase.h"
#include "seal/seal.h"

struct psu_arrival {
	struct psu_arrival *next; /* of those that are coming in */
	struct psu_session *session;
	struct psu_peer peer; /* who offers it, as the peers file says now */

	struct psu_verified *verified;
	const struct psu_statement *statement; /* of verified */
	uint8_t sealed[PSU_SEALED_LEN];		   /* and what it was */
	struct psu_itinerary itinerary;		   /* of the moves before */
	int64_t judged_ms;					   /* when the peer was */
	bool placed;						   /* it is one of PSU_BODIES_MAX */
	int64_t body_begun_ms;				   /* CLOCK_MONOTONIC; 0: not yet */
	uint64_t body_at;					   /* bytes of it that have come */
	uint32_t frame_left;		/* of the BODY frame that is coming, ditto */
	bool opening_taken;			/* the server lets one thread in for this */
	bool is_guest;				/* it is one of psu_thread_serve()'s */
	struct psu_slot slot;		/* mapped for a guest; a husk has its own */
	struct psu_traveller *husk; /* of a thread that was born here */
	uint8_t *head;
	struct psu_verified_body *body;
	struct psu_digests *digests; /* of an attested heap, as it comes in */
	struct psu_image image;
	struct psu_chain chain;		  /* as walked here */
	struct psu_traveller *thread; /* restored and parked */

	/* guarded by the process's lock */
	struct psu_arrival *next_reserved; /* of those that were answered */
	bool settled;					   /* started, or to be discarded */
	bool started;
};

/** Take in what an OFFER, whose header has been received, announces; answer
 * it.  What the session is still good for is in session->broken. */
void psu_arrive(struct psu_session *session,
				const struct psu_frame_header *header);

/** Answer a control frame about some move, whose header has been received. */
void psu_arrive_control(struct psu_session *session,
						const struct psu_frame_header *header);

/* ---- the steps (arrive_steps.c, arrive_body.c); each returns 0 or why the
 * thread is refused */

/** Receive the statement and verify it. */
PSU_MUST_CHECK int psu_arrive_recv_offer(struct psu_arrival *arrival,
										 const struct psu_frame_header *header);
/** Be one of the bodies that may come in at a time. */
PSU_MUST_CHECK int psu_arrive_take_place(struct psu_arrival *arrival);
void psu_arrive_leave_place(struct psu_arrival *arrival);
/** Take the thread's addresses: a fresh slot, or its husk's. */
PSU_MUST_CHECK int psu_arrive_take_slot(struct psu_arrival *arrival);
/** Whether its peer may have one more thread here, if it is a guest. */
PSU_MUST_CHECK int psu_arrive_check_quota(const struct psu_arrival *arrival);
/** Receive what comes before the heap. */
PSU_MUST_CHECK int psu_arrive_recv_body(struct psu_arrival *arrival);
/** Receive the heap's pages, each to where it belongs, and see whether it is
 * one. */
PSU_MUST_CHECK int psu_arrive_recv_heap(struct psu_arrival *arrival);
/** Verify the body's digest, then decode it. */
PSU_MUST_CHECK int psu_arrive_decode(struct psu_arrival *arrival);
/** Check its itinerary, and the image against this program: registers, frame
 * chain. */
PSU_MUST_CHECK int psu_arrive_check(struct psu_arrival *arrival);
/** Before a large heap comes in: wait until this server would take its thread
 * in. */
PSU_MUST_CHECK int psu_arrive_await_opening(struct psu_arrival *arrival);
/** Wait until this server takes a thread in, one or any; home needs no such
 * wait. */
PSU_MUST_CHECK int psu_arrive_take_opening(struct psu_arrival *arrival);
/** Whoever was struck off while the thread was coming in is refused still. */
PSU_MUST_CHECK int psu_arrive_judge_again(struct psu_arrival *arrival);
/** Make the thread, parked, with all its state; then nothing fallible is left,
 * and it answers the OFFER itself. */
PSU_MUST_CHECK int psu_arrive_restore(struct psu_arrival *arrival);
/** Where its stack lies, or will. */
uint8_t *psu_arrive_stack(const struct psu_arrival *arrival);
/** Whether so much is left of a refused body that the answer comes first: the
 * source looks for one between the frames. */
bool psu_arrive_answers_early(const struct psu_arrival *arrival);
/** Receive what is left of a refused body, to be heard with the answer.  Of
 * much, so much that the source can stop, and nothing more is heard then. */
void psu_arrive_skip_body(struct psu_arrival *arrival);
/** Give back what a refused arrival holds. */
void psu_arrive_undo(struct psu_arrival *arrival);
/** Free what is of no use once the thread is parked, or gone. */
void psu_arrive_fini(struct psu_arrival *arrival);

/* ---- the handover (arrive_handover.c) */

/** Let the machine judge a verified OFFER.  False: it has been answered. */
bool psu_arrive_admit(struct psu_arrival *arrival);
/** Refuse it after it had been admitted, and say so. */
void psu_arrive_refuse(struct psu_arrival *arrival, int code);
/** Let the machine decide whether the restored thread starts or is promised,
 * and say so.  On the thread's own home stack: the session's thread, which
 * waits for it meanwhile, would have to be woken for that.  */
void psu_arrive_answer(void *arrival);
/** The OFFER was answered: wait for the COMMIT if it was a promise. */
void psu_arrive_hand_over(struct psu_arrival *arrival);

#endif
