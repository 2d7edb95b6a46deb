/* SPDX-License-Identifier: ISC */
/*
 * depart.c - a thread leaves this host
 *
 * In: a thread that called psu_thread_migrate(), its registers kept.  Out:
 * the thread goes on here, with the reason, or it is not here any more.
 * Refused: what cannot travel, before a byte is sent.
 */
#include "journey/courier.h"
#include "journey/depart.h"
#include "net/limits.h"
#include "preflight/preflight.h"
#include "report/traffic.h"
#include "state/locals.h"
#include "state/sanitizer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/** No signal handler and no cancellation while the library works. */
static void block_interruptions(struct psu_departure *departure)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &departure->mask);
	departure->thread->signal_mask = psu_locals_pack_mask(&departure->mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &departure->cancel_state);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &departure->cancel_type);
}

/** Back to how the caller had it. */
static void unblock_interruptions(struct psu_departure *departure)
{
	pthread_setcanceltype(departure->cancel_type, NULL);
	pthread_setcancelstate(departure->cancel_state, NULL);
	errno = departure->thread->saved_errno;
	pthread_sigmask(SIG_SETMASK, &departure->mask, NULL);
}

/** The source of the move that brought the thread here must know that it did,
 * or it could call the thread lost while it runs elsewhere. */
static void await_acknowledgement(struct psu_traveller *self)
{
	bool known;

	psu_process_lock();
	known = psu_traveller_await_known(&self->arrived_by,
									  psu_clock_deadline(PSU_ACKNOWLEDGE_MS));
	psu_process_unlock();
	if (!known)
		psu_log(PSU_THREAD_LOG_INFO,
				"The host this thread came from has not acknowledged its "
				"arrival");
}

/** To the host that was named, or home. */
static int find_way(struct psu_departure *departure)
{
	const struct psu_traveller *self = departure->thread;
	struct psu_endpoint endpoint;
	int rc;

	if (!self->target) {
		psu_way_to_place(&self->home, &departure->way);
		return 0;
	}
	rc = psu_socket_parse(self->target, PSU_THREAD_DEFAULT_PORT, &endpoint);
	if (!rc)
		psu_way_to_endpoint(&endpoint, &departure->way);
	return rc;
}

static int may_leave(struct psu_departure *departure)
{
	struct psu_traveller *self = departure->thread;
	int rc = psu_depart_check(self, &psu_process_get()->manifest);

	if (!rc)
		rc = find_way(departure);
	if (!rc)
		await_acknowledgement(self);
	return rc;
}

static struct psu_stack_bounds stack_bounds(const struct psu_traveller *self)
{
	return (struct psu_stack_bounds){
		.low = self->registers.rsp,
		.high = psu_slot_stack_high(&self->slot),
	};
}

static int walk_frames(struct psu_departure *departure)
{
	struct psu_traveller *self = departure->thread;
	const struct psu_stack_bounds bounds = stack_bounds(self);

	psu_phase_begin(PSU_PHASE_UNWIND);
	psu_sanitizer_unmark(bounds.low, bounds.high);
	return psu_walk_stack(&psu_process_get()->manifest, &self->registers,
						  &bounds, &departure->image.chain);
}

static int fill(struct psu_departure *departure)
{
	struct psu_traveller *self = departure->thread;
	struct psu_image *image = &departure->image;
	uint64_t rsp = self->registers.rsp, head = psu_locals_cleanup_head();

	psu_phase_begin(PSU_PHASE_ENCODE);
	departure->locals = malloc(psu_locals_len() + 1);
	if (!departure->locals)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for %zu bytes of thread-locals: free "
							 "some",
							 psu_locals_len());
	psu_locals_save(departure->locals);
	image->kind = PSU_KIND_MOVE;
	image->home = self->home;
	image->joinable = self->joinable;
	image->registers = self->registers;
	image->thread_pointer = (uint64_t)psu_state_thread_pointer();
	image->cleanup_head = head == self->cleanup_base ? 0 : head;
	image->signal_mask = self->signal_mask;
	image->saved_errno = self->saved_errno;
	image->cancel_disabled = departure->cancel_state == PTHREAD_CANCEL_DISABLE;
	image->cancel_asynchronous = departure->cancel_type ==
								 PTHREAD_CANCEL_ASYNCHRONOUS;
	pthread_getname_np(pthread_self(), image->name, sizeof(image->name));
	image->locals = (struct psu_span){departure->locals, psu_locals_len()};
	image->exits = self->exits;
	image->stack = (struct psu_span){
		.bytes = (const uint8_t *)rsp,
		.len = psu_slot_stack_high(&self->slot) - rsp,
	};
	return 0;
}

static int verify_heap(const struct psu_departure *departure)
{
	const struct psu_heap *heap = departure->thread->heap;
	const struct psu_slot *slot = &departure->thread->slot;
	struct psu_heap_extent accessible[2];

	if (!heap)
		return 0;
	psu_heap_accessible(heap, accessible);
	if (!psu_heap_verify(psu_slot_heap_low(slot), psu_slot_heap_high(slot),
						 accessible))
		return psu_error_set(PSU_THREAD_E_HEAP_DAMAGED,
							 "cannot move the thread: what its heap knows of "
							 "itself is overwritten: look for writes beyond "
							 "the end of a block");
	return 0;
}

/** Whether all that the thread points to goes along, or is there. */
static int scan_pointers(struct psu_departure *departure,
						 struct psu_thread_report *report_out)
{
	const struct psu_traveller *self = departure->thread;
	const struct psu_stack_bounds bounds = stack_bounds(self);
	struct psu_preflight_thread thread = {
		.slot = &self->slot,
		.heap = self->heap,
		.chain = &departure->image.chain,
		.stack_addr = bounds.low,
		.own = {(uint64_t)self, sizeof(*self)},
		.manifest = &psu_process_get()->manifest,
	};
	int rc = psu_walk_caller(thread.manifest, &self->registers, &bounds,
							 &thread.registers);

	return rc ? rc : psu_preflight_scan(&thread, report_out);
}

/** PSU_THREAD_STRICT: what is found is in the log. */
static int scan_strictly(struct psu_departure *departure)
{
	struct psu_thread_report report = {.found = 0};

	return scan_pointers(departure, &report);
}

/** Its pages go as they lie; which ones, the image says. */
static int survey_heap(struct psu_departure *departure)
{
	int rc;

	if (!departure->thread->heap)
		return 0;
	psu_traffic_enter();
	rc = psu_heap_survey(departure->thread->heap, &departure->heap);
	psu_traffic_leave();
	return rc;
}

/** It runs there now: its home is to know, unless that is there. */
static void tell_home(const struct psu_departure *departure)
{
	struct psu_traveller *self = departure->thread;
	const struct psu_place *there = &departure->destination;
	struct psu_letter *letter;

	if (psu_place_is(&self->home, &there->identity, &there->incarnation))
		return;
	psu_process_lock();
	psu_itinerary_append(&self->itinerary, departure->parcel.sealed);
	letter = psu_courier_write_moved(self, departure->parcel.generation, there);
	psu_process_unlock();
	psu_courier_post(letter);
}

int psu_depart(struct psu_traveller *self)
{
	struct psu_departure departure = {.thread = self};
	int rc;

	psu_phase_begin(PSU_PHASE_CAPTURE);
	block_interruptions(&departure);
	psu_traveller_works_at_home(self);
	psu_traveller_set_out(self, self->target ? self->target : self->home.name);
	rc = may_leave(&departure);
	if (!rc)
		rc = walk_frames(&departure);
	if (!rc)
		rc = verify_heap(&departure);
	if (!rc && psu_process_get()->strict)
		rc = scan_strictly(&departure);
	if (!rc)
		rc = fill(&departure);
	if (!rc)
		rc = survey_heap(&departure);
	if (!rc)
		rc = psu_depart_encode(&departure);
	if (!rc)
		rc = psu_depart_hand_over(&departure);
	free(departure.head);
	free(departure.locals);
	psu_chain_free(&departure.image.chain);
	psu_heap_map_free(&departure.heap);
	psu_heap_map_free(&departure.fewer);
	if (departure.gone == PSU_STAGE_AWAY && !self->born_here)
		tell_home(&departure);
	if (departure.gone) /* this call does not return */
		psu_traveller_let_go(self, departure.gone, &departure.destination);
	psu_traveller_stay(self);
	psu_traveller_works_travelling(self);
	unblock_interruptions(&departure);
	return rc;
}

/** A session as a move would have it, and nothing is sent on it. */
static int visit(struct psu_departure *departure)
{
	int rc = find_way(departure);

	departure->way.fresh = true;
	if (!rc)
		rc = psu_depart_open_session(departure);
	if (!rc)
		psu_line_put(departure->session);
	return rc;
}

int psu_depart_rehearse(struct psu_traveller *self)
{
	struct psu_departure departure = {.thread = self};
	struct psu_thread_report report = {.found = 0};
	int rc;

	block_interruptions(&departure);
	psu_traveller_works_at_home(self);
	rc = psu_depart_check(self, &psu_process_get()->manifest);
	if (!rc)
		rc = walk_frames(&departure);
	if (!rc)
		rc = verify_heap(&departure);
	if (!rc && self->target)
		rc = visit(&departure);
	if (!rc)
		rc = scan_pointers(&departure, &report);
	psu_chain_free(&departure.image.chain);
	if (self->report)
		*self->report = report;
	psu_traveller_works_travelling(self);
	unblock_interruptions(&departure);
	return rc;
}
