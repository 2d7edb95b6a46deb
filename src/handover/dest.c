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
#include "handover/dest_table.h"

#include <psu_thread.h>

#include <stdbool.h>
#include <stddef.h>

#define ANSWER(what) ((struct psu_dest_answer){.say = (what)})

static bool is_foreign(const struct psu_dest *dest,
					   const struct psu_dest_record *record,
					   const struct psu_digest *peer)
{
	return record && !psu_digest_equal(psu_dest_peer(dest, record), peer);
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

/** It is ABORTED: what may have been restored for it goes. */
static struct psu_dest_answer undo(const struct psu_dest_record *record)
{
	struct psu_dest_answer answer = repeat(record);

	answer.discard = true;
	return answer;
}

/** Make ABORTED true, then say so. */
static struct psu_dest_answer give_up(struct psu_dest *dest,
									  struct psu_dest_record *record, int code)
{
	psu_dest_spend(dest, record, PSU_DEST_ABORTED);
	record->code = code;
	return undo(record);
}

/** Ownership moves here.  Nobody will ask about an END. */
static struct psu_dest_answer begin(struct psu_dest *dest,
									struct psu_dest_record *record)
{
	psu_dest_start(dest, record);
	if (record->is_end)
		psu_dest_spend(dest, record, PSU_DEST_FORGOTTEN);
	return (struct psu_dest_answer){.say = PSU_DEST_SAY_RUNNING, .start = true};
}

/** The offer of an unknown move may still be on its way: a tombstone first,
 * then ABORTED.  Without room for it nothing may be said; the source asks
 * again. */
static struct psu_dest_answer
bury(struct psu_dest *dest, const struct psu_dest_request *request, int code)
{
	struct psu_dest_record *record = psu_dest_add(dest, &request->migration,
												  &request->peer);

	if (!record)
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	record->code = code;
	return repeat(record);
}

/** REPLAYED: this generation of the thread, or a later one, was started here.
 * BUSY: something of it is arriving, and may yet be started or not. */
static int judge(struct psu_dest *dest, const struct psu_dest_offer *offer)
{
	struct psu_dest_record *record = psu_dest_next(dest, &offer->thread, NULL);
	bool arriving = false;

	for (; record; record = psu_dest_next(dest, &offer->thread, record))
		if (psu_dest_is_pending(record))
			arriving = true;
		else if (record->generation >= offer->generation)
			return PSU_THREAD_E_REPLAYED;
	return arriving ? PSU_THREAD_E_BUSY : 0;
}

struct psu_dest_answer psu_dest_offer(struct psu_dest *dest,
									  const struct psu_dest_offer *offer)
{
	struct psu_dest_record *record = psu_dest_find(dest, &offer->migration);
	int verdict;

	if (offer->one_flight &&
		!psu_id_equal(&offer->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	if (is_foreign(dest, record, &offer->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	if (record)
		return repeat(record);

	/* A full process keeps nothing of what it refuses: the offer has been
	 * read, and as it comes once, nothing is left that could start it. */
	verdict = judge(dest, offer);
	record = psu_dest_add(dest, &offer->migration, &offer->peer);
	if (!record)
		return (struct psu_dest_answer){.say = PSU_DEST_SAY_ABORTED,
										.code = PSU_THREAD_E_BUSY};
	psu_dest_admit(dest, record, offer);
	if (!verdict)
		return (struct psu_dest_answer){.receive = true};
	psu_dest_spend(dest, record, PSU_DEST_ABORTED);
	record->code = verdict;
	return repeat(record);
}

struct psu_dest_answer psu_dest_ready(struct psu_dest *dest,
									  const struct psu_id *migration,
									  uint64_t token)
{
	struct psu_dest_record *record = psu_dest_find(dest, migration);

	if (!record)
		return (struct psu_dest_answer){.discard = true};
	if (record->state == PSU_DEST_ABORTED)
		return undo(record);
	if (record->state != PSU_DEST_ARRIVING)
		return ANSWER(PSU_DEST_SAY_NOTHING);
	if (record->one_flight)
		return begin(dest, record);
	record->state = PSU_DEST_PREPARED;
	record->token = token;
	return repeat(record);
}

struct psu_dest_answer psu_dest_refuse(struct psu_dest *dest,
									   const struct psu_id *migration, int code)
{
	struct psu_dest_record *record = psu_dest_find(dest, migration);

	if (!record)
		return (struct psu_dest_answer){.discard = true};
	if (record->state == PSU_DEST_ABORTED)
		return undo(record);
	if (!psu_dest_is_pending(record))
		return ANSWER(PSU_DEST_SAY_NOTHING);
	return give_up(dest, record, code);
}

struct psu_dest_answer psu_dest_expire(struct psu_dest *dest,
									   const struct psu_id *migration)
{
	struct psu_dest_record *record = psu_dest_find(dest, migration);

	if (!record || record->state != PSU_DEST_PREPARED)
		return ANSWER(PSU_DEST_SAY_NOTHING);
	return give_up(dest, record, PSU_THREAD_E_RESERVATION_EXPIRED);
}

struct psu_dest_answer psu_dest_commit(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = psu_dest_find(dest, &request->migration);

	if (!psu_id_equal(&request->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	if (is_foreign(dest, record, &request->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	if (!record)
		return bury(dest, request, PSU_THREAD_E_RESERVATION_EXPIRED);
	if (!psu_dest_is_pending(record))
		return repeat(record);
	if (record->state != PSU_DEST_PREPARED || record->token != request->token)
		return give_up(dest, record, PSU_THREAD_E_RESERVATION_EXPIRED);
	return begin(dest, record);
}

struct psu_dest_answer psu_dest_status(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = psu_dest_find(dest, &request->migration);

	if (!psu_id_equal(&request->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	/* Of an unknown move nothing can be said: its offer may still come. */
	if (!record || is_foreign(dest, record, &request->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	return repeat(record);
}

struct psu_dest_answer psu_dest_cancel(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = psu_dest_find(dest, &request->migration);

	if (!psu_id_is_zero(&request->incarnation) &&
		!psu_id_equal(&request->incarnation, &dest->incarnation))
		return ANSWER(PSU_DEST_PROVE_DEATH);
	if (is_foreign(dest, record, &request->peer))
		return ANSWER(PSU_DEST_SAY_UNKNOWN);
	if (!record)
		return bury(dest, request, PSU_THREAD_E_CANCELLED);
	if (!psu_dest_is_pending(record))
		return repeat(record);
	return give_up(dest, record, PSU_THREAD_E_CANCELLED);
}

struct psu_dest_answer psu_dest_forget(struct psu_dest *dest,
									   const struct psu_dest_request *request)
{
	struct psu_dest_record *record = psu_dest_find(dest, &request->migration);

	if (psu_id_equal(&request->incarnation, &dest->incarnation) && record &&
		!is_foreign(dest, record, &request->peer) &&
		record->state == PSU_DEST_RUNNING)
		psu_dest_spend(dest, record, PSU_DEST_FORGOTTEN);
	return ANSWER(PSU_DEST_SAY_NOTHING);
}

bool psu_dest_acknowledged(struct psu_dest *dest,
						   const struct psu_id *migration)
{
	const struct psu_dest_record *record = psu_dest_find(dest, migration);

	return !record || record->state != PSU_DEST_RUNNING;
}
