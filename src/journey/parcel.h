/* SPDX-License-Identifier: ISC */
/*
 * parcel.h - what goes to another host as one OFFER with its body
 *
 * A thread that moves, or the end of one that goes to its home.
 */
#ifndef PSU_PARCEL_H
#define PSU_PARCEL_H

#include "image/image.h"
#include "journey/digests.h"
#include "net/session.h"
#include "seal/itinerary.h"

struct psu_parcel {
	/* what is sent */
	enum psu_kind kind;
	bool one_flight;
	struct psu_id thread;
	uint64_t generation; /* that it commits */
	uint64_t slot_addr;
	uint64_t slot_len;
	uint32_t stack_room;
	const struct psu_itinerary *itinerary; /* before it */
	struct psu_span head;			 /* the encoded image without its stack */
	struct psu_span stack;			 /* of an end: none */
	uint64_t heap_addr;				 /* where the heap lies */
	const struct psu_heap_map *heap; /* which of its pages go; NULL: none */

	struct psu_digests *digests; /* while it is sent attested; else NULL */

	/* as it was signed for the session it went out on last */
	struct psu_statement statement;
	uint8_t sealed[PSU_SEALED_LEN];
};

/** Bytes of head, stack and heap, by which it may go in one flight or not. */
size_t psu_parcel_len(const struct psu_parcel *parcel);

/**
 * Sign for @session, and send OFFER and body.
 *
 * @last      called, with @argument, before the last bytes go out
 *
 * Returns 0, also if the destination does not want the rest (the session is
 * broken then, and its answer can be read), or what psu_session_send() does.
 */
PSU_MUST_CHECK int psu_parcel_send(struct psu_parcel *parcel,
								   struct psu_session *session,
								   void (*last)(void *), void *argument);

/**
 * Receive what the destination says of this parcel; about other moves it may
 * say what it likes.
 *
 * @refusable    REFUSED is an answer too: its payload is still to be received
 * @control_out  the answer; of REFUSED its type only
 */
PSU_MUST_CHECK int psu_parcel_recv_answer(const struct psu_parcel *parcel,
										  struct psu_session *session,
										  bool refusable,
										  struct psu_control *control_out);

#endif
