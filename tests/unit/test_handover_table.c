/* SPDX-License-Identifier: ISC */
/*
 * test_handover_table.c - what the destination remembers, and for how long:
 * generations, quotas, records that make room, peers that have gone
 */
#include "test_handover_dest.h"

START_TEST(generations_grow)
{
	struct psu_dest_offer statement = {
		.migration = numbered(1), .thread = THREAD, .peer = PEER};
	const bool committed = _i != 0; /* RUNNING, FORGOTTEN; not PREPARED */

	dest_in((enum psu_dest_state[]){PRE, RUN, FOR}[_i]);
	statement.generation = 4;
	check_answer(psu_dest_offer(&dest, &statement),
				 committed ? PSU_DEST_SAY_ABORTED : PSU_DEST_SAY_NOTHING,
				 committed ? "" : "r", committed ? PSU_THREAD_E_REPLAYED : 0);
	statement.migration = numbered(2);
	statement.generation = 5;
	statement.peer = STRANGER;
	check_answer(psu_dest_offer(&dest, &statement),
				 committed ? PSU_DEST_SAY_ABORTED : PSU_DEST_SAY_NOTHING,
				 committed ? "" : "r", committed ? PSU_THREAD_E_REPLAYED : 0);
	statement.migration = numbered(3);
	statement.generation = 6;
	check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_SAY_NOTHING, "r",
				 0);
	statement.migration = numbered(4);
	statement.generation = 5;
	statement.thread = OTHER;
	check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_SAY_NOTHING, "r",
				 0);
}
END_TEST

/** @count moves of @peer that are on their way here. */
static void fill(const struct psu_digest *peer, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		dest.records[dest.count++] = (struct psu_dest_record){
			.migration = numbered(i),
			.thread = numbered(i),
			.peer = *peer,
			.state = PSU_DEST_ARRIVING,
		};
}

START_TEST(a_peer_has_its_quota)
{
	struct psu_dest_request ask = request(&ME);
	const struct psu_id last = numbered(5000);

	begin_dest();
	fill(&PEER, 0, PSU_DEST_PEER_RECORDS_MAX - 1);
	check_answer(offer(&last, false), PSU_DEST_SAY_NOTHING, "r", 0);
	check_answer(offer(&MOVE, _i == 1), PSU_DEST_SAY_ABORTED, "",
				 PSU_THREAD_E_BUSY);
	check_answer(psu_dest_cancel(&dest, &ask), PSU_DEST_SAY_UNKNOWN, "", 0);
	check_answer(psu_dest_commit(&dest, &ask), PSU_DEST_SAY_UNKNOWN, "", 0);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX);
	ask.peer = STRANGER;
	check_answer(psu_dest_cancel(&dest, &ask), PSU_DEST_SAY_ABORTED, "",
				 CANCELLED);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX + 1);
}
END_TEST

START_TEST(a_process_has_its_limit)
{
	const struct psu_id last = numbered(5000);

	begin_dest();
	for (uint8_t i = 0; dest.count < PSU_DEST_RECORDS_MAX - 1; i++) {
		struct psu_digest peer = {.bytes = {i}};
		size_t room = PSU_DEST_RECORDS_MAX - 1 - dest.count;

		fill(&peer, dest.count,
			 room < PSU_DEST_PEER_RECORDS_MAX ? room
											  : PSU_DEST_PEER_RECORDS_MAX);
	}
	check_answer(offer(&last, false), PSU_DEST_SAY_NOTHING, "r", 0);
	check_answer(offer(&MOVE, false), PSU_DEST_SAY_ABORTED, "",
				 PSU_THREAD_E_BUSY);
	check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
	ck_assert_uint_eq(dest.count, PSU_DEST_RECORDS_MAX);
}
END_TEST

/* Oldest first: a tombstone of an unread offer, one that runs, one that waits,
 * then two that refuse only what was read. */
START_TEST(spent_records_make_room)
{
	const enum psu_dest_state states[] = {ABO, RUN, PRE, FOR, ABO};
	const struct psu_id second = numbered(5000), third = numbered(5001);

	begin_dest();
	fill(&PEER, 0, PSU_DEST_PEER_RECORDS_MAX);
	for (size_t i = 0; i < 5; i++)
		dest.records[i].state = states[i];
	dest.records[0].thread = NONE;
	check_answer(call_cancel(), PSU_DEST_SAY_ABORTED, "", CANCELLED);
	check_answer(offer(&second, false), PSU_DEST_SAY_NOTHING, "r", 0);
	check_answer(offer(&third, false), PSU_DEST_SAY_ABORTED, "",
				 PSU_THREAD_E_BUSY);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX);
	for (size_t i = 0; i < PSU_DEST_PEER_RECORDS_MAX; i++) {
		struct psu_id id = numbered(i);

		ck_assert_int_eq(state_of(&id), i < 3 ? states[i] : i < 5 ? NO : ARR);
	}
	ck_assert_int_eq(state_of(&MOVE), ABO);
	ck_assert_int_eq(state_of(&second), ARR);
}
END_TEST

START_TEST(others_spent_records_stay)
{
	begin_dest();
	fill(&STRANGER, 5000, 1);
	dest.records[0].state = FOR;
	fill(&PEER, 0, PSU_DEST_PEER_RECORDS_MAX);
	check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX + 1);
}
END_TEST

START_TEST(gone_peer_leaves_what_lives)
{
	const enum psu_dest_state states[] = {ARR, PRE, RUN, ABO, FOR};
	const enum psu_dest_state after[] = {ARR, PRE, RUN, NO, NO};

	begin_dest();
	fill(&PEER, 0, 5);
	fill(&STRANGER, 5, 5);
	for (size_t i = 0; i < 10; i++)
		dest.records[i].state = states[i % 5];
	psu_dest_peer_gone(&dest, &PEER);
	ck_assert_uint_eq(dest.count, 8);
	for (size_t i = 0; i < 10; i++) {
		struct psu_id id = numbered(i);

		ck_assert_int_eq(state_of(&id), i < 5 ? after[i] : states[i - 5]);
	}
}
END_TEST

START_TEST(acknowledged_by_forget)
{
	dest_in(RUN);
	ck_assert(psu_dest_acknowledged(&dest, &OTHER));
	ck_assert(!psu_dest_acknowledged(&dest, &MOVE));
	psu_dest_peer_gone(&dest, &PEER);
	ck_assert(!psu_dest_acknowledged(&dest, &MOVE));
	call_forget();
	ck_assert(psu_dest_acknowledged(&dest, &MOVE));
	psu_dest_peer_gone(&dest, &PEER);
	ck_assert_uint_eq(dest.count, 0);
	ck_assert(psu_dest_acknowledged(&dest, &MOVE));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover_table");
	TCase *cases = tcase_create("table");

	tcase_add_loop_test(cases, generations_grow, 0, 3);
	tcase_add_loop_test(cases, a_peer_has_its_quota, 0, 2);
	tcase_add_test(cases, a_process_has_its_limit);
	tcase_add_test(cases, spent_records_make_room);
	tcase_add_test(cases, others_spent_records_stay);
	tcase_add_test(cases, gone_peer_leaves_what_lives);
	tcase_add_test(cases, acknowledged_by_forget);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
