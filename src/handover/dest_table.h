/* SPDX-License-Identifier: ISC */
/*
 * dest_table.h - what a destination remembers: records, found at once
 *
 *     migration id -> record    every record
 *     thread id    -> records   of each thread what is pending, and what was
 *                               started last
 *     peer         -> records   how many; those that are spent, in the order
 *                               in which they became so
 *
 * Nothing here depends on how many records there are, but for those of a peer
 * that has gone.  Whoever picks his ids so that they meet in one bucket pays
 * with a search through his own records.
 */
#ifndef PSU_DEST_TABLE_H
#define PSU_DEST_TABLE_H

#include "handover/handover.h"

/** The record of a move; NULL if there is none. */
struct psu_dest_record *psu_dest_find(struct psu_dest *dest,
									  const struct psu_id *migration);

/** The next record of a thread, pending or started last, after @record, or
 * the first after NULL; NULL: there are no more. */
struct psu_dest_record *psu_dest_next(struct psu_dest *dest,
									  const struct psu_id *thread,
									  const struct psu_dest_record *record);

/** Who the move's peer is. */
const struct psu_digest *psu_dest_peer(const struct psu_dest *dest,
									   const struct psu_dest_record *record);

/** Admitted, and neither started nor aborted yet. */
bool psu_dest_is_pending(const struct psu_dest_record *record);

/** A new record in state ABORTED that is not spent; NULL if there is no room,
 * nor a spent record that could make some. */
struct psu_dest_record *psu_dest_add(struct psu_dest *dest,
									 const struct psu_id *migration,
									 const struct psu_digest *peer);

/** A new record is of @offer, whose body is to be received. */
void psu_dest_admit(struct psu_dest *dest, struct psu_dest_record *record,
					const struct psu_dest_offer *offer);

/** A pending record becomes the one of its thread that was started last. */
void psu_dest_start(struct psu_dest *dest, struct psu_dest_record *record);

/**
 * The record is in its last state, ABORTED or FORGOTTEN, and guards against
 * nothing but a second reading of its offer.  There is none: the statement
 * names its connection, and a connection gives every byte once.  Without the
 * record a COMMIT or CANCEL makes ABORTED true anew, and the source of a
 * forgotten move asks no more.  So it makes room when its peer needs some.
 */
void psu_dest_spend(struct psu_dest *dest, struct psu_dest_record *record,
					enum psu_dest_state state);

#endif
