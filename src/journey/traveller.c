/* SPDX-License-Identifier: ISC */
/*
 * traveller.c - make, admit, order about and end a thread's pthread
 *
 * Runs on the threads that do so; what the pthread itself does is in
 * traveller_life.c.
 */
#include "journey/traveller.h"
#include "journey/courier.h"
#include "journey/process.h"
#include "net/limits.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/** The pthread on the slot's home zone, with the caller's signal mask. */
static int start_pthread(struct psu_traveller *thread)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);

	if (!error) {
		error = pthread_attr_setstack(&attributes,
									  (void *)psu_slot_home_low(&thread->slot),
									  PSU_SLOT_HOME_LEN);
		if (!error)
			error = pthread_create(&thread->pthread, &attributes,
								   psu_traveller_main, thread);
		pthread_attr_destroy(&attributes);
	}
	return error ? psu_process_no_thread(error) : 0;
}

static void enlist(struct psu_traveller *thread)
{
	struct psu_process *process = psu_process_get();

	psu_process_lock();
	thread->next = process->threads;
	process->threads = thread;
	process->foreign_count += !thread->born_here;
	psu_process_unlock();
}

/** How many slots of the zone make one of that length. */
static uint32_t slots_of(uint64_t slot_len)
{
	return (uint32_t)(slot_len / PSU_SLOT_LEN);
}

/** Out of the list, and all memory back.  No pthread is on the slot. */
static void discard(struct psu_traveller *thread)
{
	struct psu_process *process = psu_process_get();
	struct psu_traveller **link = &process->threads;
	uint64_t slot_len = thread->slot.len;

	if (thread->heap || thread->heap_kept[0])
		psu_heap_release(psu_slot_heap_low(&thread->slot),
						 psu_slot_heap_high(&thread->slot));
	psu_process_lock();
	while (*link && *link != thread)
		link = &(*link)->next;
	if (*link) {
		*link = thread->next;
		process->foreign_count -= !thread->born_here;
	}
	psu_process_announce(thread->slot.addr);
	psu_slot_unmap(&thread->slot);
	psu_process_unlock();
	if (thread->born_here)
		psu_runtime_unlock_slots(process->runtime, thread->slot_number,
								 slots_of(slot_len));
	free(thread->exits.list);
	free(thread->last_locals);
	free(thread);
}

static struct psu_traveller *new_traveller(enum psu_stage stage)
{
	struct psu_traveller *thread = calloc(1, sizeof(*thread));

	if (!thread) {
		psu_error_set(PSU_THREAD_E_NO_MEMORY,
					  "no memory for another thread: free some");
		return NULL;
	}
	psu_process_init_condition(&thread->handoff);
	psu_traveller_enter(thread, stage);
	thread->overdue_at = PSU_NEVER;
	return thread;
}

static uint32_t round_up(uint32_t len)
{
	uint32_t page_len = psu_process_get()->context.hello.page_len;

	return (len + page_len - 1) / page_len * page_len;
}

/** Lock a slot of this host's zone and map it.  One may be taken by a guest
 * whose home was a process of this host that has died: then the next. */
static int take_free_slot(struct psu_traveller *thread)
{
	struct psu_process *process = psu_process_get();
	uint32_t zone = psu_trust_zone(process->trust);
	uint32_t stack_len = round_up(thread->birth.stack_len);
	uint64_t len = thread->birth.slot_len ? thread->birth.slot_len
										  : process->slot_len;
	int rc = PSU_THREAD_E_ADDRESS_IN_USE;

	for (int tries = 0;
		 rc == PSU_THREAD_E_ADDRESS_IN_USE && tries < PSU_SLOT_TRIES; tries++) {
		rc = psu_runtime_lock_slots(process->runtime, PSU_ZONE_SLOTS,
									slots_of(len), &thread->slot_number);
		if (rc)
			return rc;
		rc = psu_slot_map(psu_slot_addr(zone, thread->slot_number), len,
						  stack_len ? stack_len : PSU_SLOT_STACK_LEN,
						  &thread->slot);
		if (rc)
			psu_runtime_unlock_slots(process->runtime, thread->slot_number,
									 slots_of(len));
	}
	return rc;
}

int psu_traveller_birth(const struct psu_birth *birth,
						struct psu_traveller **thread_out)
{
	struct psu_traveller *thread = new_traveller(PSU_STAGE_RUNNING);
	int rc;

	if (!thread)
		return PSU_THREAD_E_NO_MEMORY;
	randombytes_buf(thread->id.bytes, sizeof(thread->id.bytes));
	thread->birth = *birth;
	if (*birth->name)
		memcpy(thread->name, birth->name, sizeof(thread->name));
	else
		pthread_getname_np(pthread_self(), thread->name, sizeof(thread->name));
	thread->home = psu_process_get()->place;
	thread->joinable = birth->joinable;
	psu_home_born(&thread->known);
	if (birth->limit_ms)
		thread->overdue_at = psu_clock_deadline(birth->limit_ms);
	rc = take_free_slot(thread);
	if (rc) {
		free(thread);
		return rc;
	}
	thread->born_here = true;
	enlist(thread);
	rc = start_pthread(thread);
	if (rc) {
		discard(thread);
		return rc;
	}
	*thread_out = thread;
	return 0;
}

int psu_traveller_admit(const struct psu_id *id, struct psu_slot *slot,
						struct psu_traveller **thread_out)
{
	struct psu_traveller *thread = new_traveller(PSU_STAGE_PARKED);
	sigset_t all, before;
	int rc;

	if (!thread)
		return PSU_THREAD_E_NO_MEMORY;
	thread->id = *id;
	thread->slot = *slot;
	enlist(thread);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = start_pthread(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		thread->slot.addr = 0;
		discard(thread);
		return rc;
	}
	slot->addr = 0;
	*thread_out = thread;
	return 0;
}

struct psu_traveller *psu_traveller_find(uint64_t slot_addr)
{
	struct psu_traveller *thread = psu_process_get()->threads;

	while (thread && thread->slot.addr != slot_addr)
		thread = thread->next;
	return thread;
}

struct psu_traveller *psu_traveller_find_own(const struct psu_id *id)
{
	struct psu_traveller *thread = psu_process_get()->threads;

	while (thread && !(thread->born_here && psu_id_equal(&thread->id, id)))
		thread = thread->next;
	return thread;
}

void psu_traveller_enter(struct psu_traveller *thread, enum psu_stage stage)
{
	thread->stage = stage;
	thread->since_ms = psu_clock_now_ms();
	thread->silent_since_ms = 0;
}

const char *psu_traveller_stage(const struct psu_traveller *thread)
{
	static const char *const names[] = {
		[PSU_STAGE_PARKED] = "arriving",   [PSU_STAGE_RUNNING] = "running",
		[PSU_STAGE_LEAVING] = "leaving",   [PSU_STAGE_AWAY] = "away",
		[PSU_STAGE_IN_DOUBT] = "in doubt", [PSU_STAGE_LOST] = "lost",
		[PSU_STAGE_ENDED] = "ended",
	};

	return names[thread->stage];
}

const char *psu_traveller_host(const struct psu_traveller *thread)
{
	if (*thread->where.name)
		return thread->where.name;
	return psu_trust_self(psu_process_get()->trust)->name;
}

void psu_traveller_recall(struct psu_traveller *husk)
{
	psu_traveller_enter(husk, PSU_STAGE_PARKED);
}

static void give_order(struct psu_traveller *thread, enum psu_order order)
{
	thread->order = order;
	if (thread != psu_local.self) /* it goes on by itself */
		pthread_cond_signal(&thread->handoff);
}

int psu_traveller_restore(struct psu_traveller *thread,
						  struct psu_restoration *restoration)
{
	psu_process_init_condition(&restoration->done);
	restoration->code = 1;
	psu_process_lock();
	thread->restoration = restoration;
	give_order(thread, PSU_ORDER_RESTORE);
	while (restoration->code == 1)
		psu_process_wait_for(&restoration->done, PSU_NEVER);
	psu_process_unlock();
	pthread_cond_destroy(&restoration->done);
	return restoration->code;
}

void psu_traveller_go(struct psu_traveller *thread,
					  const struct psu_statement *statement, const char *host)
{
	/* an end is no move, though it has a number like one */
	thread->generation = statement->generation - thread->ended_away;
	thread->arrived_by = statement->migration;
	thread->where = (struct psu_place){.name = ""};
	thread->host_died = false;
	if (thread->born_here)
		psu_home_returned(&thread->known, statement->generation);
	if (thread->ended_away)
		memcpy(thread->where.name, host, sizeof(thread->where.name));
	psu_traveller_enter(thread, PSU_STAGE_RUNNING);
	give_order(thread, PSU_ORDER_GO);
}

void psu_traveller_withdraw(struct psu_traveller *thread)
{
	/* once it is AWAY, another arrival may thaw it */
	if (thread->born_here) {
		thread->heap = NULL;
		psu_slot_freeze(&thread->slot, thread->heap_kept[0] != 0);
	}
	psu_process_lock();
	if (thread->born_here)
		psu_traveller_enter(thread, PSU_STAGE_AWAY);
	give_order(thread, PSU_ORDER_QUIT);
	psu_process_announce(thread->slot.addr);
	psu_process_unlock();
	if (thread->born_here)
		return;
	pthread_join(thread->pthread, NULL);
	discard(thread);
}

void psu_traveller_give_up(struct psu_traveller *husk)
{
	husk->given_up = true;
	psu_traveller_enter(husk, PSU_STAGE_LOST);
	give_order(husk, PSU_ORDER_QUIT);
}

bool psu_traveller_await_known(const struct psu_id *migration, int64_t deadline)
{
	struct psu_process *process = psu_process_get();
	bool known;

	do
		known = psu_id_is_zero(migration) ||
				psu_dest_acknowledged(&process->dest, migration);
	while (!known &&
		   psu_process_wait(psu_process_about_move(migration), deadline));
	return known;
}

/** When nothing of a wait for the thread is left to expect. */
static int64_t patience(const struct psu_traveller *thread, int64_t begun_ms)
{
	int64_t doubt_at = thread->stage == PSU_STAGE_IN_DOUBT
						   ? thread->since_ms
						   : thread->silent_since_ms;

	if (!doubt_at)
		return thread->overdue_at;
	doubt_at = (doubt_at > begun_ms ? doubt_at : begun_ms) + PSU_IN_DOUBT_MS;
	return doubt_at < thread->overdue_at ? doubt_at : thread->overdue_at;
}

int psu_traveller_await(struct psu_traveller *thread, bool leaving)
{
	int64_t begun_ms = psu_clock_now_ms(), deadline;

	do {
		if (thread->stage == PSU_STAGE_ENDED ||
			(leaving && thread->stage == PSU_STAGE_AWAY))
			return 0;
		if (thread->stage == PSU_STAGE_LOST || thread->host_died)
			return PSU_THREAD_E_LOST_WITH_PEER;
		deadline = patience(thread, begun_ms);
	} while (psu_clock_now_ms() < deadline &&
			 (psu_process_wait(thread->slot.addr, deadline), true));
	if (deadline != thread->overdue_at)
		return PSU_THREAD_E_IN_DOUBT;
	thread->overdue_at = PSU_NEVER;
	return PSU_THREAD_E_OVERDUE;
}

/** Its result, once nothing of it runs any more. */
static void *await_end(const struct psu_traveller *thread)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	void *result;

	if (pthread_join(thread->pthread, &result) == 0)
		return result;
	/* it has detached itself: libc does not tell us, the kernel does */
	while (tgkill(getpid(), thread->tid, 0) == 0)
		nanosleep(&moment, NULL);
	return (void *)thread->result;
}

void *psu_traveller_dispose(struct psu_traveller *thread)
{
	void *result = await_end(thread);

	if (thread->stage == PSU_STAGE_ENDED)
		psu_log(PSU_THREAD_LOG_DEBUG, "Thread exited with value: %ld",
				(long)result);
	if (thread->stage == PSU_STAGE_ENDED && !thread->born_here)
		psu_courier_tell_ended(thread, result);
	discard(thread);
	return result;
}
