/* SPDX-License-Identifier: ISC */
/*
 * questions.c - where a thread is, where from, who, and what all are about
 */
#include "api/self.h"
#include "journey/process.h"
#include "journey/traveller.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct psu_thread_id) == sizeof(struct psu_id),
			   "a thread's id");
_Static_assert(PSU_THREAD_HOST_LEN == PSU_NAME_LEN, "a host's name");

const char *psu_thread_host(void)
{
	if (psu_process_check() != 0)
		return NULL;
	return psu_trust_self(psu_process_get()->trust)->name;
}

/** Where the thread was started. */
static const char *home_of(const struct psu_traveller *thread)
{
	return thread->born_here ? psu_thread_host() : thread->home.name;
}

const char *psu_thread_home(void)
{
	struct psu_traveller *self;

	return psu_self_find("has a home", &self) == 0 ? home_of(self) : NULL;
}

int psu_thread_id(struct psu_thread_id *id_out)
{
	struct psu_traveller *self;
	int rc = psu_self_find("has an id", &self);

	if (rc)
		return rc;
	if (!id_out)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_id has no place for the id: pass one");
	memcpy(id_out->bytes, self->id.bytes, sizeof(id_out->bytes));
	return 0;
}

static const char *host_of(const struct psu_traveller *thread)
{
	if (thread->stage == PSU_STAGE_LEAVING)
		return thread->bound_for;
	return psu_traveller_host(thread);
}

static enum psu_thread_state state_of(const struct psu_traveller *thread)
{
	static const enum psu_thread_state states[] = {
		[PSU_STAGE_PARKED] = PSU_THREAD_STATE_ARRIVING,
		[PSU_STAGE_RUNNING] = PSU_THREAD_STATE_RUNNING,
		[PSU_STAGE_LEAVING] = PSU_THREAD_STATE_LEAVING,
		[PSU_STAGE_IN_DOUBT] = PSU_THREAD_STATE_IN_DOUBT,
		[PSU_STAGE_AWAY] = PSU_THREAD_STATE_AWAY,
		[PSU_STAGE_LOST] = PSU_THREAD_STATE_LOST,
		[PSU_STAGE_ENDED] = PSU_THREAD_STATE_ENDED,
	};

	if (thread->stage == PSU_STAGE_AWAY && thread->host_died)
		return PSU_THREAD_STATE_LOST;
	if (thread->stage == PSU_STAGE_AWAY && thread->silent_since_ms)
		return PSU_THREAD_STATE_IN_DOUBT;
	return states[thread->stage];
}

static void tell(const struct psu_traveller *thread,
				 struct psu_thread_info *info_out)
{
	*info_out = (struct psu_thread_info){
		.state = state_of(thread),
		.hops = thread->stage == PSU_STAGE_AWAY ? thread->known.generation
												: thread->generation,
		.since_ms = (unsigned long)(psu_clock_now_ms() - thread->since_ms),
	};
	memcpy(info_out->id.bytes, thread->id.bytes, sizeof(info_out->id.bytes));
	snprintf(info_out->name, sizeof(info_out->name), "%s", thread->name);
	snprintf(info_out->home, sizeof(info_out->home), "%s", home_of(thread));
	snprintf(info_out->host, sizeof(info_out->host), "%s", host_of(thread));
}

/** Of a guest that has left, what is still to be freed is no thread. */
static bool is_listed(const struct psu_traveller *thread)
{
	return thread->born_here || thread->stage != PSU_STAGE_AWAY;
}

int psu_thread_list(struct psu_thread_info *list_out, size_t capacity)
{
	int rc = psu_process_check();
	size_t count = 0;

	if (rc)
		return rc;
	if (!list_out && capacity)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_list has no room to write %zu "
							 "entries: pass an array, or 0",
							 capacity);
	psu_process_lock();
	for (const struct psu_traveller *at = psu_process_get()->threads; at;
		 at = at->next) {
		if (!is_listed(at))
			continue;
		if (count < capacity)
			tell(at, &list_out[count]);
		count++;
	}
	psu_process_unlock();
	return (int)count;
}
