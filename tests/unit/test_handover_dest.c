/* SPDX-License-Identifier: ISC */
/*
 * test_handover_dest.c - every transition of the destination of a move
 */
#include "test_handover_dest.h"

typedef struct psu_dest_answer call(void);

static struct psu_dest_answer call_offer(void)
{
	return offer(&MOVE, false);
}
static struct psu_dest_answer call_ready(void)
{
	return psu_dest_ready(&dest, &MOVE, TOKEN);
}
static struct psu_dest_answer call_refuse(void)
{
	return psu_dest_refuse(&dest, &MOVE, -33);
}
static struct psu_dest_answer call_expire(void)
{
	return psu_dest_expire(&dest, &MOVE);
}
static struct psu_dest_answer call_wrong_token(void)
{
	struct psu_dest_request ask = request(&ME);

	ask.token++;
	return psu_dest_commit(&dest, &ask);
}
static struct psu_dest_answer call_status(void)
{
	struct psu_dest_request ask = request(&ME);

	return psu_dest_status(&dest, &ask);
}
static struct psu_dest_answer call_early_cancel(void)
{
	struct psu_dest_request ask = request(&NONE);

	return psu_dest_cancel(&dest, &ask);
}
/* in which state, what comes: what is said, done, and the state after it */
static const struct {
	enum psu_dest_state from;
	call *call;
	enum psu_dest_action say;
	const char *flags;
	int code;
	enum psu_dest_state to;
} transitions[] = {
	{NO, call_offer, PSU_DEST_SAY_NOTHING, "r", 0, ARR},
	{ARR, call_offer, PSU_DEST_SAY_UNKNOWN, "", 0, ARR},
	{PRE, call_offer, PSU_DEST_SAY_PREPARED, "", 0, PRE},
	{RUN, call_offer, PSU_DEST_SAY_RUNNING, "", 0, RUN},
	{ABO, call_offer, PSU_DEST_SAY_ABORTED, "", -92, ABO},
	{FOR, call_offer, PSU_DEST_SAY_UNKNOWN, "", 0, FOR},

	{NO, call_ready, PSU_DEST_SAY_NOTHING, "d", 0, NO},
	{ARR, call_ready, PSU_DEST_SAY_PREPARED, "", 0, PRE},
	{PRE, call_ready, PSU_DEST_SAY_NOTHING, "", 0, PRE},
	{RUN, call_ready, PSU_DEST_SAY_NOTHING, "", 0, RUN},
	{ABO, call_ready, PSU_DEST_SAY_ABORTED, "d", -92, ABO},
	{FOR, call_ready, PSU_DEST_SAY_NOTHING, "", 0, FOR},

	{NO, call_refuse, PSU_DEST_SAY_NOTHING, "d", 0, NO},
	{ARR, call_refuse, PSU_DEST_SAY_ABORTED, "d", -33, ABO},
	{PRE, call_refuse, PSU_DEST_SAY_ABORTED, "d", -33, ABO},
	{RUN, call_refuse, PSU_DEST_SAY_NOTHING, "", 0, RUN},
	{ABO, call_refuse, PSU_DEST_SAY_ABORTED, "d", -92, ABO},
	{FOR, call_refuse, PSU_DEST_SAY_NOTHING, "", 0, FOR},

	{NO, call_expire, PSU_DEST_SAY_NOTHING, "", 0, NO},
	{ARR, call_expire, PSU_DEST_SAY_NOTHING, "", 0, ARR},
	{PRE, call_expire, PSU_DEST_SAY_ABORTED, "d", EXPIRED, ABO},
	{RUN, call_expire, PSU_DEST_SAY_NOTHING, "", 0, RUN},
	{ABO, call_expire, PSU_DEST_SAY_NOTHING, "", 0, ABO},
	{FOR, call_expire, PSU_DEST_SAY_NOTHING, "", 0, FOR},

	{NO, call_commit, PSU_DEST_SAY_ABORTED, "", EXPIRED, ABO},
	{ARR, call_commit, PSU_DEST_SAY_ABORTED, "d", EXPIRED, ABO},
	{PRE, call_commit, PSU_DEST_SAY_RUNNING, "s", 0, RUN},
	{PRE, call_wrong_token, PSU_DEST_SAY_ABORTED, "d", EXPIRED, ABO},
	{RUN, call_commit, PSU_DEST_SAY_RUNNING, "", 0, RUN},
	{RUN, call_wrong_token, PSU_DEST_SAY_RUNNING, "", 0, RUN},
	{ABO, call_commit, PSU_DEST_SAY_ABORTED, "", -92, ABO},
	{FOR, call_commit, PSU_DEST_SAY_UNKNOWN, "", 0, FOR},

	{NO, call_status, PSU_DEST_SAY_UNKNOWN, "", 0, NO},
	{ARR, call_status, PSU_DEST_SAY_UNKNOWN, "", 0, ARR},
	{PRE, call_status, PSU_DEST_SAY_PREPARED, "", 0, PRE},
	{RUN, call_status, PSU_DEST_SAY_RUNNING, "", 0, RUN},
	{ABO, call_status, PSU_DEST_SAY_ABORTED, "", -92, ABO},
	{FOR, call_status, PSU_DEST_SAY_UNKNOWN, "", 0, FOR},

	{NO, call_cancel, PSU_DEST_SAY_ABORTED, "", CANCELLED, ABO},
	{NO, call_early_cancel, PSU_DEST_SAY_ABORTED, "", CANCELLED, ABO},
	{ARR, call_cancel, PSU_DEST_SAY_ABORTED, "d", CANCELLED, ABO},
	{PRE, call_cancel, PSU_DEST_SAY_ABORTED, "d", CANCELLED, ABO},
	{PRE, call_early_cancel, PSU_DEST_SAY_ABORTED, "d", CANCELLED, ABO},
	{RUN, call_cancel, PSU_DEST_SAY_RUNNING, "", 0, RUN},
	{ABO, call_cancel, PSU_DEST_SAY_ABORTED, "", -92, ABO},
	{FOR, call_cancel, PSU_DEST_SAY_UNKNOWN, "", 0, FOR},

	{NO, call_forget, PSU_DEST_SAY_NOTHING, "", 0, NO},
	{ARR, call_forget, PSU_DEST_SAY_NOTHING, "", 0, ARR},
	{PRE, call_forget, PSU_DEST_SAY_NOTHING, "", 0, PRE},
	{RUN, call_forget, PSU_DEST_SAY_NOTHING, "", 0, FOR},
	{ABO, call_forget, PSU_DEST_SAY_NOTHING, "", 0, ABO},
	{FOR, call_forget, PSU_DEST_SAY_NOTHING, "", 0, FOR},
};
#define TRANSITIONS ((int)(sizeof(transitions) / sizeof(transitions[0])))

START_TEST(transition)
{
	dest_in(transitions[_i].from);
	check_answer(transitions[_i].call(), transitions[_i].say,
				 transitions[_i].flags, transitions[_i].code);
	ck_assert_int_eq(state_of(&MOVE), transitions[_i].to);
}
END_TEST

START_TEST(one_flight_starts_when_ready)
{
	begin_dest();
	check_answer(offer(&MOVE, true), PSU_DEST_SAY_NOTHING, "r", 0);
	check_answer(call_ready(), PSU_DEST_SAY_RUNNING, "s", 0);
	check_answer(call_cancel(), PSU_DEST_SAY_RUNNING, "", 0);
}
END_TEST

START_TEST(cancelled_before_its_offer_comes)
{
	begin_dest();
	check_answer(call_cancel(), PSU_DEST_SAY_ABORTED, "", CANCELLED);
	check_answer(call_forget(), PSU_DEST_SAY_NOTHING, "", 0);
	check_answer(offer(&MOVE, true), PSU_DEST_SAY_ABORTED, "", CANCELLED);
	check_answer(call_ready(), PSU_DEST_SAY_ABORTED, "d", CANCELLED);
}
END_TEST

/** The five requests, and a one-flight offer, that name process @named. */
static void ask_all(const struct psu_digest *peer, const struct psu_id *named,
					enum psu_dest_action say)
{
	struct psu_dest_request ask = request(named);

	ask.peer = *peer;
	check_answer(psu_dest_commit(&dest, &ask), say, "", 0);
	check_answer(psu_dest_status(&dest, &ask), say, "", 0);
	check_answer(psu_dest_cancel(&dest, &ask), say, "", 0);
	check_answer(psu_dest_forget(&dest, &ask), PSU_DEST_SAY_NOTHING, "", 0);
}

START_TEST(another_process_is_not_spoken_for)
{
	struct psu_dest_offer statement = {.migration = MOVE,
									   .thread = THREAD,
									   .generation = 5,
									   .peer = PEER,
									   .incarnation = OTHER,
									   .one_flight = true};
	enum psu_dest_state states[] = {NO, ARR, PRE, RUN, ABO, FOR};

	dest_in(states[_i]);
	ask_all(&PEER, &OTHER, PSU_DEST_PROVE_DEATH);
	check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_PROVE_DEATH, "",
				 0);
	statement.incarnation = NONE;
	check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_PROVE_DEATH, "",
				 0);
	ck_assert_int_eq(state_of(&MOVE), states[_i]);
	ck_assert_uint_eq(dest.count, states[_i] == NO ? 0 : 1);
}
END_TEST

START_TEST(a_peer_touches_its_own_moves_only)
{
	struct psu_dest_offer statement = {
		.migration = MOVE, .thread = THREAD, .generation = 6, .peer = STRANGER};
	enum psu_dest_state states[] = {ARR, PRE, RUN, ABO, FOR};

	dest_in(states[_i]);
	ask_all(&STRANGER, &ME, PSU_DEST_SAY_UNKNOWN);
	check_answer(psu_dest_offer(&dest, &statement), PSU_DEST_SAY_UNKNOWN, "",
				 0);
	psu_dest_peer_gone(&dest, &STRANGER);
	ck_assert_int_eq(state_of(&MOVE), states[_i]);
	ck_assert_uint_eq(dest.count, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover_dest");
	TCase *cases = tcase_create("dest");

	tcase_add_loop_test(cases, transition, 0, TRANSITIONS);
	tcase_add_test(cases, one_flight_starts_when_ready);
	tcase_add_test(cases, cancelled_before_its_offer_comes);
	tcase_add_loop_test(cases, another_process_is_not_spoken_for, 0, 6);
	tcase_add_loop_test(cases, a_peer_touches_its_own_moves_only, 0, 5);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
