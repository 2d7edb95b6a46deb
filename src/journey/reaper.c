/* SPDX-License-Identifier: ISC */
/*
 * reaper.c - one thread that joins the pthreads nobody else will join
 *
 * In: threads that were given up by psu_reaper_take().  Out: nothing of them
 * is left, once they have ended here, or, guests, have left, or were lost and
 * given up.  What is away, in doubt or lost stays: it is a husk, or the only
 * image of a thread.  But the husk of a thread that was lost elsewhere ends
 * after PSU_LOST_KEPT_MS: word that it had moved on would have come by then.
 */
#include "journey/reaper.h"
#include "journey/process.h"
#include "slot/reserve.h"

/* guarded by the process's lock */
static bool running;
static bool guest_in_hand; /* it is being freed */

static bool is_finished(const struct psu_traveller *thread)
{
	return thread->stage == PSU_STAGE_ENDED || thread->given_up ||
		   (thread->stage == PSU_STAGE_AWAY && !thread->born_here);
}

/** Lock held. */
static struct psu_traveller *find_finished(void)
{
	struct psu_traveller *thread = psu_process_get()->threads;

	while (thread &&
		   !((thread->reaped || thread->is_guest) && is_finished(thread)))
		thread = thread->next;
	return thread;
}

static bool is_lost_away(const struct psu_traveller *thread)
{
	return thread->reaped && thread->stage == PSU_STAGE_AWAY &&
		   thread->host_died && !thread->compared;
}

/** Let husks end whose time is over.  Lock held.  Returns when that of the
 * next one is. */
static int64_t give_up_husks(void)
{
	int64_t now_ms = psu_clock_now_ms(), next_ms = PSU_NEVER;

	for (struct psu_traveller *at = psu_process_get()->threads; at;
		 at = at->next) {
		int64_t over_ms = at->since_ms + PSU_LOST_KEPT_MS;

		if (!is_lost_away(at))
			continue;
		if (over_ms <= now_ms)
			psu_traveller_give_up(at);
		else if (over_ms < next_ms)
			next_ms = over_ms;
	}
	return next_ms;
}

/** Lock held. */
static struct psu_traveller *await_finished(void)
{
	for (;;) {
		int64_t next_ms = give_up_husks();
		struct psu_traveller *thread = find_finished();

		if (thread)
			return thread;
		psu_process_wait(psu_process_about(&running), next_ms);
	}
}

/** Nothing is left of it.  Lock held. */
static void see_off_guest(void)
{
	struct psu_process *process = psu_process_get();

	process->guests_count--;
	psu_process_announce(psu_process_about(&process->guests_count));
}

static void *reap(void *unused)
{
	struct psu_traveller *thread;

	psu_process_lock();
	for (;;) {
		thread = await_finished();
		guest_in_hand = thread->is_guest;
		psu_process_unlock();
		psu_traveller_dispose(thread);
		psu_reserve_fill(); /* for the next one */
		psu_process_lock();
		if (guest_in_hand)
			see_off_guest();
		guest_in_hand = false;
	}
	return unused;
}

bool psu_reaper_has_guests(void)
{
	const struct psu_traveller *at = psu_process_get()->threads;

	while (at && !(at->is_guest && is_finished(at)))
		at = at->next;
	return at || guest_in_hand;
}

int psu_reaper_start(void)
{
	int rc = running ? 0 : psu_process_spawn(reap, NULL);

	running = running || rc == 0;
	return rc;
}

void psu_reaper_take(struct psu_traveller *thread)
{
	thread->reaped = true;
	/* without memory for it now, the next one to come starts it */
	if (psu_reaper_start() == 0)
		psu_reaper_look();
}

void psu_reaper_look(void)
{
	psu_process_announce(psu_process_about(&running));
}
