/* SPDX-License-Identifier: ISC */
/*
 * test_handover_dest.h - a table of moves in any state, and what is asked
 */
#ifndef TEST_HANDOVER_DEST_H
#define TEST_HANDOVER_DEST_H

#include "test_handover.h"

#include "handover/dest_table.h"

#include <string.h>

static const struct psu_id MOVE = {.bytes = {0xaa}};
static const struct psu_id THREAD = {.bytes = {0xbb}};
static const struct psu_digest PEER = {.bytes = {0xc1}};
static const struct psu_digest STRANGER = {.bytes = {0xc2}};

static struct psu_dest dest; /* too large for a stack */

static inline void begin_dest(void)
{
	psu_dest_init(&dest, &ME);
}

static inline struct psu_id numbered(size_t number)
{
	return (struct psu_id){
		.bytes = {0xdd, (uint8_t)(number >> 8), (uint8_t)number}};
}

static inline struct psu_dest_answer offer(const struct psu_id *migration,
										   bool one_flight)
{
	const struct psu_dest_offer statement = {
		.migration = *migration,
		.thread = THREAD,
		.generation = 5,
		.peer = PEER,
		.incarnation = one_flight ? ME : NONE,
		.one_flight = one_flight,
	};

	return psu_dest_offer(&dest, &statement);
}

static inline struct psu_dest_request request(const struct psu_id *incarnation)
{
	return (struct psu_dest_request){.migration = MOVE,
									 .incarnation = *incarnation,
									 .peer = PEER,
									 .token = TOKEN};
}

static inline void check_answer(struct psu_dest_answer answer,
								enum psu_dest_action say, const char *flags,
								int code)
{
	ck_assert_int_eq(answer.say, say);
	ck_assert(answer.receive == (strchr(flags, 'r') != NULL));
	ck_assert(answer.start == (strchr(flags, 's') != NULL));
	ck_assert(answer.discard == (strchr(flags, 'd') != NULL));
	ck_assert_int_eq(answer.code, code);
	ck_assert_uint_eq(answer.token, say == PSU_DEST_SAY_PREPARED ? TOKEN : 0);
}

/** A table in which MOVE is in @state; 0: not in it. */
static inline void dest_in(enum psu_dest_state state)
{
	struct psu_dest_request ask = request(&ME);

	begin_dest();
	if (state == 0)
		return;
	check_answer(offer(&MOVE, false), PSU_DEST_SAY_NOTHING, "r", 0);
	if (state == PSU_DEST_ABORTED)
		check_answer(psu_dest_refuse(&dest, &MOVE, -92), PSU_DEST_SAY_ABORTED,
					 "d", -92);
	if (state == PSU_DEST_ABORTED || state == PSU_DEST_ARRIVING)
		return;
	check_answer(psu_dest_ready(&dest, &MOVE, TOKEN), PSU_DEST_SAY_PREPARED, "",
				 0);
	if (state == PSU_DEST_PREPARED)
		return;
	check_answer(psu_dest_commit(&dest, &ask), PSU_DEST_SAY_RUNNING, "s", 0);
	if (state == PSU_DEST_FORGOTTEN)
		check_answer(psu_dest_forget(&dest, &ask), PSU_DEST_SAY_NOTHING, "", 0);
}

static inline enum psu_dest_state state_of(const struct psu_id *migration)
{
	const struct psu_dest_record *record = psu_dest_find(&dest, migration);

	ck_assert(!record || record->state != 0);
	return record ? record->state : 0;
}

#define NO 0
#define ARR PSU_DEST_ARRIVING
#define PRE PSU_DEST_PREPARED
#define RUN PSU_DEST_RUNNING
#define ABO PSU_DEST_ABORTED
#define FOR PSU_DEST_FORGOTTEN
#define EXPIRED PSU_THREAD_E_RESERVATION_EXPIRED
#define CANCELLED PSU_THREAD_E_CANCELLED

/** A COMMIT, a CANCEL and a FORGET of MOVE by its peer. */
static inline struct psu_dest_answer call_commit(void)
{
	struct psu_dest_request ask = request(&ME);

	return psu_dest_commit(&dest, &ask);
}
static inline struct psu_dest_answer call_cancel(void)
{
	struct psu_dest_request ask = request(&ME);

	return psu_dest_cancel(&dest, &ask);
}
static inline struct psu_dest_answer call_forget(void)
{
	struct psu_dest_request ask = request(&ME);

	return psu_dest_forget(&dest, &ask);
}

#endif
