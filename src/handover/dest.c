/* SPDX-License-Identifier: ISC */
/*
 * dest.c - the destination's side of all moves to this process
 *
 * In: requests of authenticated peers, and what becomes of a restored thread.
 * Out: what to answer, and whether the thread is started or discarded.  A
 * move is started at most once, only as the source ordered it, and never
 * after ABORTED has been said of it: a tombstone sees to that, also when the
 * offer itself is still on its way.  About another run of this program only
 * a proof of its death is said.  A peer touches its own moves only.
 */
#include "handover/handover.h"

#include <psu_thread.h>

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define ANSWER(what) ((struct psu_dest_answer){.say = (what)})

void psu_dest_init(struct psu_dest *dest, const struct psu_id *incarnation)
{
	dest->incarnation = *incarnation;
	dest->count = 0;
}

/** The record of a move; NULL if there is none.  What is asked for is mostly
 * one of the newest. */
static struct psu_dest_record *find(struct psu_dest *dest,
									const struct psu_id *migration)
{
	for (size_t i = dest->count; i-- > 0;)
		if (psu_id_equal(&dest->records[i].migration, migration))
			return &dest->records[i];
	return NULL;
}

static bool is_foreign(const struct psu_dest_record *record,
					   const struct psu_digest *peer)
{
	return record && !psu_digest_equal(&record->peer, peer);
}

/** What is known of a move; nothing changes. */
static struct psu_dest_answer repeat(const struct psu_dest_record *record)
{
	switch (record->state) {
	case PSU_DEST_PREPARED:
		return (struct psu_dest_answer){.say = PSU_DEST_SAY_PREPARED,
										.token = record->token};
	case PSU_DEST_RUNNING:
		return ANSWER(PSU_DEST_SAY_RUNNING);
	case PSU_DEST_ABORTED:
		return (struct psu_dest_answer){.say = PSU_DEST_SAY_ABORTED,
										.code = record->code};
	case PSU_DEST_ARRIVING:
	case PSU_DEST_FORGOTTEN:
		break;
	}
	return ANSWER(PSU_DEST_SAY_UNKNOWN);
}

/** Admitted, and neither started nor aborted yet. */
static bool is_pending(const struct psu_dest_record *record)
{
	return record->state == PSU_DEST_ARRIVING ||
		   record->state == PSU_DEST_PREPARED;
}

/** Make ABORTED true, then say so. */
static struct psu_dest_answer give_up(struct psu_dest_record *record, int code)
{
	struct psu_dest_answer answer;

	record->state = PSU_DEST_ABORTED;
	record->code = code;
	answer = repeat(record);
	answer.discard = true;
	return answer;
}

/** Ownership moves here.  Nobody will ask about an END. */
static struct psu_dest_answer begin(struct psu_dest_record *record)
{
	record->state = record->is_end ? PSU_DEST_FORGOTTEN : PSU_DEST_RUNNING;
	return (struct psu_dest_answer){.say = PSU_DEST_SAY_RUNNING, .start = true};
}

/*
 * Whether a record guards against nothing but a second reading of its offer.
 * There is none: the statement names its connection, and a connection gives
 * every byte once.  Without the record a COMMIT or CANCEL makes ABORTED true
 * anew, and the source of a forgotten move asks no more.
 */
static bool is_spent(const struct psu_dest_record *record)
{
	return record->state == PSU_DEST_FORGOTTEN ||
		   (record->state == PSU_DEST_ABORTED &&
			!psu_id_is_zero(&record->thread));
}

static void drop(struct psu_dest *dest, size_t at)
{
	dest->count--;
	memmove(&dest->records[at], &dest->records[at + 1],
			(dest->count - at) * sizeof(dest->records[0]));
}

/** Whether one more record of @peer fits. */
static bool make_room(struct psu_dest *dest, const struct psu_digest *peer)
{
	size_t count = 0, oldest = dest->count;

	for (size_t i = 0; i < dest->count; i++) {
		if (is_foreign(&dest->records[i], peer))
			continue;
		count++;
		if (oldest == dest->count && is_spent(&dest->records[i]))
			oldest = i;
	}
	if (count < PSU_DEST_PEER_RECORDS_MAX && dest->count < PSU_DEST_RECORDS_MAX)
		return true;
	if (oldest == dest->count)
		return false;
	drop(dest, oldest);
	return true;
}

/** A new record in state ABORTED; NULL if there is no room. */
static struct psu_dest_record *add(struct psu_dest *dest,
								   const struct psu_id *migration,
								   const struct psu_digest *peer, int code)
{
	struct psu_dest_record *record;

	if (!make_room(dest, peer))
		return NULL;
	record = &dest->records[dest->count++];
	*record = (struct psu_dest_record){
		.migration = *migration,
		.peer = *peer,
		.code = code,
		.state = PSU_DEST_ABORTED,
	};
	return record;
}

/** The offer of an unknown move may still be on its way: a tombstone first,
 * then ABORTED.  Without room for it nothing may be said; the source asks
 * again. */
static struct psu_dest_answer
bury(struct psu_dest *dest, const struct psu_dest_request *request, int code)
{
	struct psu_dest_record *record = add(dest, &request->migration,
										 &request->peer, code);

	return record ? repeat(record) : ANSWER(PSU_DEST_SAY_UNKNOWN);
}

/** REPLAYED: this generation of the thread, or a later one, was started here.
 * BUSY: something of it is arriving, and may yet be started or not. */
static int judge(const struct psu_dest *dest,
				 const struct psu_dest_offer *offer)
{
	bool arriving = false;

	for (size_t i = 0; i < dest->count; i++) {
		const struct psu_dest_record *record = &dest->records[i];

		if (record->state == PSU_DEST_ABORTED ||
			!psu_id_equal(&record->thread, &offer->thread))
			continue;
		if (is_pending(record))
			arriving = true;
		else if (record->generation >= offer->generation)
			return PSU_THREAD_E_REPLAYED;
	}
	return arriving ? PSU_THREAD_E_BUSY : 0;
}

struct psu_dest_answer psu_dest_offer(struct psu_dest *dest,
									  const struct psu_dest_offer *offer)
{
	struct psu_dest_record *record = find(dest, &offer->migration);
	int verdict;

	if (offer->one_flight &&
		!psu_id_equal(&offer->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	if (is_foreign(record, &offer->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	if (record)
		return repeat(record);

	/* A full process keeps nothing of what it refuses: the offer has been
	 * read, and as it comes once, nothing is left that could start it. */
	verdict = judge(dest, offer);
	record = add(dest, &offer->migration, &offer->peer, verdict);
	if (!record)
		return (struct psu_dest_answer){.say = PSU_DEST_SAY_ABORTED,
										.code = PSU_THREAD_E_BUSY};
	record->thread = offer->thread;
	record->generation = offer->generation;
	record->one_flight = offer->one_flight;
	record->is_end = offer->is_end;
	if (verdict)
		return repeat(record);
	record->state = PSU_DEST_ARRIVING;
	return (struct psu_dest_answer){.receive = true};
}

struct psu_dest_answer psu_dest_ready(struct psu_dest *dest,
									  const struct psu_id *migration,
									  uint64_t token)
{
	struct psu_dest_record *record = find(dest, migration);

	if (!record)
		return (struct psu_dest_answer){.discard = true};
	if (record->state == PSU_DEST_ABORTED)
		return give_up(record, record->code);
	if (record->state != PSU_DEST_ARRIVING)
		return ANSWER(PSU_DEST_SAY_NOTHING);
	if (record->one_flight)
		return begin(record);
	record->state = PSU_DEST_PREPARED;
	record->token = token;
	return repeat(record);
}

struct psu_dest_answer psu_dest_refuse(struct psu_dest *dest,
									   const struct psu_id *migration, int code)
{
	struct psu_dest_record *record = find(dest, migration);

	if (!record)
		return (struct psu_dest_answer){.discard = true};
	if (record->state == PSU_DEST_ABORTED)
		return give_up(record, record->code);
	if (!is_pending(record))
		return ANSWER(PSU_DEST_SAY_NOTHING);
	return give_up(record, code);
}

struct psu_dest_answer psu_dest_expire(struct psu_dest *dest,
									   const struct psu_id *migration)
{
	struct psu_dest_record *record = find(dest, migration);

	if (!record || record->state != PSU_DEST_PREPARED)
		return ANSWER(PSU_DEST_SAY_NOTHING);
	return give_up(record, PSU_THREAD_E_RESERVATION_EXPIRED);
}

struct psu_dest_answer psu_dest_commit(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = find(dest, &request->migration);

	if (!psu_id_equal(&request->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	if (is_foreign(record, &request->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	if (!record)
		return bury(dest, request, PSU_THREAD_E_RESERVATION_EXPIRED);
	if (!is_pending(record))
		return repeat(record);
	if (record->state != PSU_DEST_PREPARED || record->token != request->token)
		return give_up(record, PSU_THREAD_E_RESERVATION_EXPIRED);
	return begin(record);
}

struct psu_dest_answer psu_dest_status(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = find(dest, &request->migration);

	if (!psu_id_equal(&request->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	/* Of an unknown move nothing can be said: its offer may still come. */
	if (!record || is_foreign(record, &request->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	return repeat(record);
}

struct psu_dest_answer psu_dest_cancel(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = find(dest, &request->migration);

	if (!psu_id_is_zero(&request->incarnation) &&
		!psu_id_equal(&request->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	if (is_foreign(record, &request->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	if (!record)
		return bury(dest, request, PSU_THREAD_E_CANCELLED);
	if (!is_pending(record))
		return repeat(record);
	return give_up(record, PSU_THREAD_E_CANCELLED);
}

struct psu_dest_answer psu_dest_forget(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = find(dest, &request->migration);

	if (psu_id_equal(&request->incarnation, &dest->incarnation) && record &&
		!is_foreign(record, &request->peer) &&
		record->state == PSU_DEST_RUNNING)
		record->state = PSU_DEST_FORGOTTEN;
	return ANSWER(PSU_DEST_SAY_NOTHING);
}

void psu_dest_peer_gone(struct psu_dest *dest, const struct psu_digest *peer)
{
	size_t kept = 0;

	for (size_t i = 0; i < dest->count; i++) {
		const struct psu_dest_record *record = &dest->records[i];

		if (is_foreign(record, peer) || is_pending(record) ||
			record->state == PSU_DEST_RUNNING)
			dest->records[kept++] = *record;
	}
	dest->count = kept;
}

bool psu_dest_acknowledged(const struct psu_dest *dest,
						   const struct psu_id *migration)
{
	for (size_t i = dest->count; i-- > 0;)
		if (psu_id_equal(&dest->records[i].migration, migration))
			return dest->records[i].state != PSU_DEST_RUNNING;
	return true;
}
