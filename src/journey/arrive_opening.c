/* SPDX-License-Identifier: ISC */
/*
 * arrive_opening.c - wait until this server lets a thread in
 *
 * Through an opening, which is psu_thread_create()'s and lets one in, or as one
 * of psu_thread_serve()'s guests.
 */
#include "journey/arrive.h"
#include "net/limits.h"

/** Lock held.  False: not now. */
static bool let_in(struct psu_arrival *arrival)
{
	struct psu_process *process = psu_process_get();

	if (process->draining)
		return false;
	arrival->opening_taken = process->openings_count > 0;
	arrival->is_guest = !arrival->opening_taken && process->serving;
	process->openings_count -= arrival->opening_taken;
	process->guests_count += arrival->is_guest;
	return arrival->opening_taken || arrival->is_guest;
}

/** Lock held.  Whether it would be let in now. */
static bool is_open(struct psu_arrival *arrival)
{
	const struct psu_process *process = psu_process_get();

	(void)arrival;
	return !process->draining &&
		   (process->openings_count > 0 || process->serving);
}

static int wait_until(struct psu_arrival *arrival,
					  bool (*is_so)(struct psu_arrival *))
{
	struct psu_process *process = psu_process_get();
	int64_t deadline = psu_clock_deadline(PSU_OPENING_MS);
	bool draining, so;

	if (arrival->husk)
		return 0;
	psu_process_lock();
	while (
		!(so = is_so(arrival)) && !process->draining &&
		psu_process_wait(psu_process_about(&process->openings_count), deadline))
		continue;
	draining = process->draining;
	psu_process_unlock();
	if (so)
		return 0;
	if (draining)
		return psu_error_set(PSU_THREAD_E_DRAINING,
							 "refused a thread from %s: this server is "
							 "stopping: go to another, or wait until it has "
							 "started again",
							 arrival->session->peer_name);
	return psu_error_set(PSU_THREAD_E_BUSY,
						 "refused a thread from %s: this server waits in "
						 "neither psu_thread_serve nor psu_thread_create: try "
						 "again when it does",
						 arrival->session->peer_name);
}

int psu_arrive_await_opening(struct psu_arrival *arrival)
{
	if (arrival->statement->heap_len < PSU_LARGE_HEAP_LEN)
		return 0;
	return wait_until(arrival, is_open);
}

int psu_arrive_take_opening(struct psu_arrival *arrival)
{
	psu_phase_begin(PSU_PHASE_RESTORE);
	return wait_until(arrival, let_in);
}
