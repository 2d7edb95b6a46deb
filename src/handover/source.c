/* SPDX-License-Identifier: ISC */
/*
 * source.c - the source's side of a move
 *
 * In: what the destination says, and what becomes of time and of the line.
 * Out: what to send, and how the move ended.  Until the COMMIT goes out the
 * source may go on alone, and any trouble makes it do so.  From then on
 * nothing but the word of the process that was promised the thread, or proof
 * of its death, ends the move; anything else only makes the source ask again.
 * What the destination says is hostile: no answer becomes a code of success.
 */
#include "handover/handover.h"

#include <psu_thread.h>

#include <stdbool.h>

void psu_source_begin(struct psu_source *source, bool one_flight,
					  const struct psu_id *incarnation)
{
	*source = (struct psu_source){
		.state = PSU_SOURCE_FROZEN,
		.one_flight = one_flight,
		.may_ask = true,
	};
	if (one_flight)
		source->incarnation = *incarnation;
}

/** The thread goes on here; 0 would tell it that it has moved. */
static unsigned go_on(struct psu_source *source, int code, unsigned actions)
{
	source->state = PSU_SOURCE_NOT_MIGRATED;
	source->code = code < 0 ? code : PSU_THREAD_E_PROTOCOL;
	return actions | PSU_SOURCE_END;
}

static unsigned step_frozen(struct psu_source *source,
							const struct psu_source_event *event)
{
	switch (event->kind) {
	case PSU_SOURCE_LINE_OPENED:
		return 0;
	case PSU_SOURCE_SENDING_LAST:
		if (source->one_flight)
			source->state = PSU_SOURCE_IN_DOUBT;
		return 0;
	case PSU_SOURCE_PREPARED:
		if (source->one_flight || psu_id_is_zero(&event->incarnation))
			break;
		source->state = PSU_SOURCE_IN_DOUBT;
		source->incarnation = event->incarnation;
		source->token = event->token;
		return PSU_SOURCE_SEND_COMMIT;
	case PSU_SOURCE_LINE_BROKE:
	case PSU_SOURCE_ABORTED:
		return go_on(source, event->code, 0);
	case PSU_SOURCE_TIMED_OUT:
		return go_on(source, event->code, PSU_SOURCE_SEND_CANCEL);
	case PSU_SOURCE_RUNNING:
	case PSU_SOURCE_UNKNOWN:
	case PSU_SOURCE_DEAD:
		break;
	}
	return go_on(source, PSU_THREAD_E_PROTOCOL, PSU_SOURCE_SEND_CANCEL);
}

/** An answer counts if it is of the process that was promised the thread. */
static unsigned take_answer(struct psu_source *source,
							const struct psu_source_event *event)
{
	if (!psu_id_equal(&event->incarnation, &source->incarnation))
		return 0;
	switch (event->kind) {
	case PSU_SOURCE_RUNNING:
		source->state = PSU_SOURCE_RUNNING_AT;
		return PSU_SOURCE_SEND_FORGET | PSU_SOURCE_END;
	case PSU_SOURCE_ABORTED:
		return go_on(source, event->code, PSU_SOURCE_SEND_FORGET);
	case PSU_SOURCE_DEAD:
		source->state = PSU_SOURCE_LOST_WITH;
		return PSU_SOURCE_END;
	default:
		return 0;
	}
}

static unsigned step_in_doubt(struct psu_source *source,
							  const struct psu_source_event *event)
{
	switch (event->kind) {
	case PSU_SOURCE_RUNNING:
	case PSU_SOURCE_ABORTED:
	case PSU_SOURCE_DEAD:
		return take_answer(source, event);
	case PSU_SOURCE_TIMED_OUT:
		if (source->may_ask) {
			source->may_ask = false;
			return PSU_SOURCE_SEND_STATUS;
		}
		return PSU_SOURCE_DIAL;
	case PSU_SOURCE_LINE_BROKE:
		source->may_ask = false;
		return PSU_SOURCE_DIAL;
	case PSU_SOURCE_LINE_OPENED:
		/* Either is answered by RUNNING, or makes ABORTED true. */
		source->may_ask = true;
		return source->one_flight ? PSU_SOURCE_SEND_CANCEL
								  : PSU_SOURCE_SEND_COMMIT;
	case PSU_SOURCE_PREPARED:
	case PSU_SOURCE_UNKNOWN:
	case PSU_SOURCE_SENDING_LAST:
		break;
	}
	return 0;
}

unsigned psu_source_step(struct psu_source *source,
						 const struct psu_source_event *event)
{
	switch (source->state) {
	case PSU_SOURCE_FROZEN:
		return step_frozen(source, event);
	case PSU_SOURCE_IN_DOUBT:
		return step_in_doubt(source, event);
	case PSU_SOURCE_RUNNING_AT:
	case PSU_SOURCE_NOT_MIGRATED:
	case PSU_SOURCE_LOST_WITH:
		break;
	}
	return 0;
}
