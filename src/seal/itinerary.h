/* SPDX-License-Identifier: ISC */
/*
 * itinerary.h - where a thread has been: its moves, each signed, chained
 *
 * A link is the sealed statement of a move itself.  The statement of the next
 * one has its hash, so that signing a move signs all before it:
 *
 *     statement 5 --previous--> link 4 --previous--> link 3 ... link 1 -> zeros
 *     signed by its source      by its source        by its source
 *
 * Who takes a thread in checks the statement and its newest link; the others
 * are the word of the hosts before, until somebody verifies them.  The thread's
 * home does, back to the latest move that it knows.
 */
#ifndef PSU_ITINERARY_H
#define PSU_ITINERARY_H

#include "seal/seal.h"
#include "trust/trust.h"

/** A move, as the thread's home remembers it. */
struct psu_made_move {
	uint64_t generation;
	struct psu_digest digest; /* of its sealed statement */
};

/** The newest moves of a thread, newest first, as they travel. */
struct psu_itinerary {
	unsigned count;
	uint8_t links[PSU_LINKS_MAX][PSU_SEALED_LEN];
};

/** Put the newest move in front; the oldest of too many is dropped. */
void psu_itinerary_append(struct psu_itinerary *itinerary,
						  const uint8_t sealed[PSU_SEALED_LEN]);

/** What the next move's statement has for previous. */
void psu_itinerary_previous(const struct psu_itinerary *itinerary,
							struct psu_digest *previous_out);

/**
 * Check that a received itinerary fits the verified statement that it came
 * with: as many links as the generation tells; the newest is the one that the
 * statement names, of the same thread, one generation older, and led to the
 * statement's source.  Every byte read here is hostile.
 *
 * Returns 0 or PSU_THREAD_E_ITINERARY_INVALID.
 */
PSU_MUST_CHECK int psu_itinerary_check(const struct psu_itinerary *itinerary,
									   const struct psu_statement *statement);

/**
 * Verify a whole itinerary: each link is signed with a key of its source, also
 * one that the peers file has only to verify, and each fits the one before.
 * Every byte read here is hostile.
 *
 * @own_public  the image-signing key of @peers' own host
 *
 * Returns 0 or PSU_THREAD_E_ITINERARY_INVALID, with the move in the sentence.
 */
PSU_MUST_CHECK int
psu_itinerary_verify(const struct psu_itinerary *itinerary,
					 const struct psu_peers *peers,
					 const uint8_t own_public[PSU_SIGN_PUBLIC_LEN]);

/**
 * Verify in the same way how a thread has come back to its home: the moves
 * from the latest on that is known there; or, if it has made more since than
 * came along, those that did.  Every byte read here is hostile.
 *
 * @statement  verified, fits the itinerary (psu_itinerary_check()), of a
 *             generation later than @known
 */
PSU_MUST_CHECK int
psu_itinerary_verify_return(const struct psu_itinerary *itinerary,
							const struct psu_statement *statement,
							const struct psu_made_move *known,
							const struct psu_peers *peers,
							const uint8_t own_public[PSU_SIGN_PUBLIC_LEN]);

/**
 * Verify in the same way where a thread has gone: up to its newest move, which
 * must be later than @known.  Every byte read here is hostile.
 */
PSU_MUST_CHECK int
psu_itinerary_verify_onward(const struct psu_itinerary *itinerary,
							const struct psu_made_move *known,
							const struct psu_peers *peers,
							const uint8_t own_public[PSU_SIGN_PUBLIC_LEN]);

#endif
