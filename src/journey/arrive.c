/* SPDX-License-Identifier: ISC */
/*
 * arrive.c - a thread comes to this host
 *
 * In: an OFFER from an authenticated peer.  Out: a thread that goes on here,
 * or a refusal with its code, and nothing left of it.  Nothing of the image
 * is interpreted before it is verified, and nothing is resumed before it is
 * checked.
 */
#include "journey/arrive.h"
#include "net/limits.h"

#include <inttypes.h>
#include <sodium.h>

/* ---- one reservation */

struct reservation {
	struct reservation *next;
	struct psu_id migration;
	struct psu_arrival *arrival;
	bool settled; /* started or discarded */
	bool started;
};

/** Those that wait for a COMMIT.  Guarded by the process's lock. */
static struct reservation *reservations;

static struct reservation *find_reservation(const struct psu_id *migration)
{
	struct reservation *at = reservations;

	while (at && !psu_id_equal(&at->migration, migration))
		at = at->next;
	return at;
}

static void unlist(struct reservation *reservation)
{
	struct reservation **link = &reservations;

	while (*link != reservation)
		link = &(*link)->next;
	*link = reservation->next;
}

/** Do to the parked thread what the machine decided.  Lock held; nothing here
 * can fail. */
static void settle(struct reservation *reservation,
				   const struct psu_dest_answer *answer)
{
	struct psu_arrival *arrival = reservation->arrival;

	if (!answer->start && !answer->discard)
		return;
	reservation->settled = true;
	reservation->started = answer->start;
	if (answer->start) {
		arrival->thread->unclaimed = arrival->opening_taken;
		psu_traveller_go(arrival->thread, arrival->statement->generation,
						 &arrival->statement->migration);
	}
	psu_process_announce();
}

/* ---- answers */

/** Send what the machine says.  @asked  the incarnation that was asked for */
static int send_answer(struct psu_session *session,
					   const struct psu_id *migration,
					   const struct psu_id *asked,
					   const struct psu_dest_answer *answer)
{
	static const uint8_t types[] = {
		[PSU_DEST_SAY_PREPARED] = PSU_FRAME_PREPARED,
		[PSU_DEST_SAY_RUNNING] = PSU_FRAME_RUNNING,
		[PSU_DEST_SAY_ABORTED] = PSU_FRAME_ABORTED,
		[PSU_DEST_SAY_UNKNOWN] = PSU_FRAME_UNKNOWN,
		[PSU_DEST_PROVE_DEATH] = PSU_FRAME_UNKNOWN,
	};
	struct psu_process *process = psu_process_get();
	struct psu_control control = {
		.type = types[answer->say],
		.migration = *migration,
		.incarnation = process->incarnation,
	};

	if (answer->say == PSU_DEST_SAY_NOTHING)
		return 0;
	if (answer->say == PSU_DEST_SAY_PREPARED) {
		control.token = answer->token;
		control.ttl_ms = PSU_RESERVATION_MS;
	}
	if (answer->say == PSU_DEST_SAY_ABORTED)
		control.code = answer->code;
	if (answer->say == PSU_DEST_PROVE_DEATH &&
		psu_runtime_is_dead(process->runtime, asked)) {
		control.type = PSU_FRAME_DEAD;
		control.incarnation = *asked;
	}
	return psu_session_send_control(session, &control);
}

int psu_arrive_control(struct psu_session *session,
					   const struct psu_frame_header *header)
{
	struct psu_process *process = psu_process_get();
	struct psu_dest_request request = {.peer = session->peer.digest};
	struct reservation *reservation;
	struct psu_dest_answer answer;
	struct psu_control control;
	int rc = psu_session_recv_control(session, header, &control);

	if (rc)
		return rc;
	if (psu_frame_sender(control.type) != PSU_FRAME_BY_SOURCE)
		return psu_error_set(PSU_THREAD_E_PROTOCOL,
							 "%s sent a %s, which only a destination sends: "
							 "install the same version on both hosts",
							 session->peer_name, psu_frame_name(control.type));
	request.migration = control.migration;
	request.incarnation = control.incarnation;
	request.token = control.token;
	psu_process_lock();
	switch (control.type) {
	case PSU_FRAME_COMMIT:
		answer = psu_dest_commit(&process->dest, &request);
		break;
	case PSU_FRAME_STATUS:
		answer = psu_dest_status(&process->dest, &request);
		break;
	case PSU_FRAME_CANCEL:
		answer = psu_dest_cancel(&process->dest, &request);
		break;
	default:
		answer = psu_dest_forget(&process->dest, &request);
		psu_process_announce();
		break;
	}
	reservation = find_reservation(&request.migration);
	if (reservation)
		settle(reservation, &answer);
	psu_process_unlock();
	return send_answer(session, &request.migration,
							 &request.incarnation, &answer);
}

/* ---- the narrative */

static struct psu_dest_answer admit(struct psu_arrival *arrival)
{
	struct psu_process *process = psu_process_get();
	const struct psu_statement *statement = arrival->statement;
	const struct psu_dest_offer offer = {
		.migration = statement->migration,
		.thread = statement->thread,
		.generation = statement->generation,
		.peer = arrival->session->peer.digest,
		.incarnation = statement->incarnation,
		.one_flight = statement->one_flight,
	};
	struct psu_dest_answer answer;

	psu_process_lock();
	answer = psu_dest_offer(&process->dest, &offer);
	psu_process_unlock();
	if (answer.say == PSU_DEST_SAY_ABORTED)
		psu_error_set(answer.code, "refused a thread from %s: %s",
					  arrival->session->peer_name,
					  psu_thread_strerror(answer.code));
	return answer;
}

/** Everything that may fail, up to a parked thread. */
static int take_in(struct psu_arrival *arrival)
{
	int rc = psu_arrive_take_opening(arrival);

	if (!rc)
		rc = psu_arrive_take_slot(arrival);
	if (rc) {
		int skipped = psu_arrive_skip_body(arrival);

		return skipped ? skipped : rc;
	}
	rc = psu_arrive_recv_body(arrival);
	if (!rc)
		rc = psu_arrive_check(arrival);
	if (!rc)
		rc = psu_arrive_park(arrival);
	return rc;
}

/** Nothing fallible is left: let the machine decide, and obey.  The
 * reservation is listed before anyone can know its token. */
static struct psu_dest_answer offer_ready(struct reservation *reservation)
{
	struct psu_process *process = psu_process_get();
	struct psu_dest_answer answer;
	uint64_t token;

	randombytes_buf(&token, sizeof(token));
	psu_process_lock();
	answer = psu_dest_ready(&process->dest, &reservation->migration, token);
	settle(reservation, &answer);
	reservation->next = reservations;
	reservations = reservation;
	psu_process_unlock();
	return answer;
}

/** Serve this session, or merely wait if it breaks, until the reservation is
 * settled by a frame on any session, or expires.  Returns as psu_arrive(). */
static int await_commit(struct psu_session *session,
						struct reservation *reservation)
{
	struct psu_process *process = psu_process_get();
	int64_t deadline = psu_socket_deadline(PSU_RESERVATION_MS);
	struct psu_dest_answer answer;
	int rc = 0;

	psu_process_lock();
	while (!reservation->settled && !rc) {
		struct psu_frame_header header;

		psu_process_unlock();
		rc = psu_session_recv_header(session, &header, deadline);
		if (!rc && header.type == PSU_FRAME_OFFER)
			rc = PSU_THREAD_E_PROTOCOL;
		if (!rc)
			rc = psu_arrive_control(session, &header);
		psu_process_lock();
	}
	while (!reservation->settled && psu_process_wait(deadline))
		continue;
	if (!reservation->settled) {
		answer = psu_dest_expire(&process->dest, &reservation->migration);
		psu_log(PSU_THREAD_LOG_ERROR,
				"RESERVATION_EXPIRED: no COMMIT from %s within %d ms",
				session->peer_name, PSU_RESERVATION_MS);
		settle(reservation, &answer);
	}
	psu_process_unlock();
	return rc;
}

/** Refused after it was admitted: remember, and say so. */
static struct psu_dest_answer refuse(struct psu_arrival *arrival, int code)
{
	struct psu_process *process = psu_process_get();
	struct psu_dest_answer answer;

	psu_process_lock();
	answer = psu_dest_refuse(&process->dest, &arrival->statement->migration,
							 code);
	psu_process_unlock();
	psu_arrive_undo(arrival);
	return answer;
}

/** Admit, take in, wait for the COMMIT.  Returns as psu_arrive(). */
static int follow(struct psu_arrival *arrival)
{
	struct psu_session *session = arrival->session;
	struct psu_id migration = arrival->statement->migration;
	struct psu_id asked = arrival->statement->incarnation;
	struct reservation reservation = {
		.migration = migration,
		.arrival = arrival,
	};
	struct psu_dest_answer answer = admit(arrival);
	int rc;

	if (!answer.receive) {
		rc = psu_arrive_skip_body(arrival);
		return rc ? rc
				  : send_answer(session, &migration, &asked, &answer);
	}
	rc = take_in(arrival);
	if (rc) {
		answer = refuse(arrival, rc);
		return session->broken ? rc
							   : send_answer(session, &migration, &asked,
												   &answer);
	}
	answer = offer_ready(&reservation);
	rc = send_answer(session, &migration, &asked, &answer);
	if (!reservation.settled)
		rc = await_commit(session, &reservation);
	psu_process_lock();
	unlist(&reservation);
	psu_process_unlock();
	if (reservation.started)
		psu_log(PSU_THREAD_LOG_INFO, "Thread from %s goes on here",
				session->peer.name);
	else
		psu_arrive_undo(arrival);
	return rc;
}

int psu_arrive(struct psu_session *session,
			   const struct psu_frame_header *header)
{
	struct psu_arrival arrival = {.session = session};
	int rc = psu_arrive_recv_offer(&arrival, header);

	if (rc && !session->broken)
		psu_session_refuse(session, rc);
	if (!rc)
		rc = follow(&arrival);
	psu_arrive_fini(&arrival);
	return rc;
}
