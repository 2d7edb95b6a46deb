/* SPDX-License-Identifier: ISC */
/*
 * depart_offer.c - encode the thread, open a session and offer it
 */
#include "bytes/sha256.h"
#include "journey/depart.h"
#include "net/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int psu_depart_encode(struct psu_departure *departure)
{
	const struct psu_traveller *self = departure->thread;
	int rc;

	free(departure->head);
	departure->head = NULL;
	departure->image.heap = departure->fewer.runs ? departure->fewer
												  : departure->heap;
	rc = psu_image_encode(&departure->image, &departure->head,
						  &departure->head_len);
	if (rc)
		return rc;
	departure->parcel = (struct psu_parcel){
		.kind = PSU_KIND_MOVE,
		.thread = self->id,
		.generation = self->generation + 1,
		.slot_addr = self->slot.addr,
		.slot_len = self->slot.len,
		.stack_room = self->slot.stack_len,
		.itinerary = &self->itinerary,
		.head = {departure->head, departure->head_len},
		.stack = departure->image.stack,
		.heap_addr = psu_slot_heap_low(&self->slot),
		.heap = &departure->image.heap,
	};
	return 0;
}

void psu_depart_drop_session(struct psu_departure *departure)
{
	if (departure->session)
		departure->session->broken = true;
	psu_line_put(departure->session);
	departure->session = NULL;
}

int psu_depart_open_session(struct psu_departure *departure)
{
	struct psu_process *process = psu_process_get();
	struct psu_peer peer;
	int rc;

	psu_phase_begin(PSU_PHASE_OPEN);
	rc = psu_line_take(&departure->way, &departure->session);
	if (rc == PSU_LINE_DEAD)
		return psu_error_set(PSU_THREAD_E_HOME_ENDED,
							 "the home of the thread, a process at %s, has "
							 "ended, and another answers: the thread cannot go "
							 "home any more",
							 departure->way.name);
	if (!rc)
		rc = psu_session_judge(&process->context, departure->session,
							   PSU_RIGHT_RECEIVE, &peer);
	if (rc)
		psu_depart_drop_session(departure);
	return rc;
}

/** Who has it, if it arrives. */
static void note_destination(struct psu_departure *departure)
{
	const struct psu_session *session = departure->session;
	struct psu_place *place = &departure->destination;

	*place = (struct psu_place){
		.identity = session->peer.digest,
		.incarnation = session->hello.incarnation,
	};
	memcpy(place->name, session->peer.name, sizeof(place->name));
	if (departure->way.has_endpoint &&
		strlen(departure->way.name) < sizeof(place->address))
		memcpy(place->address, departure->way.name,
			   strlen(departure->way.name));
}

/** If this is its home: by what it has left, should it have. */
static void note_move(const struct psu_departure *departure)
{
	struct psu_traveller *thread = departure->thread;
	struct psu_made_move move = {.generation = departure->parcel.generation};

	psu_sha256(departure->parcel.sealed, PSU_SEALED_LEN, &move.digest);
	psu_process_lock();
	psu_home_offers(&thread->known);
	thread->latest_move = move;
	psu_process_unlock();
}

/** Before its last bytes go out the source stops being free to go on. */
static void give_away(void *argument)
{
	struct psu_departure *departure = argument;
	const struct psu_source_event event = {.kind = PSU_SOURCE_SENDING_LAST};

	if (departure->thread->born_here)
		note_move(departure);
	if (departure->source.one_flight)
		psu_source_step(&departure->source, &event);
}

static int send_parcel(struct psu_departure *departure)
{
	struct psu_parcel *parcel = &departure->parcel;
	const struct psu_session *session = departure->session;

	note_destination(departure);
	parcel->one_flight = psu_parcel_len(parcel) <= PSU_ONE_FLIGHT_LEN_MAX;
	psu_source_begin(&departure->source, parcel->one_flight,
					 &session->hello.incarnation);
	return psu_parcel_send(parcel, departure->session, give_away, departure);
}

int psu_depart_offer(struct psu_departure *departure)
{
	const struct psu_source *source = &departure->source;
	bool may_be_stale;
	int rc;

	for (;;) {
		rc = psu_depart_open_session(departure);
		if (rc)
			return rc;
		assert(departure->session);
		may_be_stale = departure->session->reused;
		rc = psu_depart_compare(departure);
		if (rc && !may_be_stale) {
			psu_depart_drop_session(departure); /* nothing was offered */
			return psu_error_tell(rc);
		}
		if (!rc) {
			rc = send_parcel(departure);
			if (!rc || source->state != PSU_SOURCE_FROZEN || !may_be_stale)
				return rc;
		}
		psu_depart_drop_session(departure);
		departure->way.fresh = true;
	}
}
