/* SPDX-License-Identifier: ISC */
/*
 * courier_deliver.c - one attempt to deliver one letter
 *
 *     LOCATION  ------------------>
 *               <------------------  NOTED, or REFUSED
 *     OFFER, BODY (an end)  ------>
 *               <------------------  RUNNING, or ABORTED, or REFUSED
 *
 * An end is offered anew each time, as another move: whether home has it from
 * an earlier attempt is for home to know, and it says REPLAYED then.
 */
#include "journey/courier.h"
#include "journey/line.h"
#include "journey/parcel.h"
#include "journey/process.h"
#include "net/limits.h"

/** Home does not take it, and closes.  What it does not believe of a way that
 * is signed it never will.  Whatever else it says: only its host can tell that
 * home has ended. */
static enum psu_delivery recv_refusal(struct psu_session *session)
{
	int code = psu_session_recv_refusal(session);

	psu_error_tell(code);
	session->broken = true;
	return code == PSU_THREAD_E_ITINERARY_INVALID ? PSU_DELIVERY_HOPELESS
												  : PSU_DELIVERY_POSTPONED;
}

static int recv_noted(const struct psu_letter *letter,
					  struct psu_session *session,
					  const struct psu_frame_header *header)
{
	uint8_t payload[PSU_NOTED_LEN];
	struct psu_noted noted;
	int rc;

	if (header->type != PSU_FRAME_NOTED)
		return psu_session_unexpected(session, header);
	rc = psu_session_recv(session, payload, sizeof(payload),
						  psu_clock_deadline(PSU_MESSAGE_MS));
	if (rc)
		return rc;
	psu_frame_get_noted(payload, &noted);
	if (psu_id_equal(&noted.thread, &letter->thread) &&
		noted.generation == letter->generation)
		return 0;
	return psu_session_unexpected(session, header);
}

static enum psu_delivery deliver_location(const struct psu_letter *letter,
										  struct psu_session *session)
{
	const struct psu_location location = {letter->where, *letter->itinerary};
	uint8_t payload[PSU_LOCATION_LEN_MAX];
	struct psu_frame_header header;
	size_t len;
	int rc;

	len = psu_frame_put_location(&location, payload);
	rc = psu_session_send_frame(session, PSU_FRAME_LOCATION, payload, len);
	if (!rc)
		rc = psu_session_recv_answer(session, &header,
									 psu_clock_deadline(PSU_ANSWER_MS));
	if (rc)
		return PSU_DELIVERY_UNREACHED;
	if (header.type == PSU_FRAME_REFUSED)
		return recv_refusal(session);
	rc = recv_noted(letter, session, &header);
	return rc ? PSU_DELIVERY_UNREACHED : PSU_DELIVERY_DONE;
}

static enum psu_delivery deliver_end(const struct psu_letter *letter,
									 struct psu_session *session)
{
	struct psu_parcel parcel = {
		.kind = PSU_KIND_END,
		.one_flight = true,
		.thread = letter->thread,
		.generation = letter->generation,
		.slot_addr = letter->slot_addr,
		.slot_len = letter->slot_len,
		.stack_room = letter->stack_room,
		.itinerary = letter->itinerary,
		.head = {letter->head, letter->head_len},
	};
	struct psu_control control;
	int rc = psu_parcel_send(&parcel, session, NULL, NULL);

	if (!rc)
		rc = psu_parcel_recv_answer(&parcel, session, true, &control);
	if (rc)
		return PSU_DELIVERY_UNREACHED;
	if (control.type == PSU_FRAME_REFUSED)
		return recv_refusal(session);
	if (control.type == PSU_FRAME_RUNNING)
		return PSU_DELIVERY_DONE;
	if (control.type != PSU_FRAME_ABORTED)
		return PSU_DELIVERY_UNREACHED;
	if (control.code == PSU_THREAD_E_REPLAYED)
		return PSU_DELIVERY_DONE;
	psu_error_set(control.code, "%s refuses it: %s: see the log there",
				  letter->home.name, psu_thread_strerror(control.code));
	return PSU_DELIVERY_POSTPONED;
}

/** Whether there is hope when no line was to be had. */
static enum psu_delivery judge_silence(const struct psu_letter *letter, int rc)
{
	if (rc == PSU_LINE_DEAD)
		psu_error_keep(PSU_THREAD_E_HOME_ENDED,
					   "its home has ended, and another process answers there");
	if (rc == PSU_LINE_DEAD ||
		(rc == PSU_THREAD_E_HOME_UNREACHABLE && !letter->joinable))
		return PSU_DELIVERY_HOPELESS;
	return PSU_DELIVERY_UNREACHED;
}

static enum psu_delivery deliver(const struct psu_letter *letter,
								 const struct psu_way *way)
{
	struct psu_process *process = psu_process_get();
	struct psu_session *session = NULL;
	enum psu_delivery delivery;
	struct psu_peer peer;
	int rc = psu_line_take(way, &session);

	if (rc)
		return judge_silence(letter, rc);
	if (psu_session_judge(&process->context, session, PSU_RIGHT_RECEIVE,
						  &peer) != 0)
		delivery = PSU_DELIVERY_UNREACHED;
	else if (letter->kind == PSU_LETTER_END)
		delivery = deliver_end(letter, session);
	else
		delivery = deliver_location(letter, session);
	psu_line_put(session);
	return delivery;
}

enum psu_delivery psu_courier_deliver(const struct psu_letter *letter)
{
	const struct psu_place *here = &psu_process_get()->place;
	enum psu_delivery delivery;
	struct psu_way way;

	/* statements between two processes of one host do not exist */
	if (psu_digest_equal(&letter->home.identity, &here->identity)) {
		psu_error_keep(PSU_THREAD_E_WRONG_ADDRESSEE,
					   "its home is another process of this host");
		return PSU_DELIVERY_HOPELESS;
	}
	psu_way_to_place(&letter->home, &way);
	way.at_once = !letter->joinable;
	psu_error_whisper(true);
	delivery = deliver(letter, &way);
	psu_error_whisper(false);
	return delivery;
}
