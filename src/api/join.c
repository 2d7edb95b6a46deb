/* SPDX-License-Identifier: ISC */
/*
 * join.c - psu_thread_join(): wait for a thread wherever it ends
 */
#include "journey/process.h"
#include "journey/reaper.h"

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
		break;
	}
	return outcome;
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
		psu_process_lock();
		psu_reaper_take(thread);
		psu_process_unlock();
		return psu_error_keep(rc, "%s died with the thread: see the log", host);
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

int psu_thread_join(struct psu_thread *handle, void **result_out,
					struct psu_thread_outcome *outcome_out)
{
	struct psu_traveller *thread = (struct psu_traveller *)handle;
	struct psu_thread_outcome outcome;
	int rc = psu_process_check();

	if (rc)
		return rc;
	if (!thread || thread == psu_local.self)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "a thread can be joined by another one only: pass "
							 "what psu_thread_start gave");
	psu_process_lock();
	rc = psu_traveller_await(thread, false);
	outcome = tell_outcome(thread);
	psu_process_unlock();
	if (outcome_out)
		*outcome_out = outcome;
	return conclude(thread, rc, outcome.host, result_out);
}
