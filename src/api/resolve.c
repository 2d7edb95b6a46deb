/* SPDX-License-Identifier: ISC */
/*
 * resolve.c - psu_thread_resolve(): the operator decides about a frozen thread
 *
 * In: a word that nothing here can check.  Out: the thread itself is woken,
 * where it waits (journey/depart_handover.c), and obeys.  Refused: threads
 * that are not frozen.
 */
#include "journey/process.h"
#include "journey/traveller.h"

#include <string.h>

static bool is_frozen(const struct psu_traveller *thread)
{
	return thread->stage == PSU_STAGE_IN_DOUBT ||
		   (thread->stage == PSU_STAGE_LOST && !thread->given_up);
}

/** The frozen thread of that id, or NULL.  Lock held. */
static struct psu_traveller *find_frozen(const struct psu_thread_id *id)
{
	struct psu_traveller *thread = psu_process_get()->threads;

	while (thread &&
		   !(memcmp(thread->id.bytes, id->bytes, sizeof(id->bytes)) == 0 &&
			 is_frozen(thread)))
		thread = thread->next;
	return thread;
}

int psu_thread_resolve(const struct psu_thread_id *id,
					   enum psu_thread_decision decision)
{
	int rc = psu_process_check();
	struct psu_traveller *thread;

	if (rc)
		return rc;
	if (!id || (decision != PSU_THREAD_GO_ON && decision != PSU_THREAD_GIVE_UP))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "%d is no decision about a thread: pass its id, "
							 "and PSU_THREAD_GO_ON or PSU_THREAD_GIVE_UP",
							 (int)decision);
	psu_process_lock();
	thread = find_frozen(id);
	if (thread) {
		thread->decision = (int)decision;
		psu_process_announce(thread->slot.addr);
	}
	psu_process_unlock();
	if (thread)
		return 0;
	return psu_error_set(PSU_THREAD_E_THREAD_UNKNOWN,
						 "no thread of that id is frozen here, in doubt or "
						 "lost: look at psu_thread_list");
}
