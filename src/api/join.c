/* SPDX-License-Identifier: ISC */
/*
 * join.c - psu_thread_join(): wait for a thread wherever it ends
 */
#include "journey/process.h"
#include "journey/reaper.h"
#include "net/limits.h"

#include <stdio.h>

/** How it ended, as far as it is known.  Lock held. */
static struct psu_thread_outcome
tell_outcome(const struct psu_traveller *thread)
{
	struct psu_thread_outcome outcome = {.host = ""};

	snprintf(outcome.host, sizeof(outcome.host), "%s",
			 psu_traveller_host(thread));
	switch (thread->stage) {
	case PSU_STAGE_ENDED:
		outcome.end = thread->ended_away ? PSU_THREAD_ENDED_AWAY
										 : PSU_THREAD_ENDED_HERE;
		break;
	case PSU_STAGE_LOST:
		outcome.end = PSU_THREAD_LOST;
		break;
	case PSU_STAGE_IN_DOUBT:
		outcome.end = PSU_THREAD_DOUBTFUL;
		break;
	default:
		if (thread->host_died)
			outcome.end = PSU_THREAD_LOST;
		else if (thread->silent_since_ms)
			outcome.end = PSU_THREAD_DOUBTFUL;
		break;
	}
	return outcome;
}

/** A thread that nobody else joins, or has joined: then its memory is not
 * looked at.  Lock held. */
static bool claim(struct psu_traveller *thread)
{
	const struct psu_traveller *at = psu_process_get()->threads;

	while (at && at != thread)
		at = at->next;
	if (!at || thread == psu_local.self || !thread->born_here ||
		!thread->joinable || thread->awaited || thread->reaped)
		return false;
	thread->awaited = true;
	return true;
}

/** @rc  what psu_traveller_await() has said, in words */
static int conclude(struct psu_traveller *thread, int rc, const char *host,
					void **result_out)
{
	void *result;

	switch (rc) {
	case 0:
		result = psu_traveller_dispose(thread);
		if (result_out)
			*result_out = result;
		return 0;
	case PSU_THREAD_E_LOST_WITH_PEER:
		return psu_error_keep(rc,
							  "%s had the thread, which is lost with it: start "
							  "another one",
							  host);
	case PSU_THREAD_E_OVERDUE:
		return psu_error_set(rc,
							 "the thread is at %s and has not ended within its "
							 "time limit: join it again to wait longer",
							 host);
	default:
		return psu_error_set(rc,
							 "%s does not say whether it has the thread: look "
							 "there, and join the thread again; it is asked as "
							 "long as this process lives",
							 host);
	}
}

int psu_thread_join(struct psu_thread_handle *handle, void **result_out,
					struct psu_thread_outcome *outcome_out)
{
	struct psu_traveller *thread = (struct psu_traveller *)handle;
	struct psu_thread_outcome outcome;
	int rc = psu_process_check();
	bool claimed;

	if (rc)
		return rc;
	psu_process_lock();
	claimed = claim(thread);
	if (claimed) {
		rc = psu_traveller_await(thread, false);
		outcome = tell_outcome(thread);
		thread->awaited = rc == 0;
		if (rc == PSU_THREAD_E_LOST_WITH_PEER)
			psu_reaper_take(thread);
		/* whoever has joined it may end the process, and the host that has
		 * sent it home must have heard that it came */
		if (rc == 0)
			psu_traveller_await_known(&thread->arrived_by,
									  psu_clock_deadline(PSU_LINGER_MS));
	}
	psu_process_unlock();
	if (!claimed)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "no thread that can be joined: pass what "
							 "psu_thread_start gave, once, and not in the "
							 "thread itself");
	if (outcome_out)
		*outcome_out = outcome;
	return conclude(thread, rc, outcome.host, result_out);
}
