/* SPDX-License-Identifier: ISC */
/*
 * depart_handover.c - drive the source's state machine over real sessions
 *
 * Waits for events (an answer, a broken line, a deadline), lets the machine
 * say what to do, and does it, until the machine's state is final.
 */
#include "journey/depart.h"
#include "net/limits.h"

#include <stdio.h>

/** Tell the log, and whoever waits for the thread, that nobody knows. */
static void enter_doubt(struct psu_departure *departure)
{
	if (departure->thread->stage == PSU_STAGE_IN_DOUBT)
		return;
	psu_error_set(PSU_THREAD_E_IN_DOUBT,
				  "%s may or may not have the thread: if the program has ended "
				  "there, start it again; it is asked until it answers or "
				  "psu_thread_resolve decides",
				  departure->way.name);
	psu_traveller_suspend(departure->thread, PSU_STAGE_IN_DOUBT,
						  &departure->destination);
}

static struct psu_source_event event_of(const struct psu_control *control)
{
	static const enum psu_source_event_kind kinds[] = {
		[PSU_FRAME_PREPARED] = PSU_SOURCE_PREPARED,
		[PSU_FRAME_RUNNING] = PSU_SOURCE_RUNNING,
		[PSU_FRAME_ABORTED] = PSU_SOURCE_ABORTED,
		[PSU_FRAME_UNKNOWN] = PSU_SOURCE_UNKNOWN,
		[PSU_FRAME_DEAD] = PSU_SOURCE_DEAD,
	};

	return (struct psu_source_event){
		.kind = kinds[control->type],
		.incarnation = control->incarnation,
		.token = control->token,
		.code = control->code,
	};
}

/** The destination did not even admit the OFFER, and has closed the only
 * session on which it could: as good as ABORTED. */
static struct psu_source_event recv_refusal(struct psu_departure *departure)
{
	struct psu_session *session = departure->session;
	int rc = psu_session_recv_refusal(session);

	session->broken = true;
	return (struct psu_source_event){
		.kind = PSU_SOURCE_ABORTED,
		.incarnation = session->hello.incarnation,
		.code = psu_error_tell(rc),
	};
}

/** Nothing has come, or what came was no message. */
static struct psu_source_event no_answer(struct psu_departure *departure,
										 int rc)
{
	bool silent = rc == PSU_THREAD_E_HOST_SILENT;

	if (!psu_error_told() && silent)
		psu_error_set(rc,
					  "%s does not answer within %d ms: check that it is up "
					  "and the network works",
					  departure->way.name, PSU_ANSWER_MS);
	else if (!psu_error_told())
		psu_error_set(rc,
					  "the connection to %s broke before it had answered: see "
					  "the log there",
					  departure->way.name);
	return (struct psu_source_event){
		.kind = silent ? PSU_SOURCE_TIMED_OUT : PSU_SOURCE_LINE_BROKE,
		.code = rc,
	};
}

static struct psu_source_event await_answer(struct psu_departure *departure)
{
	struct psu_control control;
	int rc = psu_parcel_recv_answer(&departure->parcel, departure->session,
									!departure->asked_again, &control);

	if (rc)
		return no_answer(departure, rc);
	if (control.type == PSU_FRAME_REFUSED)
		return recv_refusal(departure);

	/* the destination's log says why; here only the code is known */
	if (control.type == PSU_FRAME_ABORTED)
		psu_error_set(control.code,
					  "%s refuses the thread: %s: see the log there",
					  departure->way.name, psu_thread_strerror(control.code));
	return event_of(&control);
}

/** Also until somebody decides what becomes of the thread. */
static void pause_before_dialling(struct psu_departure *departure)
{
	departure->decision = psu_traveller_await_decision(
		departure->thread, psu_clock_deadline(departure->pause_ms));
	departure->pause_ms *= 2;
	if (departure->pause_ms > PSU_REDIAL_LAST_MS)
		departure->pause_ms = PSU_REDIAL_LAST_MS;
}

/** Only to ask: the image is not sent again. */
static struct psu_source_event dial_again(struct psu_departure *departure)
{
	const struct psu_id *promised = &departure->source.incarnation;
	int rc = 0;

	/* what is tried again and again is an error once */
	psu_error_whisper(departure->asked_again);
	enter_doubt(departure);
	departure->asked_again = true;
	psu_depart_drop_session(departure);
	pause_before_dialling(departure);
	/* by the same name another host may answer than the one that has it */
	departure->way.identity = departure->destination.identity;
	departure->way.fresh = true;
	if (!departure->decision)
		rc = psu_line_take(&departure->way, &departure->session);
	psu_error_whisper(false);
	/* on a way to one process that one has been asked after already; but which
	 * one is promised the thread, PREPARED has said */
	if (rc == PSU_LINE_DEAD &&
		psu_id_equal(promised, &departure->way.incarnation))
		return (struct psu_source_event){
			.kind = PSU_SOURCE_DEAD,
			.incarnation = *promised,
		};
	return (struct psu_source_event){
		.kind = rc ? PSU_SOURCE_LINE_BROKE : PSU_SOURCE_LINE_OPENED,
		.code = rc,
	};
}

/** A failure to send shows as a broken line when the answer is awaited. */
static void send_request(struct psu_departure *departure,
						 enum psu_frame_type type)
{
	const struct psu_source *source = &departure->source;
	const struct psu_control control = {
		.type = (uint8_t)type,
		.migration = departure->parcel.statement.migration,
		.incarnation = source->incarnation,
		.token = type == PSU_FRAME_COMMIT ? source->token : 0,
	};

	if (departure->session &&
		psu_session_send_control(departure->session, &control) != 0)
		departure->session->broken = true;
}

/** What goes wrong here is not what the user is to read. */
static void perform(struct psu_departure *departure, unsigned actions)
{
	char sentence[PSU_ERROR_SENTENCE_LEN];

	if (actions & PSU_SOURCE_END)
		psu_phase_begin(PSU_PHASE_LEAVE);
	snprintf(sentence, sizeof(sentence), "%s", psu_error_sentence());
	if (actions & PSU_SOURCE_SEND_COMMIT) {
		psu_phase_begin(PSU_PHASE_COMMIT);
		send_request(departure, PSU_FRAME_COMMIT);
	}
	if (actions & PSU_SOURCE_SEND_STATUS)
		send_request(departure, PSU_FRAME_STATUS);
	if (actions & PSU_SOURCE_SEND_CANCEL)
		send_request(departure, PSU_FRAME_CANCEL);
	if (actions & PSU_SOURCE_SEND_FORGET)
		send_request(departure, PSU_FRAME_FORGET);
	psu_error_restore(sentence);
}

/** Keep the image of a thread that is lost until somebody decides. */
static int keep_lost(struct psu_departure *departure)
{
	const char *name = departure->way.name;
	int kept_ms = PSU_LOST_KEPT_MS;
	int rc = psu_error_set(PSU_THREAD_E_LOST_WITH_PEER,
						   "the process at %s that had taken the thread over "
						   "has died, and the thread with it: its image is "
						   "kept here for %d ms; psu_thread_resolve lets it go "
						   "on, or drops it",
						   name, kept_ms);

	psu_traveller_suspend(departure->thread, PSU_STAGE_LOST,
						  &departure->destination);
	departure->decision = psu_traveller_await_decision(
		departure->thread, psu_clock_deadline(kept_ms));
	if (departure->decision == PSU_THREAD_GO_ON)
		return psu_error_set(rc,
							 "the image of the thread that was lost with %s "
							 "goes on, as psu_thread_resolve was told: what it "
							 "did there may be done again",
							 name);
	departure->gone = PSU_STAGE_LOST;
	if (departure->decision)
		return psu_error_set(rc,
							 "the image of the thread that was lost with %s is "
							 "dropped, as psu_thread_resolve was told: start "
							 "another thread",
							 name);
	return psu_error_set(rc,
						 "the image of the thread that was lost with %s is "
						 "dropped after %d ms: start another thread",
						 name, kept_ms);
}

/** Whatever the machine would still ask, it is decided. */
static int obey(struct psu_departure *departure)
{
	if (departure->decision == PSU_THREAD_GO_ON)
		return psu_error_set(PSU_THREAD_E_IN_DOUBT,
							 "the thread that %s may have goes on here, as "
							 "psu_thread_resolve was told: make sure that it "
							 "does not run there",
							 departure->way.name);
	departure->gone = PSU_STAGE_AWAY;
	return psu_error_set(PSU_THREAD_E_IN_DOUBT,
						 "the thread that %s may have is given up here, as "
						 "psu_thread_resolve was told: look for it there",
						 departure->way.name);
}

/** The machine is done, with @event; what it says, in words. */
static int conclude(struct psu_departure *departure,
					const struct psu_source_event *event)
{
	const struct psu_source *source = &departure->source;

	switch (source->state) {
	case PSU_SOURCE_RUNNING_AT:
		psu_log(PSU_THREAD_LOG_INFO, "Thread runs at %s", departure->way.name);
		departure->gone = PSU_STAGE_AWAY;
		return 0;
	case PSU_SOURCE_LOST_WITH:
		return keep_lost(departure);
	default:
		if (source->code != event->code)
			psu_error_set(source->code,
						  "%s answered what it may not: install the same "
						  "version of the program on both hosts",
						  departure->way.name);
		return source->code;
	}
}

int psu_depart_hand_over(struct psu_departure *departure)
{
	int rc = psu_depart_offer(departure);
	struct psu_source_event event;
	unsigned actions;

	if (rc && !departure->session)
		return rc; /* nothing was offered */
	departure->pause_ms = PSU_REDIAL_FIRST_MS;
	psu_phase_begin(PSU_PHASE_AWAIT);
	if (rc)
		event = (struct psu_source_event){
			.kind = PSU_SOURCE_LINE_BROKE,
			.code = psu_error_tell(rc),
		};
	else
		event = await_answer(departure);
	for (;;) {
		actions = psu_source_step(&departure->source, &event);
		perform(departure, actions);
		if (actions & PSU_SOURCE_END)
			break;
		if (!(actions & PSU_SOURCE_DIAL))
			event = await_answer(departure);
		else
			event = dial_again(departure);
		if (departure->decision)
			return obey(departure);
	}
	psu_line_put(departure->session);
	return conclude(departure, &event);
}
