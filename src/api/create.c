/* SPDX-License-Identifier: ISC */
/*
 * create.c - psu_thread_create(): start a thread, or take one in
 */
#include "journey/courier.h"
#include "journey/process.h"
#include "journey/reaper.h"
#include "net/limits.h"
#include "slot/reserve.h"

/** Free what the thread has here, unless it is needed still: for its coming
 * home, or because there is no other image of it.
 * @rc  what became of it, as psu_traveller_await() says */
static int conclude(struct psu_traveller *thread, int rc)
{
	bool finished;

	psu_process_lock();
	finished = rc == 0 &&
			   (thread->stage == PSU_STAGE_ENDED || !thread->born_here);
	if (!finished)
		psu_reaper_take(thread);
	psu_process_unlock();
	if (finished)
		psu_traveller_dispose(thread);
	if (rc == PSU_THREAD_E_LOST_WITH_PEER)
		return psu_error_keep(rc, "the destination died with the thread: see "
								  "the log");
	if (rc == PSU_THREAD_E_IN_DOUBT)
		return psu_error_set(rc,
							 "the destination does not say whether it has the "
							 "thread: look there; it is asked as long as this "
							 "process lives");
	return rc;
}

static int run_here(void *(*fn)(void *), void *arg)
{
	const struct psu_birth birth = {.fn = fn, .arg = arg};
	struct psu_traveller *thread;
	int rc = psu_traveller_birth(&birth, &thread);

	if (rc)
		return rc;
	psu_process_lock();
	rc = psu_traveller_await(thread, true);
	psu_process_unlock();
	return conclude(thread, rc);
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
	struct psu_id migration;
	int64_t deadline;
	int rc;

	psu_reserve_fill(); /* before anybody can come */
	psu_process_lock();
	process->openings_count++;
	psu_process_announce(psu_process_about(&process->openings_count));
	while (!(thread = claim_arrival(process)))
		psu_process_wait(psu_process_about(&process->threads), PSU_NEVER);
	migration = thread->arrived_by;
	rc = psu_traveller_await(thread, true);
	psu_process_unlock();
	rc = conclude(thread, rc);

	/* the source may not know yet that it had arrived: be there when it asks;
	 * and what its home is to hear must get there */
	deadline = psu_clock_deadline(PSU_LINGER_MS);
	psu_process_lock();
	psu_traveller_await_known(&migration, deadline);
	psu_courier_linger(deadline);
	psu_process_unlock();
	return rc;
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
