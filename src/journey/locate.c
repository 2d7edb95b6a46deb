/* SPDX-License-Identifier: ISC */
/*
 * locate.c - keep where this process's own threads are
 *
 * In: what other hosts say; every byte is hostile.  Letters come late, twice,
 * and in any order: what is not later than the latest known changes nothing,
 * and is acknowledged all the same.  So is what is about a thread that has
 * ended: home has forgotten it.  Refused: what would be news, and is not signed
 * by each host that the thread has moved on from.
 */
#include "journey/locate.h"
#include "journey/keeper.h"
#include "journey/process.h"
#include "journey/reaper.h"

/** Whether it says more of a thread than is known here; then also what it must
 * follow. */
static bool is_news(const struct psu_statement *move,
					struct psu_made_move *latest_out)
{
	const struct psu_traveller *thread;
	bool news;

	psu_process_lock();
	thread = psu_traveller_find_own(&move->thread);
	news = thread && psu_home_would_learn(&thread->known, move->generation);
	if (news)
		*latest_out = thread->latest_move;
	psu_process_unlock();
	return news;
}

static int verify(const struct psu_location *location,
				  const struct psu_made_move *latest)
{
	struct psu_trust *trust = psu_process_get()->trust;
	const struct psu_peers *peers;
	int rc = psu_trust_hold_peers(trust, &peers);

	if (rc)
		return rc;
	rc = psu_itinerary_verify_onward(&location->itinerary, latest, peers,
									 psu_trust_sign_public(trust));
	psu_trust_release_peers(trust);
	return rc;
}

/** Unless the latest that is known is another by now. */
static void note(const struct psu_location *location,
				 const struct psu_statement *move,
				 const struct psu_made_move *latest)
{
	struct psu_traveller *thread;

	psu_process_lock();
	thread = psu_traveller_find_own(&move->thread);
	if (thread &&
		psu_digest_equal(&thread->latest_move.digest, &latest->digest) &&
		psu_home_located(&thread->known, move->generation)) {
		thread->latest_move.generation = move->generation;
		psu_itinerary_previous(&location->itinerary,
							   &thread->latest_move.digest);
		thread->where = location->where;
		thread->host_died = false;
		thread->silent_since_ms = 0;
		psu_keeper_look(&location->where.incarnation);
		psu_process_announce(thread->slot.addr);
	}
	psu_process_unlock();
}

/** Learn from it what is news and true. */
static int take(const struct psu_location *location,
				const struct psu_statement *move)
{
	struct psu_made_move latest;
	int rc = 0;

	while (!rc && is_news(move, &latest)) {
		rc = verify(location, &latest);
		if (!rc)
			note(location, move, &latest);
	}
	return rc;
}

static int recv_location(struct psu_session *session, uint32_t len,
						 struct psu_location *location_out)
{
	uint8_t payload[PSU_LOCATION_LEN_MAX];
	int rc = psu_session_recv(session, payload, len,
							  psu_clock_deadline(PSU_MESSAGE_MS));

	return rc ? rc : psu_frame_get_location(payload, len, location_out);
}

/** Its newest move, which nobody has verified yet. */
static int read_move(const struct psu_session *session,
					 const struct psu_location *location,
					 struct psu_statement *move_out)
{
	if (psu_seal_read(location->itinerary.links[0], move_out) &&
		psu_place_is(&location->where, &move_out->destination,
					 &move_out->incarnation))
		return 0;
	return psu_error_set(PSU_THREAD_E_ITINERARY_INVALID,
						 "%s says that a thread is where its newest move has "
						 "not led: install the same version on both hosts",
						 session->peer_name);
}

static int send_noted(struct psu_session *session,
					  const struct psu_statement *move)
{
	const struct psu_noted noted = {move->thread, move->generation};
	uint8_t payload[PSU_NOTED_LEN];

	psu_frame_put_noted(&noted, payload);
	return psu_session_send_frame(session, PSU_FRAME_NOTED, payload,
								  sizeof(payload));
}

void psu_locate_recv(struct psu_session *session,
					 const struct psu_frame_header *header)
{
	struct psu_process *process = psu_process_get();
	struct psu_location location;
	struct psu_statement move;
	struct psu_peer peer;
	int rc = recv_location(session, header->payload_len, &location);

	if (rc) {
		session->broken = true;
		psu_error_tell(rc);
		return;
	}
	/* who may send no thread any more has none of ours to tell of */
	rc = psu_session_judge(&process->context, session, PSU_RIGHT_SEND, &peer);
	if (!rc)
		rc = read_move(session, &location, &move);
	if (!rc)
		rc = take(&location, &move);
	if (rc)
		psu_session_refuse(session, rc);
	else if (send_noted(session, &move) != 0)
		session->broken = true;
}

bool psu_locate_is_with(const struct psu_traveller *thread,
						const struct psu_place *place)
{
	return thread->born_here && thread->stage == PSU_STAGE_AWAY &&
		   !thread->host_died &&
		   psu_place_is(&thread->where, &place->identity, &place->incarnation);
}

void psu_locate_silent(const struct psu_place *place, bool silent)
{
	struct psu_traveller *at = psu_process_get()->threads;

	for (; at; at = at->next)
		if (psu_locate_is_with(at, place)) {
			at->silent_since_ms = silent ? psu_clock_now_ms() : 0;
			psu_process_announce(at->slot.addr);
		}
}

/** The thread is lost with the process that had it.  Lock held. */
static void lose(struct psu_traveller *thread)
{
	thread->host_died = true;
	thread->since_ms = psu_clock_now_ms();
	psu_process_announce(thread->slot.addr);
	psu_reaper_look();
}

void psu_locate_died(const struct psu_place *place)
{
	struct psu_traveller *at = psu_process_get()->threads;

	for (; at; at = at->next)
		if (psu_locate_is_with(at, place)) {
			psu_error_set(PSU_THREAD_E_LOST_WITH_PEER,
						  "the process at %s that had a thread of this one has "
						  "died, and '%s' with it: start another thread",
						  at->where.name, at->name);
			lose(at);
		}
}

void psu_locate_give_up(struct psu_traveller *thread)
{
	psu_error_set(
		PSU_THREAD_E_LOST_WITH_PEER,
		"'%s', which was at %s, is given up, as psu_thread_resolve was "
		"told: start another thread",
		thread->name, thread->where.name);
	lose(thread);
}
