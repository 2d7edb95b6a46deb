/* SPDX-License-Identifier: ISC */
/*
 * locate.c - keep where this process's own threads are
 *
 * Letters come late, twice, and in any order: what is not later than the
 * latest known changes nothing, and is acknowledged all the same.  So is what
 * is about a thread that has ended: home has forgotten it.
 */
#include "journey/locate.h"
#include "journey/keeper.h"
#include "journey/process.h"
#include "journey/reaper.h"

/** Lock held. */
static struct psu_traveller *find_own(const struct psu_id *id)
{
	struct psu_traveller *thread = psu_process_get()->threads;

	while (thread && !(thread->born_here && psu_id_equal(&thread->id, id)))
		thread = thread->next;
	return thread;
}

static void note(const struct psu_location *location)
{
	struct psu_traveller *thread;

	psu_process_lock();
	thread = find_own(&location->thread);
	if (thread && psu_home_located(&thread->known, location->generation)) {
		thread->where = location->where;
		thread->host_died = false;
		thread->silent_since_ms = 0;
		psu_keeper_look(&location->where.incarnation);
		psu_process_announce(thread->slot.addr);
	}
	psu_process_unlock();
}

static int send_noted(struct psu_session *session,
					  const struct psu_location *location)
{
	const struct psu_noted noted = {location->thread, location->generation};
	uint8_t payload[PSU_NOTED_LEN];

	psu_frame_put_noted(&noted, payload);
	return psu_session_send_frame(session, PSU_FRAME_NOTED, payload,
								  sizeof(payload));
}

void psu_locate_recv(struct psu_session *session,
					 const struct psu_frame_header *header)
{
	struct psu_process *process = psu_process_get();
	uint8_t payload[PSU_LOCATION_LEN];
	struct psu_location location;
	struct psu_peer peer;
	int rc = psu_session_recv(session, payload, header->payload_len,
							  psu_clock_deadline(PSU_MESSAGE_MS));

	if (!rc)
		rc = psu_frame_get_location(payload, &location);
	if (rc) {
		session->broken = true;
		psu_error_tell(rc);
		return;
	}
	/* who may send no thread any more has none of ours to tell of */
	rc = psu_session_judge(&process->context, session, PSU_RIGHT_SEND, &peer);
	if (rc) {
		psu_session_refuse(session, rc);
		return;
	}
	note(&location);
	if (send_noted(session, &location) != 0)
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
