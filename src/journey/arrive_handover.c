/* SPDX-License-Identifier: ISC */
/*
 * arrive_handover.c - drive the destination's state machine over real sessions
 *
 * The machine decides; here its decisions are carried out, on the thread that
 * waits parked, and its answers sent.  A reservation is held by the session
 * thread that received the OFFER; a COMMIT or CANCEL for it may come on any
 * session of the same peer.
 */
#include "journey/arrive.h"
#include "journey/courier.h"
#include "journey/locate.h"
#include "net/limits.h"

#include <sodium.h>

/** Those whose OFFER was answered: started, or waiting parked for a COMMIT.
 * Guarded by the process's lock. */
static struct psu_arrival *reserved;

static struct psu_arrival *find_reserved(const struct psu_id *migration)
{
	struct psu_arrival *at = reserved;

	while (at && !psu_id_equal(&at->statement->migration, migration))
		at = at->next_reserved;
	return at;
}

static void unlist(struct psu_arrival *arrival)
{
	struct psu_arrival **link = &reserved;

	psu_process_lock();
	while (*link != arrival)
		link = &(*link)->next_reserved;
	*link = arrival->next_reserved;
	psu_process_unlock();
}

/** Do to the parked thread what the machine decided, once: what it decides of
 * a later move with the same id is not about this thread, which may have ended
 * meanwhile.  Lock held; nothing here can fail. */
static void settle(struct psu_arrival *arrival,
				   const struct psu_dest_answer *answer)
{
	if (arrival->settled || (!answer->start && !answer->discard))
		return;
	arrival->settled = true;
	arrival->started = answer->start;
	if (answer->start) {
		arrival->thread->unclaimed = arrival->opening_taken;
		arrival->thread->is_guest = arrival->is_guest;
		psu_traveller_go(arrival->thread, arrival->statement,
						 arrival->session->peer.name);
	}
}

/** Send what the machine says.  @asked  the incarnation that was asked for */
static void send_answer(struct psu_session *session,
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

	if (answer->say == PSU_DEST_SAY_NOTHING || session->broken)
		return;
	if (answer->say == PSU_DEST_SAY_PREPARED) {
		control.token = answer->token;
		control.ttl_ms = (uint32_t)PSU_RESERVATION_MS;
	}
	if (answer->say == PSU_DEST_SAY_ABORTED)
		control.code = answer->code;
	if (answer->say == PSU_DEST_PROVE_DEATH &&
		psu_runtime_is_dead(process->runtime, asked)) {
		control.type = PSU_FRAME_DEAD;
		control.incarnation = *asked;
	}
	if (psu_session_send_control(session, &control) != 0)
		session->broken = true;
}

static void answer_offer(struct psu_arrival *arrival,
						 const struct psu_dest_answer *answer)
{
	send_answer(arrival->session, &arrival->statement->migration,
				&arrival->statement->incarnation, answer);
}

/** Answer an OFFER whose body is of no use.  A source that hears the answer
 * early stops in the middle, which is no error then. */
static void refuse_body(struct psu_arrival *arrival,
						const struct psu_dest_answer *answer)
{
	bool early = psu_arrive_answers_early(arrival), before;

	if (early)
		answer_offer(arrival, answer);
	before = psu_error_whisper(early);
	psu_arrive_skip_body(arrival);
	psu_error_whisper(before);
	if (!early)
		answer_offer(arrival, answer);
}

/* ---- requests about some move */

/** Whether it has become known meanwhile that the thread is farther on.  Lock
 * held. */
static int check_news(const struct psu_arrival *arrival)
{
	if (!arrival || !arrival->husk)
		return 0;
	return psu_home_may_return(&arrival->husk->known,
							   arrival->statement->generation);
}

static struct psu_dest_answer ask(const struct psu_dest_request *request,
								  uint8_t type,
								  const struct psu_arrival *arrival)
{
	struct psu_dest *dest = &psu_process_get()->dest;
	int code = type == PSU_FRAME_COMMIT ? check_news(arrival) : 0;

	if (code)
		return psu_dest_refuse(dest, &request->migration, code);
	switch (type) {
	case PSU_FRAME_COMMIT:
		return psu_dest_commit(dest, request);
	case PSU_FRAME_STATUS:
		return psu_dest_status(dest, request);
	case PSU_FRAME_CANCEL:
		return psu_dest_cancel(dest, request);
	default:
		return psu_dest_forget(dest, request);
	}
}

/** That move is over, and no source will have its thread go on: so its home can
 * be told where it is, which its source may not live to do.  Lock held. */
static struct psu_letter *write_home(const struct psu_session *session,
									 const struct psu_id *migration)
{
	const struct psu_process *process = psu_process_get();
	/* a home has no look at its own threads, of which there may be many */
	const struct psu_traveller *at = process->foreign_count ? process->threads
															: NULL;

	while (at && !psu_id_equal(&at->arrived_by, migration))
		at = at->next;
	/* it has come from there, or nothing can go there from here */
	if (!at || at->born_here ||
		psu_place_is(&at->home, &session->peer.digest,
					 &session->hello.incarnation) ||
		psu_digest_equal(&at->home.identity, &process->place.identity))
		return NULL;
	return psu_courier_write_moved(at, at->generation, &process->place);
}

/** Ask the machine, and do what it says.  Returns a letter to post, or NULL. */
static struct psu_letter *obey(struct psu_session *session,
							   const struct psu_dest_request *request,
							   uint8_t type, struct psu_dest_answer *answer_out)
{
	struct psu_process *process = psu_process_get();
	const struct psu_id *migration = &request->migration;
	struct psu_letter *letter = NULL;
	struct psu_arrival *arrival;
	bool was_known;

	psu_process_lock();
	was_known = psu_dest_acknowledged(&process->dest, migration);
	arrival = find_reserved(migration);
	*answer_out = ask(request, type, arrival);
	if (arrival)
		settle(arrival, answer_out);
	if (!was_known && psu_dest_acknowledged(&process->dest, migration))
		letter = write_home(session, migration);
	psu_process_announce(psu_process_about_move(migration));
	if (answer_out->start)
		psu_process_announce(psu_process_about(&process->threads));
	psu_process_unlock();
	return letter;
}

void psu_arrive_control(struct psu_session *session,
						const struct psu_frame_header *header)
{
	struct psu_process *process = psu_process_get();
	struct psu_dest_request request = {.peer = session->peer.digest};
	struct psu_dest_answer answer;
	struct psu_control control;
	struct psu_letter *letter;
	struct psu_peer peer;
	int rc;

	if (header->type == PSU_FRAME_LOCATION) {
		psu_locate_recv(session, header);
		return;
	}
	if (psu_frame_sender(header->type) != PSU_FRAME_BY_SOURCE) {
		psu_session_unexpected(session, header);
		return;
	}
	rc = psu_session_recv_control(session, header, &control);
	if (rc) {
		psu_error_tell(rc);
		return;
	}
	/* who may send no thread any more can only take one back */
	if (control.type == PSU_FRAME_COMMIT &&
		psu_session_judge(&process->context, session, PSU_RIGHT_SEND, &peer) !=
			0)
		control.type = PSU_FRAME_CANCEL;
	request.migration = control.migration;
	request.incarnation = control.incarnation;
	request.token = control.token;
	letter = obey(session, &request, control.type, &answer);
	send_answer(session, &request.migration, &request.incarnation, &answer);
	psu_courier_post(letter);
}

/* ---- the offer itself */

bool psu_arrive_admit(struct psu_arrival *arrival)
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
		.is_end = statement->kind == PSU_KIND_END,
	};
	struct psu_dest_answer answer;

	psu_phase_begin(PSU_PHASE_ADMIT);
	psu_process_lock();
	answer = psu_dest_offer(&process->dest, &offer);
	psu_process_unlock();
	if (answer.receive)
		return true;
	if (answer.say == PSU_DEST_SAY_ABORTED)
		psu_error_set(answer.code, "refused a thread from %s: %s",
					  arrival->session->peer_name,
					  psu_thread_strerror(answer.code));
	refuse_body(arrival, &answer);
	return false;
}

void psu_arrive_refuse(struct psu_arrival *arrival, int code)
{
	struct psu_process *process = psu_process_get();
	struct psu_dest_answer answer;

	psu_process_lock();
	answer = psu_dest_refuse(&process->dest, &arrival->statement->migration,
							 code);
	psu_process_unlock();
	psu_arrive_undo(arrival);
	refuse_body(arrival, &answer);
}

void psu_arrive_answer(void *argument)
{
	struct psu_process *process = psu_process_get();
	struct psu_arrival *arrival = argument;
	struct psu_dest_answer answer;
	uint64_t token;
	int code;

	psu_phase_begin(PSU_PHASE_START);
	randombytes_buf(&token, sizeof(token));
	psu_process_lock();
	code = check_news(arrival);
	if (code)
		answer = psu_dest_refuse(&process->dest, &arrival->statement->migration,
								 code);
	else
		answer = psu_dest_ready(&process->dest, &arrival->statement->migration,
								token);
	/* it is listed before anyone can know its token */
	arrival->next_reserved = reserved;
	reserved = arrival;
	settle(arrival, &answer);
	psu_process_unlock();
	answer_offer(arrival, &answer);
}

static bool is_settled(const struct psu_arrival *arrival)
{
	bool settled;

	psu_process_lock();
	settled = arrival->settled;
	psu_process_unlock();
	return settled;
}

/** No COMMIT has come, or it has just come: the machine knows. */
static void expire(struct psu_arrival *arrival)
{
	struct psu_dest_answer answer;
	bool late;

	psu_process_lock();
	late = !arrival->settled;
	if (late) {
		answer = psu_dest_expire(&psu_process_get()->dest,
								 &arrival->statement->migration);
		settle(arrival, &answer);
	}
	psu_process_unlock();
	if (late)
		psu_error_set(PSU_THREAD_E_RESERVATION_EXPIRED,
					  "no COMMIT from %s within %d ms: the thread goes on "
					  "there",
					  arrival->session->peer_name, PSU_RESERVATION_MS);
}

/** Serve this session, or merely wait if it breaks, until the reservation is
 * settled by a frame on any session, or expires. */
static void await_commit(struct psu_arrival *arrival)
{
	struct psu_session *session = arrival->session;
	int64_t deadline = psu_clock_deadline(PSU_RESERVATION_MS);
	struct psu_frame_header header;

	while (!session->broken && !is_settled(arrival))
		if (psu_session_recv_header(session, &header, deadline) == 0)
			psu_arrive_control(session, &header);
	psu_process_lock();
	while (
		!arrival->settled &&
		psu_process_wait(psu_process_about_move(&arrival->statement->migration),
						 deadline))
		continue;
	psu_process_unlock();
	expire(arrival);
}

/** Only after the answer: who waits for the thread here would delay it. */
static void announce(void)
{
	psu_process_lock();
	psu_process_announce(psu_process_about(&psu_process_get()->threads));
	psu_process_unlock();
}

void psu_arrive_hand_over(struct psu_arrival *arrival)
{
	announce();
	await_commit(arrival);
	unlist(arrival);
	if (arrival->started)
		psu_log(PSU_THREAD_LOG_INFO,
				arrival->statement->kind == PSU_KIND_END
					? "Thread of this host has ended at %s"
					: "Thread from %s goes on here",
				arrival->session->peer.name);
	else
		psu_arrive_undo(arrival);
}
