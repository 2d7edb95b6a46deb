/* SPDX-License-Identifier: ISC */
/*
 * arrive_steps.c - the steps of an arrival, up to a parked thread
 *
 * Each of them refuses with a code and a sentence in this host's log.  Only a
 * verified statement is acted on; the body's bytes (arrive_body.c) lie in a
 * slot that nobody runs in until they are verified, decoded and checked.
 */
#include "journey/arrive.h"
#include "net/limits.h"
#include "slot/reserve.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(PSU_STACK_LEN_MAX == PSU_SLOT_STACK_LEN_MAX, "they fit");

/* ---- receive → verify → may it enter */

static int judge(struct psu_arrival *arrival)
{
	arrival->judged_ms = psu_clock_now_ms();
	return psu_session_judge(&psu_process_get()->context, arrival->session,
							 PSU_RIGHT_SEND, &arrival->peer);
}

/** What only this host asks of a good statement. */
static int check_offer(const struct psu_arrival *arrival,
					   const struct psu_frame_header *header)
{
	const struct psu_statement *statement = arrival->statement;
	const char *name = arrival->session->peer_name;

	if (statement->stream != header->stream)
		return psu_error_set(PSU_THREAD_E_STATEMENT_INVALID,
							 "%s sent a statement on another stream than it "
							 "names: install the same version on both hosts",
							 name);
	if (arrival->peer.attest && !statement->attested &&
		statement->kind == PSU_KIND_MOVE)
		return psu_error_set(
			PSU_THREAD_E_ATTEST_MISSING,
			"refused a thread from %s: its heap is not signed, "
			"and the peers file demands that since a moment "
			"ago: let it try again",
			name);
	if (statement->kind == PSU_KIND_MOVE && statement->one_flight &&
		statement->head_len + statement->stack_len + statement->heap_len >
			PSU_ONE_FLIGHT_LEN_MAX)
		return psu_error_set(PSU_THREAD_E_STATEMENT_INVALID,
							 "%s sent more in one flight than %u bytes: "
							 "install the same version on both hosts",
							 name, PSU_ONE_FLIGHT_LEN_MAX);
	return 0;
}

int psu_arrive_recv_offer(struct psu_arrival *arrival,
						  const struct psu_frame_header *header)
{
	struct psu_process *process = psu_process_get();
	struct psu_session *session = arrival->session;
	const struct psu_untrusted untrusted = {arrival->sealed,
											header->payload_len};
	struct psu_expectation expected = {
		.sign_public = arrival->peer.sign_public,
		.source = session->peer.digest,
		.destination = psu_trust_self(process->trust)->digest,
		.incarnation = process->incarnation,
		.program = process->manifest.digest,
		.exporter = session->exporter,
		.sequence = session->offers++,
	};
	int rc;

	psu_phase_begin(PSU_PHASE_RECEIVE);
	rc = judge(arrival);
	if (!rc)
		psu_session_watch(session);
	if (!rc)
		rc = psu_session_recv(session, arrival->sealed, header->payload_len,
							  psu_clock_deadline(PSU_MESSAGE_MS));
	psu_phase_begin(PSU_PHASE_VERIFY);
	if (!rc)
		rc = psu_seal_verify(&untrusted, &expected, &arrival->verified);
	if (rc)
		return psu_error_tell(rc);
	arrival->statement = psu_verified_statement(arrival->verified);
	return check_offer(arrival, header);
}

/** This process's own thread that the statement is about, wherever it is now;
 * NULL if there is none.  Lock held. */
static struct psu_traveller *find_own(const struct psu_statement *statement)
{
	struct psu_traveller *found = psu_traveller_find(statement->slot_addr);

	return found && psu_id_equal(&found->id, &statement->thread) ? found : NULL;
}

/** A thread can be back, or its end come, before its pthread here has got as
 * far as being a husk, or, if it was a guest, before that has ended: wait. */
static int take_husk(struct psu_arrival *arrival)
{
	const struct psu_statement *statement = arrival->statement;
	bool is_end = statement->kind == PSU_KIND_END;
	int64_t deadline = psu_clock_deadline(PSU_OPENING_MS);
	struct psu_traveller *own;
	int code = 0;

	psu_process_lock();
	while ((own = find_own(statement)) && (own->born_here || !is_end)) {
		if (own->born_here)
			code = psu_home_may_return(&own->known, statement->generation);
		if (own->born_here && !code && own->stage == PSU_STAGE_AWAY &&
			!own->compared) {
			psu_traveller_recall(own);
			arrival->husk = own;
			break;
		}
		if (code == PSU_THREAD_E_REPLAYED ||
			!psu_process_wait(statement->slot_addr, deadline))
			break;
	}
	if (own && own->born_here && !code && !arrival->husk)
		code = PSU_THREAD_E_BUSY; /* another attempt is not over */
	psu_process_unlock();
	/* an end is of use to a husk only: a guest has none here */
	if (!code && !arrival->husk && is_end)
		code = PSU_THREAD_E_REPLAYED;
	if (!code)
		return 0;
	return psu_error_set(code,
						 "refused a thread, or its end, from %s: it is at home "
						 "still, has ended, or was farther when it left: end "
						 "that copy of it",
						 arrival->session->peer_name);
}

/** A place for the stack: in the husk's slot, or in a slot of its own. */
static int take_stack(struct psu_arrival *arrival)
{
	const struct psu_statement *statement = arrival->statement;
	uint64_t stack;
	int rc;

	if (!arrival->husk)
		rc = psu_slot_map(statement->slot_addr, statement->slot_len,
						  statement->stack_room, &arrival->slot);
	else if (statement->slot_len == arrival->husk->slot.len &&
			 statement->stack_room == arrival->husk->slot.stack_len)
		rc = psu_slot_thaw(&arrival->husk->slot);
	else
		rc = psu_error_set(PSU_THREAD_E_STATE_INVALID,
						   "%s sent a thread home in another slot, or with "
						   "another space for its stack, than it had left "
						   "with: install the same version on both hosts",
						   arrival->session->peer_name);
	if (rc)
		return rc;
	stack = (uint64_t)psu_arrive_stack(arrival);
	return psu_reserve_take(stack, stack + statement->stack_len);
}

int psu_arrive_take_slot(struct psu_arrival *arrival)
{
	uint64_t addr = arrival->statement->slot_addr;
	int rc;

	if (!psu_slot_addr_valid(addr, arrival->statement->slot_len,
							 PSU_ZONE_COUNT))
		return psu_error_set(PSU_THREAD_E_STATE_INVALID,
							 "%s sent a thread at 0x%" PRIx64 ", which is no "
							 "slot: install the same version on both hosts",
							 arrival->session->peer_name, addr);
	rc = take_husk(arrival);
	if (!rc && arrival->statement->kind == PSU_KIND_MOVE)
		rc = take_stack(arrival);
	return rc;
}

uint8_t *psu_arrive_stack(const struct psu_arrival *arrival)
{
	const struct psu_slot *slot = arrival->husk ? &arrival->husk->slot
												: &arrival->slot;

	return (uint8_t *)(psu_slot_stack_high(slot) -
					   arrival->statement->stack_len);
}

/* ---- decode → check → restore */

/** What decoding cannot know: this program, this processor, this slot. */
static int check_state(struct psu_arrival *arrival)
{
	const struct psu_registers *registers = &arrival->image.registers;

	if (registers->rsp != (uint64_t)psu_arrive_stack(arrival) ||
		!psu_state_valid(registers))
		return psu_error_set(PSU_THREAD_E_STATE_INVALID,
							 "the registers of a thread from %s are out of "
							 "bounds: rsp 0x%" PRIx64 ", MXCSR 0x%" PRIx32
							 ": install the same version on both hosts",
							 arrival->session->peer_name, registers->rsp,
							 registers->mxcsr);
	return 0;
}

/** The restored stack must unwind, with this program's tables, to the chain
 * that was signed. */
static int check_chain(struct psu_arrival *arrival)
{
	const struct psu_stack_bounds bounds = {
		.low = arrival->image.registers.rsp,
		.high = arrival->image.registers.rsp + arrival->statement->stack_len,
	};
	int rc = psu_walk_stack(&psu_process_get()->manifest,
							&arrival->image.registers, &bounds,
							&arrival->chain);

	if (rc)
		return rc;
	if (!psu_chain_equal(&arrival->chain, &arrival->image.chain))
		return psu_error_set(PSU_THREAD_E_CHAIN_MISMATCH,
							 "the stack of a thread from %s does not unwind to "
							 "the %zu frames that were signed: let it try "
							 "again, and look into it if that does not help",
							 arrival->session->peer_name,
							 arrival->image.chain.count);
	return 0;
}

int psu_arrive_decode(struct psu_arrival *arrival)
{
	int rc;

	psu_phase_begin(PSU_PHASE_DECODE);
	rc = psu_seal_verify_body(arrival->verified, arrival->head,
							  psu_arrive_stack(arrival), &arrival->body);
	return rc ? rc : psu_image_decode(arrival->body, &arrival->image);
}

/** Who once had a thread of this process can sign what it likes, but not in
 * the name of those who have had it since it left. */
static int check_return(const struct psu_arrival *arrival)
{
	struct psu_trust *trust = psu_process_get()->trust;
	const struct psu_peers *peers;
	struct psu_made_move latest;
	int rc;

	if (!arrival->husk)
		return 0;
	/* LOCATION may come meanwhile */
	psu_process_lock();
	latest = arrival->husk->latest_move;
	psu_process_unlock();
	/* from where it is known to be: the usual case costs nothing */
	if (psu_digest_equal(&arrival->statement->previous, &latest.digest))
		return 0;
	rc = psu_trust_hold_peers(trust, &peers);
	if (rc)
		return rc;
	rc = psu_itinerary_verify_return(&arrival->itinerary, arrival->statement,
									 &latest, peers,
									 psu_trust_sign_public(trust));
	psu_trust_release_peers(trust);
	return rc;
}

int psu_arrive_check(struct psu_arrival *arrival)
{
	int rc;

	psu_phase_begin(PSU_PHASE_REWALK);
	rc = psu_itinerary_check(&arrival->itinerary, arrival->statement);
	if (!rc)
		rc = check_return(arrival);
	if (!rc && arrival->statement->kind == PSU_KIND_END)
		return 0; /* nothing of it is resumed */
	if (!rc)
		rc = check_state(arrival);
	return rc ? rc : check_chain(arrival);
}

int psu_arrive_judge_again(struct psu_arrival *arrival)
{
	if (psu_clock_now_ms() - arrival->judged_ms < PSU_JUDGED_MS)
		return 0;
	return judge(arrival);
}

/** What others may ask about it already, and its itinerary. */
static void introduce(struct psu_arrival *arrival)
{
	struct psu_traveller *thread = arrival->thread;
	const struct psu_image *image = &arrival->image;

	psu_process_lock();
	memcpy(thread->from, arrival->session->peer.name, sizeof(thread->from));
	if (arrival->statement->kind == PSU_KIND_MOVE)
		memcpy(thread->name, image->name, sizeof(thread->name));
	if (!thread->born_here) {
		thread->home = image->home;
		thread->joinable = image->joinable;
	}
	psu_process_unlock();
	if (image->heap.accessible[0])
		thread->heap = (struct psu_heap *)psu_slot_heap_low(&thread->slot);
	/* a husk's own is of no use any more, even if this comes to nothing */
	psu_itinerary_append(&arrival->itinerary, arrival->sealed);
	thread->itinerary = arrival->itinerary;
}

int psu_arrive_restore(struct psu_arrival *arrival)
{
	struct psu_restoration restoration = {
		.image = &arrival->image,
		.restored = psu_arrive_answer,
		.argument = arrival,
	};
	int rc = 0;

	arrival->thread = arrival->husk;
	if (!arrival->thread)
		rc = psu_traveller_admit(&arrival->statement->thread, &arrival->slot,
								 &arrival->thread);
	if (rc)
		return rc;
	introduce(arrival);
	return psu_traveller_restore(arrival->thread, &restoration);
}

/* ---- whatever came of it */

void psu_arrive_undo(struct psu_arrival *arrival)
{
	struct psu_process *process = psu_process_get();

	if (arrival->thread || arrival->husk)
		psu_traveller_withdraw(arrival->thread ? arrival->thread
											   : arrival->husk);
	arrival->thread = arrival->husk = NULL;
	psu_slot_unmap(&arrival->slot);
	psu_process_lock();
	process->openings_count += arrival->opening_taken;
	process->guests_count -= arrival->is_guest;
	psu_process_announce(psu_process_about(&process->openings_count));
	psu_process_announce(psu_process_about(&process->guests_count));
	psu_process_unlock();
	arrival->opening_taken = arrival->is_guest = false;
}

void psu_arrive_fini(struct psu_arrival *arrival)
{
	psu_arrive_leave_place(arrival);
	psu_chain_free(&arrival->chain);
	psu_image_fini(&arrival->image);
	psu_verified_body_free(arrival->body);
	psu_verified_free(arrival->verified);
	free(arrival->head);
}
