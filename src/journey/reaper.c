/* SPDX-License-Identifier: ISC */
/*
 * reaper.c - one thread that joins the pthreads nobody else will join
 *
 * In: threads that were given up by psu_reaper_take().  Out: nothing of them
 * is left, once they have ended here, or, guests, have left.  What is away,
 * in doubt or lost stays: it is a husk, or the only image of a thread.
 */
#include "journey/reaper.h"
#include "journey/process.h"

static bool running; /* guarded by the process's lock */

/** Lock held. */
static struct psu_traveller *find_finished(void)
{
	struct psu_traveller *thread = psu_process_get()->threads;

	while (thread && !(thread->reaped && (thread->stage == PSU_STAGE_ENDED ||
										  (thread->stage == PSU_STAGE_AWAY &&
										   !thread->born_here))))
		thread = thread->next;
	return thread;
}

static void *reap(void *unused)
{
	struct psu_traveller *thread;

	for (;;) {
		psu_process_lock();
		while (!(thread = find_finished()))
			psu_process_wait(psu_process_about(&running), PSU_NEVER);
		psu_process_unlock();
		psu_traveller_dispose(thread);
	}
	return unused;
}

void psu_reaper_take(struct psu_traveller *thread)
{
	thread->reaped = true;
	/* without memory for it now, the next one to come starts it */
	if (!running)
		running = psu_process_spawn(reap, NULL) == 0;
	psu_reaper_look();
}

void psu_reaper_look(void)
{
	psu_process_announce(psu_process_about(&running));
}
