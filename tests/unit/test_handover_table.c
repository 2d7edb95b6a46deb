/* SPDX-License-Identifier: ISC */
/*
 * test_handover_table.c - what the destination remembers, and for how long:
 * generations, ENDs, quotas, records that make room, peers that have gone
 */
#include "test_handover_dest.h"

/** Offer generation @generation of THREAD as a move of its own. */
static void offer_next(uint64_t generation, const struct psu_digest *peer,
					   int code)
{
	static size_t number;
	const struct psu_id move = numbered(++number);
	const struct psu_dest_offer statement = {.migration = move,
											 .thread = THREAD,
											 .generation = generation,
											 .peer = *peer};

	check_answer(psu_dest_offer(&dest, &statement),
				 code ? PSU_DEST_SAY_ABORTED : PSU_DEST_SAY_NOTHING,
				 code ? "" : "r", code);
	ck_assert_int_eq(state_of(&move), code ? ABO : ARR);
}

START_TEST(generations_grow)
{
	const struct psu_dest_offer other = {
		.migration = OTHER, .thread = OTHER, .generation = 5, .peer = PEER};

	dest_in(_i == 0 ? RUN : FOR);
	offer_next(4, &PEER, PSU_THREAD_E_REPLAYED);
	offer_next(5, &STRANGER, PSU_THREAD_E_REPLAYED);
	offer_next(6, &PEER, 0);
	offer_next(5, &PEER, PSU_THREAD_E_REPLAYED);
	check_answer(psu_dest_offer(&dest, &other), PSU_DEST_SAY_NOTHING, "r", 0);
}
END_TEST

/* Whether it will be started nobody knows: REPLAYED would say that it was. */
START_TEST(one_arrival_at_a_time)
{
	const uint64_t generations[] = {4, 5, 6};

	dest_in(_i < 3 ? ARR : PRE);
	offer_next(generations[_i % 3], &PEER, PSU_THREAD_E_BUSY);
	offer_next(generations[_i % 3], &STRANGER, PSU_THREAD_E_BUSY);
	psu_dest_refuse(&dest, &MOVE, -92);
	offer_next(generations[_i % 3], &PEER, 0);
}
END_TEST

START_TEST(a_taken_end_is_forgotten)
{
	const struct psu_dest_offer statement = {.migration = MOVE,
											 .thread = THREAD,
											 .generation = 5,
											 .peer = PEER,
											 .incarnation = ME,
											 .one_flight = true,
											 .is_end = true};

	begin_dest();
	check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_SAY_NOTHING, "r",
				 0);
	offer_next(5, &PEER, PSU_THREAD_E_BUSY);
	check_answer(psu_dest_ready(&dest, &MOVE, TOKEN), PSU_DEST_SAY_RUNNING, "s",
				 0);
	ck_assert_int_eq(state_of(&MOVE), FOR);
	ck_assert(psu_dest_acknowledged(&dest, &MOVE));
	offer_next(5, &PEER, PSU_THREAD_E_REPLAYED);
}
END_TEST

/** @count moves of @peer that are on their way here. */
static void fill(const struct psu_digest *peer, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		const struct psu_dest_offer statement = {.migration = numbered(i),
												 .thread = numbered(i),
												 .generation = 1,
												 .peer = *peer};

		check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_SAY_NOTHING,
					 "r", 0);
	}
}

/** A move of @peer that is on its way gets into that state. */
static void bring(const struct psu_digest *peer, size_t number,
				  enum psu_dest_state state)
{
	const struct psu_dest_request ask = {.migration = numbered(number),
										 .incarnation = ME,
										 .peer = *peer,
										 .token = TOKEN};

	if (state == ABO)
		psu_dest_refuse(&dest, &ask.migration, -92);
	if (state == PRE || state == RUN || state == FOR)
		psu_dest_ready(&dest, &ask.migration, TOKEN);
	if (state == RUN || state == FOR)
		psu_dest_commit(&dest, &ask);
	if (state == FOR)
		psu_dest_forget(&dest, &ask);
	ck_assert_int_eq(state_of(&ask.migration), state);
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

/* Four peers have filled it.  Others get what these do not need. */
START_TEST(a_full_process_takes_from_who_has_most)
{
	const struct psu_digest peers[] = {{.bytes = {1}},
									   {.bytes = {2}},
									   {.bytes = {3}},
									   {.bytes = {4}},
									   {.bytes = {5}}};
	const size_t quota = PSU_DEST_PEER_RECORDS_MAX;
	const struct psu_id ids[] = {numbered(7), numbered(quota + 7),
								 numbered(2 * quota + 7)};

	begin_dest();
	for (size_t i = 0; i < 4; i++)
		fill(&peers[i], i * quota, quota - (i == 2));
	fill(&peers[4], 5000, 1);
	check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
	bring(&peers[2], 2 * quota + 7, FOR);
	bring(&peers[1], quota + 7, ABO);
	fill(&peers[4], 5001, 1);
	ck_assert_int_eq(state_of(&ids[1]), NO);
	fill(&peers[4], 5002, 1);
	ck_assert_int_eq(state_of(&ids[2]), NO);
	check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
	bring(&peers[0], 7, ABO);
	bring(&peers[4], 5000, ABO);
	fill(&peers[4], 5003, 1);
	ck_assert_int_eq(state_of(&ids[0]), ABO);
	ck_assert_uint_eq(dest.count, PSU_DEST_RECORDS_MAX);
}
END_TEST

/** How many of the moves from @first on are still known. */
static size_t count_known(size_t first, size_t count)
{
	size_t known = 0;

	for (size_t i = first; i < first + count; i++) {
		const struct psu_id id = numbered(i);

		known += psu_dest_find(&dest, &id) != NULL;
	}
	return known;
}

/* A tombstone of an unread offer, one that runs, one that waits; and then two
 * that refuse only what was read, of which the first became so last. */
START_TEST(spent_records_make_room)
{
	const struct psu_id second = numbered(5000), third = numbered(5001);
	const struct psu_id ids[] = {numbered(3), numbered(4)};

	begin_dest();
	check_answer(call_cancel(), PSU_DEST_SAY_ABORTED, "", CANCELLED);
	fill(&PEER, 1, PSU_DEST_PEER_RECORDS_MAX - 1);
	bring(&PEER, 1, RUN);
	bring(&PEER, 2, PRE);
	bring(&PEER, 4, ABO);
	bring(&PEER, 3, FOR);
	check_answer(offer(&second, false), PSU_DEST_SAY_NOTHING, "r", 0);
	ck_assert_int_eq(state_of(&ids[0]), FOR);
	ck_assert_int_eq(state_of(&ids[1]), NO);
	psu_dest_refuse(&dest, &second, -92);
	check_answer(offer(&third, false), PSU_DEST_SAY_NOTHING, "r", 0);
	ck_assert_int_eq(state_of(&ids[0]), NO);
	ck_assert_int_eq(state_of(&second), ABO);
	psu_dest_refuse(&dest, &third, -92);
	fill(&PEER, 6000, 2);
	check_answer(offer(&second, false), PSU_DEST_SAY_ABORTED, "",
				 PSU_THREAD_E_BUSY);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX);
	ck_assert_uint_eq(count_known(1, PSU_DEST_PEER_RECORDS_MAX - 1),
					  PSU_DEST_PEER_RECORDS_MAX - 3);
	ck_assert_int_eq(state_of(&MOVE), ABO);
}
END_TEST

/* It is told twice that it is aborted: it becomes spent once. */
START_TEST(a_record_is_spent_once)
{
	begin_dest();
	fill(&PEER, 0, PSU_DEST_PEER_RECORDS_MAX);
	bring(&PEER, 7, ABO);
	bring(&PEER, 7, ABO);
	fill(&PEER, 5000, 1);
	check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX);
}
END_TEST

START_TEST(others_spent_records_stay)
{
	begin_dest();
	fill(&STRANGER, 5000, 1);
	bring(&STRANGER, 5000, FOR);
	fill(&PEER, 0, PSU_DEST_PEER_RECORDS_MAX);
	check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX + 1);
}
END_TEST

/* A thread that comes and goes leaves records, of which one tells when it was
 * here last, also when the others make room. */
START_TEST(what_was_started_last_is_known)
{
	struct psu_dest_offer statement = {.thread = THREAD, .peer = PEER};

	begin_dest();
	for (size_t i = 1; i <= 3 * PSU_DEST_PEER_RECORDS_MAX; i++) {
		statement.migration = numbered(i);
		statement.generation = i;
		check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_SAY_NOTHING,
					 "r", 0);
		bring(&PEER, i, FOR);
		ck_assert_ptr_eq(psu_dest_next(&dest, &THREAD, NULL),
						 psu_dest_find(&dest, &statement.migration));
		ck_assert_ptr_null(psu_dest_next(
			&dest, &THREAD, psu_dest_find(&dest, &statement.migration)));
	}
	statement.migration = MOVE;
	check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_SAY_ABORTED, "",
				 PSU_THREAD_E_REPLAYED);
}
END_TEST

/* More peers than a process can know at once, one after the other. */
START_TEST(gone_peers_make_room_for_others)
{
	for (size_t i = 0; i < 2 * PSU_DEST_PEERS_MAX; i++) {
		const struct psu_digest peer = {
			.bytes = {0xee, (uint8_t)(i >> 8), (uint8_t)i}};

		if (i == 0)
			begin_dest();
		fill(&peer, i, 1);
		if (i + 1 < PSU_DEST_PEERS_MAX)
			continue;
		check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
		bring(&peer, i, ABO);
		psu_dest_peer_gone(&dest, &peer);
		ck_assert_uint_eq(dest.count, PSU_DEST_PEERS_MAX - 1);
	}
}
END_TEST

START_TEST(gone_peer_leaves_what_lives)
{
	const enum psu_dest_state states[] = {ARR, PRE, RUN, ABO, FOR};
	const enum psu_dest_state after[] = {ARR, PRE, RUN, NO, NO};

	begin_dest();
	fill(&PEER, 0, 5);
	fill(&STRANGER, 5, 5);
	check_answer(call_cancel(), PSU_DEST_SAY_ABORTED, "", CANCELLED);
	for (size_t i = 0; i < 10; i++)
		bring(i < 5 ? &PEER : &STRANGER, i, states[i % 5]);
	psu_dest_peer_gone(&dest, &PEER);
	ck_assert_uint_eq(dest.count, 8);
	for (size_t i = 0; i < 10; i++) {
		struct psu_id id = numbered(i);

		ck_assert_int_eq(state_of(&id), i < 5 ? after[i] : states[i - 5]);
		ck_assert((psu_dest_next(&dest, &id, NULL) != NULL) ==
				  (state_of(&id) != NO && state_of(&id) != ABO));
	}
	ck_assert_int_eq(state_of(&MOVE), NO);
	/* those that went are used again */
	fill(&PEER, 100, PSU_DEST_PEER_RECORDS_MAX - 3);
	check_answer(call_cancel(), PSU_DEST_SAY_UNKNOWN, "", 0);
	ck_assert_uint_eq(count_known(0, 10), 8);
	ck_assert_uint_eq(dest.count, PSU_DEST_PEER_RECORDS_MAX + 5);
}
END_TEST

START_TEST(acknowledged_by_forget)
{
	dest_in(RUN);
	ck_assert(psu_dest_acknowledged(&dest, &OTHER));
	ck_assert(!psu_dest_acknowledged(&dest, &MOVE));
	psu_dest_peer_gone(&dest, &PEER);
	ck_assert(!psu_dest_acknowledged(&dest, &MOVE));
	ck_assert(psu_id_equal(psu_dest_unacknowledged(&dest), &MOVE));
	call_forget();
	ck_assert(psu_dest_acknowledged(&dest, &MOVE));
	ck_assert_ptr_null(psu_dest_unacknowledged(&dest));
	psu_dest_peer_gone(&dest, &PEER);
	ck_assert_uint_eq(dest.count, 0);
	ck_assert(psu_dest_acknowledged(&dest, &MOVE));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover_table");
	TCase *cases = tcase_create("table");

	tcase_add_loop_test(cases, generations_grow, 0, 2);
	tcase_add_loop_test(cases, one_arrival_at_a_time, 0, 6);
	tcase_add_test(cases, a_taken_end_is_forgotten);
	tcase_add_loop_test(cases, a_peer_has_its_quota, 0, 2);
	tcase_add_test(cases, a_process_has_its_limit);
	tcase_add_test(cases, a_full_process_takes_from_who_has_most);
	tcase_add_test(cases, spent_records_make_room);
	tcase_add_test(cases, a_record_is_spent_once);
	tcase_add_test(cases, others_spent_records_stay);
	tcase_add_test(cases, what_was_started_last_is_known);
	tcase_add_test(cases, gone_peers_make_room_for_others);
	tcase_add_test(cases, gone_peer_leaves_what_lives);
	tcase_add_test(cases, acknowledged_by_forget);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
