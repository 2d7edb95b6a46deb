/* SPDX-License-Identifier: ISC */
/*
 * resolve.c - psu_thread_resolve(): the operator decides about a frozen thread
 *
 * In: a word that nothing here can check.  Out: a frozen thread itself is
 * woken, where it waits (journey/depart_handover.c), and obeys; one that is
 * with a host that cannot be asked is given up.  Refused: all others.
 */
#include "journey/locate.h"
#include "journey/process.h"
#include "journey/traveller.h"

#include <string.h>

static bool is_frozen(const struct psu_traveller *thread)
{
	return thread->stage == PSU_STAGE_IN_DOUBT ||
		   (thread->stage == PSU_STAGE_LOST && !thread->given_up);
}

/** It is elsewhere, without an image here, and nobody can be asked. */
static bool is_out_of_reach(const struct psu_traveller *thread)
{
	return psu_locate_is_with(thread, &thread->where) &&
		   thread->silent_since_ms;
}

/** The thread of that id that something can be decided about, or NULL.  Lock
 * held. */
static struct psu_traveller *find_doubtful(const struct psu_thread_id *id)
{
	struct psu_traveller *thread = psu_process_get()->threads;

	while (thread &&
		   !(memcmp(thread->id.bytes, id->bytes, sizeof(id->bytes)) == 0 &&
			 (is_frozen(thread) || is_out_of_reach(thread))))
		thread = thread->next;
	return thread;
}

/** 0, THREAD_UNKNOWN, or INVALID_ARGUMENT: that cannot be.  Lock held. */
static int decide(struct psu_traveller *thread,
				  enum psu_thread_decision decision)
{
	if (!thread)
		return PSU_THREAD_E_THREAD_UNKNOWN;
	if (is_frozen(thread)) {
		thread->decision = (int)decision;
		psu_process_announce(thread->slot.addr);
	} else if (decision == PSU_THREAD_GIVE_UP) {
		psu_locate_give_up(thread);
	} else {
		return PSU_THREAD_E_INVALID_ARGUMENT;
	}
	return 0;
}

int psu_thread_resolve(const struct psu_thread_id *id,
					   enum psu_thread_decision decision)
{
	int rc = psu_process_check();

	if (rc)
		return rc;
	if (!id)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_resolve needs a thread's id: pass one "
							 "of psu_thread_list's");
	if (decision != PSU_THREAD_GO_ON && decision != PSU_THREAD_GIVE_UP)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "%d is no decision about a thread: pass "
							 "PSU_THREAD_GO_ON or PSU_THREAD_GIVE_UP",
							 (int)decision);
	psu_process_lock();
	rc = decide(find_doubtful(id), decision);
	psu_process_unlock();
	if (rc == PSU_THREAD_E_INVALID_ARGUMENT)
		psu_error_set(rc, "the thread has moved on, and cannot go on here: "
						  "wait for its host, or pass PSU_THREAD_GIVE_UP");
	if (rc == PSU_THREAD_E_THREAD_UNKNOWN)
		psu_error_set(rc, "no thread of that id is in doubt or lost here: look "
						  "at psu_thread_list");
	return rc;
}
