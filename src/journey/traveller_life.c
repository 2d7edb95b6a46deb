/* SPDX-License-Identifier: ISC */
/*
 * traveller_life.c - what a thread's pthread does, on its home stack
 *
 * One start routine serves birth and arrival, so that the frames at the base
 * of the home stack are alike on every host.
 */
#include "journey/exits.h"
#include "journey/keeper.h"
#include "journey/process.h"
#include "journey/reaper.h"
#include "journey/traveller.h"
#include "report/phase.h"
#include "state/locals.h"
#include "state/sanitizer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool psu_traveller_has_ended(const struct psu_traveller *self,
							 const void *frame)
{
	return (uint64_t)frame >= psu_slot_home_low(&self->slot) &&
		   (uint64_t)frame < psu_slot_home_high(&self->slot);
}

void psu_traveller_works_travelling(const struct psu_traveller *self)
{
	psu_sanitizer_switch(psu_slot_stack_low(&self->slot),
						 psu_slot_stack_high(&self->slot));
}

void psu_traveller_works_at_home(const struct psu_traveller *self)
{
	psu_sanitizer_switch(psu_slot_home_low(&self->slot),
						 psu_slot_home_high(&self->slot));
}

/** Check, and make good, what refers to libc's part of the thread. */
static int adopt(struct psu_traveller *self, const struct psu_image *image)
{
	if ((uint64_t)psu_state_thread_pointer() != image->thread_pointer)
		return psu_error_set(PSU_THREAD_E_LAYOUT_MISMATCH,
							 "libc places thread-locals elsewhere than at the "
							 "source: set GLIBC_TUNABLES alike on both hosts");
	return psu_locals_relink(image->cleanup_head, image->registers.rsp,
							 psu_slot_stack_high(&self->slot),
							 self->cleanup_base);
}

/** Take over what lies neither in registers nor on the stack. */
static int restore_locals(struct psu_traveller *self,
						  const struct psu_image *image)
{
	int rc = 0;

	if (image->kind == PSU_KIND_MOVE)
		rc = adopt(self, image);
	if (rc)
		return rc;
	if (psu_locals_len() != image->locals.len)
		return psu_error_set(PSU_THREAD_E_IMAGE_INVALID,
							 "the image's thread-locals have another size than "
							 "this program's: install the same version of the "
							 "program on both hosts");
	rc = psu_exits_restore(&self->exits, &image->exits);
	if (rc)
		return rc;
	psu_locals_restore(image->locals.bytes);
	return 0;
}

/** The rest of what an image says; none of it can fail. */
static void take_over(struct psu_traveller *self, const struct psu_image *image)
{
	self->ended_away = image->kind == PSU_KIND_END;
	self->result = image->result;
	if (self->ended_away) {
		psu_locals_set_cleanup_head(self->cleanup_base);
		return;
	}
	self->registers = image->registers;
	self->saved_errno = image->saved_errno;
	self->signal_mask = image->signal_mask;
	self->cancel_state = image->cancel_disabled ? PTHREAD_CANCEL_DISABLE
												: PTHREAD_CANCEL_ENABLE;
	/* a husk may not have got as far as dropping an earlier image's */
	psu_locals_set_cleanup_head(image->cleanup_head ? image->cleanup_head
													: self->cleanup_base);
	pthread_setname_np(pthread_self(), image->name);
	pthread_setcanceltype(image->cancel_asynchronous
							  ? PTHREAD_CANCEL_ASYNCHRONOUS
							  : PTHREAD_CANCEL_DEFERRED,
						  NULL);
}

static enum psu_order await_order(struct psu_traveller *self)
{
	enum psu_order order;

	psu_process_lock();
	while (self->order == PSU_ORDER_NONE)
		psu_process_wait_for(&self->handoff, PSU_NEVER);
	order = self->order;
	self->order = PSU_ORDER_NONE;
	psu_process_unlock();
	return order;
}

/** Neither the image nor anything else of the order is ours afterwards. */
static void restore(struct psu_traveller *self)
{
	struct psu_restoration *restoration = self->restoration;
	int rc = restore_locals(self, restoration->image);

	if (!rc) {
		take_over(self, restoration->image);
		restoration->restored(restoration->argument);
	}
	psu_process_lock();
	restoration->code = rc;
	pthread_cond_signal(&restoration->done);
	psu_process_unlock();
}

static void take_signals(const struct psu_traveller *self)
{
	sigset_t mask;

	psu_locals_unpack_mask(self->signal_mask, &mask);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/** It has ended elsewhere, and its destructors are to run here, with the
 * signals blocked as it had them when it left. */
static void *take_result(const struct psu_traveller *self)
{
	take_signals(self);
	return (void *)self->result;
}

/** Resume the user's code; back here when it has ended or left again. */
static void *resume(struct psu_traveller *self)
{
	psu_phase_begin(PSU_PHASE_RESUME);
	pthread_setcancelstate(self->cancel_state, NULL);
	take_signals(self);
	psu_traveller_works_travelling(self);
	errno = self->saved_errno;
	return psu_state_resume(&self->registers);
}

/** Wait parked for what becomes of it.  True: it was resumed, and has ended
 * or left again, with *@result_out, or has ended elsewhere.  False: a guest
 * that was turned away, or a husk that is given up. */
static bool stand_by(struct psu_traveller *self, void **result_out)
{
	for (;;)
		switch (await_order(self)) {
		case PSU_ORDER_RESTORE:
			restore(self);
			break;
		case PSU_ORDER_GO:
			*result_out = self->ended_away ? take_result(self) : resume(self);
			return true;
		default:
			psu_locals_set_cleanup_head(self->cleanup_base);
			psu_exits_clear(&self->exits);
			if (!self->born_here || self->given_up)
				return false;
			break;
		}
}

/** The last state of a guest, which goes home.  Its destructors run there. */
static void keep_locals(struct psu_traveller *self)
{
	self->last_locals = malloc(psu_locals_len() + 1);
	if (self->last_locals)
		psu_locals_save(self->last_locals);
}

/** Runs when the user's function has returned, and on pthread_exit(); also
 * where the thread has only left, without exits then. */
static void end(void *argument)
{
	struct psu_traveller *self = argument;

	psu_traveller_works_at_home(self);
	/* pthread_exit() has dropped frames here without a word */
	psu_sanitizer_unmark(psu_slot_home_low(&self->slot),
						 psu_slot_home_high(&self->slot));
	if (self->born_here)
		psu_exits_run(&self->exits);
	else if (self->stage == PSU_STAGE_RUNNING)
		keep_locals(self);
	psu_process_lock();
	if (self->stage == PSU_STAGE_RUNNING)
		psu_traveller_enter(self, PSU_STAGE_ENDED);
	if (self->born_here && self->stage == PSU_STAGE_ENDED)
		psu_home_ended(&self->known);
	psu_process_announce(self->slot.addr);
	psu_reaper_look();
	psu_process_unlock();
	psu_local.self = NULL;
}

static void *live(struct psu_traveller *self)
{
	const struct psu_birth *birth = &self->birth;
	void *result = NULL;

	self->cleanup_base = psu_locals_cleanup_head();
	if (self->born_here) {
		if (*birth->name)
			pthread_setname_np(pthread_self(), birth->name);
		*psu_slot_argument(&self->slot) = (uint64_t)birth->arg;
		psu_traveller_works_travelling(self);
		result = psu_state_enter(psu_slot_argument(&self->slot), birth->fn,
								 birth->arg);
	} else if (!stand_by(self, &result)) {
		return NULL;
	}
	/* the stage is no guide here: the thread may be on its way back already */
	while (self->left && self->born_here && !self->given_up) {
		self->left = false;
		stand_by(self, &result);
	}
	return result;
}

void *psu_traveller_main(void *argument)
{
	struct psu_traveller *self = argument;
	void *result;

	psu_local.self = self;
	self->tid = gettid();
	pthread_cleanup_push(end, self);
	result = live(self);
	self->result = (uint64_t)result;
	pthread_cleanup_pop(1);
	return result;
}

void psu_traveller_set_out(struct psu_traveller *self, const char *host)
{
	psu_process_lock();
	snprintf(self->bound_for, sizeof(self->bound_for), "%s", host);
	self->decision = 0;
	if (self->born_here)
		psu_home_leaves(&self->known);
	psu_traveller_enter(self, PSU_STAGE_LEAVING);
	psu_process_unlock();
}

void psu_traveller_suspend(struct psu_traveller *self, enum psu_stage stage,
						   const struct psu_place *destination)
{
	psu_process_lock();
	/* in doubt: LOCATION of a later move may have come already */
	if (stage == PSU_STAGE_LOST || !self->born_here ||
		self->known.generation <= self->generation)
		self->where = *destination;
	psu_traveller_enter(self, stage);
	psu_process_announce(self->slot.addr);
	psu_process_unlock();
}

int psu_traveller_await_decision(struct psu_traveller *self, int64_t deadline)
{
	int decision;

	psu_process_lock();
	while (!self->decision && psu_process_wait(self->slot.addr, deadline))
		continue;
	decision = self->decision;
	psu_process_unlock();
	return decision;
}

void psu_traveller_stay(struct psu_traveller *self)
{
	psu_process_lock();
	self->where = (struct psu_place){.name = ""};
	if (self->born_here)
		psu_home_stayed(&self->known);
	psu_traveller_enter(self, PSU_STAGE_RUNNING);
	psu_process_announce(self->slot.addr);
	psu_process_unlock();
}

void psu_traveller_let_go(struct psu_traveller *self, enum psu_stage stage,
						  const struct psu_place *destination)
{
	psu_locals_set_cleanup_head(self->cleanup_base);
	psu_exits_clear(&self->exits);
	if (self->born_here && stage == PSU_STAGE_AWAY) {
		if (self->heap)
			psu_heap_keep(self->heap, self->heap_kept);
		self->heap = NULL;
		psu_slot_freeze(&self->slot, self->heap_kept[0] != 0);
	}
	self->left = true;
	psu_process_lock();
	/* LOCATION of a later move may have overtaken the answer */
	if (stage != PSU_STAGE_AWAY || !self->born_here ||
		psu_home_left(&self->known, self->generation + 1))
		self->where = *destination;
	self->given_up = stage == PSU_STAGE_LOST;
	psu_traveller_enter(self, stage);
	if (self->born_here)
		psu_keeper_look(&self->where.incarnation);
	psu_process_announce(self->slot.addr);
	psu_process_unlock();
	psu_state_leave(NULL);
}
