/* SPDX-License-Identifier: ISC */
/*
 * serve.c - psu_thread_serve(): take in whoever comes, until told to stop
 *
 * In: nothing but leave for arrivals (journey/arrive_steps.c) to let threads
 * in; the reaper frees them.  Out, when told to stop: how many are here still,
 * after a time that they had to end.
 */
#include "journey/courier.h"
#include "journey/process.h"
#include "journey/reaper.h"
#include "net/limits.h"
#include "slot/reserve.h"

#include <errno.h>
#include <signal.h>

/* ---- being told to stop */

void psu_thread_stop(void)
{
	struct psu_process *process = psu_process_get();

	if (process)
		sem_post(&process->stop_asked);
}

static void stop_by_signal(int signal)
{
	int saved_errno = errno;

	(void)signal;
	psu_thread_stop();
	errno = saved_errno;
}

/** Unless the program does something about it itself. */
static void handle_sigterm(void)
{
	struct sigaction action = {.sa_handler = stop_by_signal};
	struct sigaction before;

	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGTERM, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
		sigaction(SIGTERM, &action, NULL);
}

/** The next one ends the process, unless the program has taken over. */
static void leave_sigterm(void)
{
	struct sigaction action;

	if (sigaction(SIGTERM, NULL, &action) == 0 &&
		action.sa_handler == stop_by_signal)
		signal(SIGTERM, SIG_DFL);
}

static void await_stop(struct psu_process *process)
{
	while (sem_wait(&process->stop_asked) != 0)
		continue;
	while (sem_trywait(&process->stop_asked) == 0)
		continue;
}

/* ---- the guests */

static int open_up(struct psu_process *process)
{
	bool busy;
	int rc = 0;

	psu_process_lock();
	busy = process->serving || process->draining;
	if (!busy) {
		rc = psu_reaper_start();
		process->serving = rc == 0;
		psu_process_announce(psu_process_about(&process->openings_count));
	}
	psu_process_unlock();
	if (!busy)
		return rc;
	return psu_error_set(PSU_THREAD_E_BUSY,
						 "psu_thread_serve runs in this process already: call "
						 "it once at a time");
}

/** Whoever served was cancelled. */
static void serve_no_more(void *argument)
{
	struct psu_process *process = argument;

	psu_process_lock();
	process->serving = false;
	psu_process_unlock();
	leave_sigterm();
}

/** Lock held. */
static void tell_who_stays(const struct psu_process *process)
{
	for (const struct psu_traveller *at = process->threads; at; at = at->next)
		if (at->is_guest)
			psu_error_set(PSU_THREAD_E_DRAINING,
						  "thread '%s', which came from %s, stays and is %s: "
						  "let this process go on until it has ended or left, "
						  "or it is lost",
						  at->name, at->from, psu_traveller_stage(at));
}

/** Until @deadline for all who are here, and then only for those who have
 * ended or left, and are to be cleared away.  Lock held. */
static void await_guests(struct psu_process *process, int64_t deadline)
{
	int64_t later = deadline + PSU_LINGER_MS;
	uint64_t guests = psu_process_about(&process->guests_count);

	while (process->guests_count && psu_process_wait(guests, deadline))
		continue;
	while (psu_reaper_has_guests() && psu_process_wait(guests, later))
		continue;
}

/** Returns how many have not ended, nor left, in time. */
static unsigned drain(struct psu_process *process, unsigned drain_ms)
{
	int64_t deadline = psu_clock_deadline(drain_ms);
	unsigned count;

	psu_process_lock();
	process->serving = false;
	process->draining = true;
	psu_process_announce(psu_process_about(&process->openings_count));
	psu_log(PSU_THREAD_LOG_INFO, "Stopping: %u threads are here",
			process->guests_count);
	await_guests(process, deadline);
	count = process->guests_count;
	tell_who_stays(process);
	psu_process_unlock();
	return count;
}

/** Sources may not know yet that their threads had arrived: be there when they
 * ask; and what homes are to hear must get there. */
static void linger(struct psu_process *process)
{
	int64_t deadline = psu_clock_deadline(PSU_LINGER_MS);
	const struct psu_id *migration;
	struct psu_id copy;

	psu_process_lock();
	while ((migration = psu_dest_unacknowledged(&process->dest))) {
		copy = *migration;
		if (!psu_traveller_await_known(&copy, deadline))
			break;
	}
	psu_courier_linger(deadline);
	process->draining = false;
	psu_process_unlock();
}

int psu_thread_serve(unsigned drain_ms)
{
	struct psu_process *process = psu_process_get();
	int rc = psu_process_check();
	unsigned stay;

	if (rc)
		return rc;
	if (process->mode != PSU_THREAD_SERVER)
		return psu_error_set(PSU_THREAD_E_MODE_INVALID,
							 "this process was set up as a client: pass "
							 "PSU_THREAD_SERVER to psu_thread_setup_init");
	psu_reserve_fill(); /* before anybody can come */
	rc = open_up(process);
	if (rc)
		return rc;
	handle_sigterm();
	pthread_cleanup_push(serve_no_more, process);
	await_stop(process);
	pthread_cleanup_pop(0);
	stay = drain(process, drain_ms);
	linger(process);
	leave_sigterm();
	return (int)stay;
}
