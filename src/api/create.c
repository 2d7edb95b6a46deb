/* SPDX-License-Identifier: ISC */
/*
 * create.c - psu_thread_create(): start a thread, or take one in
 */
#include "journey/process.h"
#include "journey/traveller.h"
#include "net/limits.h"
#include "report/report.h"
#include "slot/reserve.h"

/** Wait for what becomes of a thread that runs here.  Lock held. */
static enum psu_stage await_outcome(struct psu_traveller *thread)
{
	for (;;) {
		int64_t deadline = PSU_NEVER;

		if (thread->stage == PSU_STAGE_IN_DOUBT)
			deadline = thread->in_doubt_since_ms + PSU_IN_DOUBT_MS;
		if (thread->stage == PSU_STAGE_ENDED ||
			thread->stage == PSU_STAGE_AWAY ||
			thread->stage == PSU_STAGE_LOST ||
			!psu_process_wait(thread->slot.addr, deadline))
			return thread->stage;
	}
}

/** Free what the thread has here, unless it is needed still: for its coming
 * home, or because there is no other image of it. */
static int conclude(struct psu_traveller *thread, enum psu_stage stage)
{
	void *result;

	switch (stage) {
	case PSU_STAGE_ENDED:
		result = psu_traveller_dispose(thread);
		psu_log(PSU_THREAD_LOG_DEBUG, "Thread exited with value: %ld",
				(long)result);
		return 0;
	case PSU_STAGE_AWAY:
		if (!thread->born_here)
			psu_traveller_dispose(thread);
		return 0;
	case PSU_STAGE_LOST:
		return psu_error_keep(PSU_THREAD_E_LOST_WITH_PEER,
							  "the destination died with the thread: see the "
							  "log");
	default:
		return psu_error_set(PSU_THREAD_E_IN_DOUBT,
							 "the destination does not say whether it has the "
							 "thread: look there; it is asked as long as this "
							 "process lives");
	}
}

static int run_here(void *(*fn)(void *), void *arg)
{
	struct psu_traveller *thread;
	enum psu_stage stage;
	int rc = psu_traveller_birth(fn, arg, &thread);

	if (rc)
		return rc;
	psu_process_lock();
	stage = await_outcome(thread);
	psu_process_unlock();
	return conclude(thread, stage);
}

/** The next thread that came in through an opening.  Lock held. */
static struct psu_traveller *claim_arrival(struct psu_process *process)
{
	struct psu_traveller *thread = process->threads;

	while (thread && !thread->unclaimed)
		thread = thread->next;
	if (thread)
		thread->unclaimed = false;
	return thread;
}

static int take_one_in(void)
{
	struct psu_process *process = psu_process_get();
	struct psu_traveller *thread;
	enum psu_stage stage;
	struct psu_id migration;

	psu_reserve_fill(); /* before anybody can come */
	psu_process_lock();
	process->openings_count++;
	psu_process_announce(psu_process_about(&process->openings_count));
	while (!(thread = claim_arrival(process)))
		psu_process_wait(psu_process_about(&process->threads), PSU_NEVER);
	migration = thread->arrived_by;
	stage = await_outcome(thread);
	/* the source may not know yet that it had arrived: be there when it asks */
	psu_traveller_await_known(&migration, psu_socket_deadline(PSU_LINGER_MS));
	psu_process_unlock();
	return conclude(thread, stage);
}

int psu_thread_create(void *(*fn)(void *), void *arg)
{
	int rc = psu_process_check();

	if (rc)
		return rc;
	if (psu_process_get()->mode == PSU_THREAD_SERVER)
		return take_one_in();
	if (!fn)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_create needs a function to run: pass "
							 "one");
	return run_here(fn, arg);
}
