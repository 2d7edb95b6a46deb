/* SPDX-License-Identifier: ISC */
/*
 * test_handover_source.c - every transition of the source of a move
 *
 * tests/simulate/ shows that both sides work together; here each late,
 * repeated or foreign answer has a test of its own.
 */
#include "test_handover.h"

static unsigned feed(struct psu_source *source, enum psu_source_event_kind kind,
					 const struct psu_id *incarnation, int code)
{
	const struct psu_source_event event = {
		.kind = kind,
		.incarnation = *incarnation,
		.token = kind == PSU_SOURCE_PREPARED ? TOKEN : 0,
		.code = code,
	};

	return psu_source_step(source, &event);
}

/** A source in @state, with process ME promised the thread if in doubt. */
static struct psu_source source_in(enum psu_source_state state, bool one_flight)
{
	struct psu_source source;

	psu_source_begin(&source, one_flight, &ME);
	if (state == PSU_SOURCE_FROZEN)
		return source;
	if (state == PSU_SOURCE_NOT_MIGRATED) {
		feed(&source, PSU_SOURCE_LINE_BROKE, &NONE, -33);
		return source;
	}
	feed(&source, one_flight ? PSU_SOURCE_SENDING_LAST : PSU_SOURCE_PREPARED,
		 &ME, 0);
	if (state == PSU_SOURCE_RUNNING_AT)
		feed(&source, PSU_SOURCE_RUNNING, &ME, 0);
	if (state == PSU_SOURCE_LOST_WITH)
		feed(&source, PSU_SOURCE_DEAD, &ME, 0);
	ck_assert_int_eq(source.state, state);
	return source;
}

static const struct {
	enum psu_source_event_kind kind;
	int code, code_wanted;
	unsigned actions_wanted;
} give_ups[] = {
	{PSU_SOURCE_LINE_BROKE, PSU_THREAD_E_CONNECTION_LOST,
	 PSU_THREAD_E_CONNECTION_LOST, PSU_SOURCE_END},
	{PSU_SOURCE_TIMED_OUT, PSU_THREAD_E_HOST_SILENT, PSU_THREAD_E_HOST_SILENT,
	 PSU_SOURCE_SEND_CANCEL | PSU_SOURCE_END},
	{PSU_SOURCE_ABORTED, PSU_THREAD_E_BUSY, PSU_THREAD_E_BUSY, PSU_SOURCE_END},
	{PSU_SOURCE_ABORTED, 0, PSU_THREAD_E_PROTOCOL, PSU_SOURCE_END},
	{PSU_SOURCE_ABORTED, 1, PSU_THREAD_E_PROTOCOL, PSU_SOURCE_END},
	{PSU_SOURCE_UNKNOWN, 0, PSU_THREAD_E_PROTOCOL,
	 PSU_SOURCE_SEND_CANCEL | PSU_SOURCE_END},
	{PSU_SOURCE_RUNNING, 0, PSU_THREAD_E_PROTOCOL,
	 PSU_SOURCE_SEND_CANCEL | PSU_SOURCE_END},
	{PSU_SOURCE_DEAD, 0, PSU_THREAD_E_PROTOCOL,
	 PSU_SOURCE_SEND_CANCEL | PSU_SOURCE_END},
};
#define GIVE_UPS ((int)(sizeof(give_ups) / sizeof(give_ups[0])))

START_TEST(frozen_goes_on_alone)
{
	for (int one_flight = 0; one_flight < 2; one_flight++) {
		struct psu_source source = source_in(PSU_SOURCE_FROZEN, one_flight);
		unsigned actions = feed(&source, give_ups[_i].kind, &ME,
								give_ups[_i].code);

		ck_assert_uint_eq(actions, give_ups[_i].actions_wanted);
		ck_assert_int_eq(source.state, PSU_SOURCE_NOT_MIGRATED);
		ck_assert_int_eq(source.code, give_ups[_i].code_wanted);
	}
}
END_TEST

START_TEST(frozen_commits_on_prepared)
{
	struct psu_source source = source_in(PSU_SOURCE_FROZEN, false);

	ck_assert(psu_id_is_zero(&source.incarnation));
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_LINE_OPENED, &OTHER, 0), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_SENDING_LAST, &NONE, 0), 0);
	ck_assert_int_eq(source.state, PSU_SOURCE_FROZEN);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_PREPARED, &OTHER, 0),
					  PSU_SOURCE_SEND_COMMIT);
	ck_assert_int_eq(source.state, PSU_SOURCE_IN_DOUBT);
	ck_assert(psu_id_equal(&source.incarnation, &OTHER));
	ck_assert_uint_eq(source.token, TOKEN);
}
END_TEST

START_TEST(frozen_refuses_a_senseless_prepared)
{
	struct psu_source one = source_in(PSU_SOURCE_FROZEN, true);
	struct psu_source two = source_in(PSU_SOURCE_FROZEN, false);

	ck_assert_uint_eq(feed(&one, PSU_SOURCE_PREPARED, &ME, 0),
					  PSU_SOURCE_SEND_CANCEL | PSU_SOURCE_END);
	ck_assert_uint_eq(feed(&two, PSU_SOURCE_PREPARED, &NONE, 0),
					  PSU_SOURCE_SEND_CANCEL | PSU_SOURCE_END);
	ck_assert_int_eq(one.state, PSU_SOURCE_NOT_MIGRATED);
	ck_assert_int_eq(two.state, PSU_SOURCE_NOT_MIGRATED);
}
END_TEST

START_TEST(last_byte_of_one_flight_commits)
{
	struct psu_source source = source_in(PSU_SOURCE_FROZEN, true);

	ck_assert_uint_eq(feed(&source, PSU_SOURCE_SENDING_LAST, &NONE, 0), 0);
	ck_assert_int_eq(source.state, PSU_SOURCE_IN_DOUBT);
	ck_assert(psu_id_equal(&source.incarnation, &ME));
}
END_TEST

START_TEST(doubt_ends_by_the_promised_process)
{
	for (int one_flight = 0; one_flight < 2; one_flight++) {
		struct psu_source runs = source_in(PSU_SOURCE_IN_DOUBT, one_flight);
		struct psu_source aborted = runs, dead = runs, bad = runs;

		ck_assert_uint_eq(feed(&runs, PSU_SOURCE_RUNNING, &ME, 0),
						  PSU_SOURCE_SEND_FORGET | PSU_SOURCE_END);
		ck_assert_int_eq(runs.state, PSU_SOURCE_RUNNING_AT);
		ck_assert_uint_eq(feed(&aborted, PSU_SOURCE_ABORTED, &ME, -91),
						  PSU_SOURCE_SEND_FORGET | PSU_SOURCE_END);
		ck_assert_int_eq(aborted.state, PSU_SOURCE_NOT_MIGRATED);
		ck_assert_int_eq(aborted.code, -91);
		ck_assert_uint_eq(feed(&dead, PSU_SOURCE_DEAD, &ME, 0), PSU_SOURCE_END);
		ck_assert_int_eq(dead.state, PSU_SOURCE_LOST_WITH);
		feed(&bad, PSU_SOURCE_ABORTED, &ME, 0);
		ck_assert_int_eq(bad.code, PSU_THREAD_E_PROTOCOL);
	}
}
END_TEST

START_TEST(doubt_is_not_ended_by_others)
{
	struct psu_source source = source_in(PSU_SOURCE_IN_DOUBT, _i == 1);
	const struct psu_source before = source;

	ck_assert_uint_eq(feed(&source, PSU_SOURCE_RUNNING, &OTHER, 0), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_ABORTED, &OTHER, -91), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_ABORTED, &NONE, -91), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_DEAD, &OTHER, 0), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_UNKNOWN, &ME, 0), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_UNKNOWN, &OTHER, 0), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_PREPARED, &ME, 0), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_PREPARED, &OTHER, 0), 0);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_SENDING_LAST, &NONE, 0), 0);
	ck_assert(psu_id_equal(&source.incarnation, &before.incarnation));
	ck_assert_uint_eq(source.token, before.token);
	ck_assert_int_eq(source.state, PSU_SOURCE_IN_DOUBT);
}
END_TEST

START_TEST(doubt_asks)
{
	bool one_flight = _i == 1;
	struct psu_source source = source_in(PSU_SOURCE_IN_DOUBT, one_flight);
	unsigned again = one_flight ? PSU_SOURCE_SEND_CANCEL
								: PSU_SOURCE_SEND_COMMIT;

	/* a quiet line: STATUS once, then another line; and so on that one */
	for (int lines = 0; lines < 2; lines++) {
		ck_assert_uint_eq(feed(&source, PSU_SOURCE_TIMED_OUT, &NONE, -32),
						  PSU_SOURCE_SEND_STATUS);
		ck_assert_uint_eq(feed(&source, PSU_SOURCE_TIMED_OUT, &NONE, -32),
						  PSU_SOURCE_DIAL);
		ck_assert_uint_eq(feed(&source, PSU_SOURCE_LINE_OPENED, &OTHER, 0),
						  again);
	}
	/* a broken one: no STATUS on it, however long dialling takes */
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_LINE_BROKE, &NONE, -33),
					  PSU_SOURCE_DIAL);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_TIMED_OUT, &NONE, -32),
					  PSU_SOURCE_DIAL);
	ck_assert_uint_eq(feed(&source, PSU_SOURCE_LINE_BROKE, &NONE, -31),
					  PSU_SOURCE_DIAL);
	ck_assert(psu_id_equal(&source.incarnation, &ME));
	ck_assert_uint_eq(source.token, one_flight ? 0 : TOKEN);
}
END_TEST

START_TEST(end_is_final)
{
	static const enum psu_source_state finals[] = {
		PSU_SOURCE_RUNNING_AT, PSU_SOURCE_NOT_MIGRATED, PSU_SOURCE_LOST_WITH};

	for (int kind = PSU_SOURCE_PREPARED; kind <= PSU_SOURCE_TIMED_OUT; kind++) {
		struct psu_source source = source_in(finals[_i], false);
		const struct psu_source before = source;

		ck_assert_uint_eq(
			feed(&source, (enum psu_source_event_kind)kind, &ME, -33), 0);
		ck_assert_int_eq(source.state, before.state);
		ck_assert_int_eq(source.code, before.code);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover_source");
	TCase *cases = tcase_create("source");

	tcase_add_loop_test(cases, frozen_goes_on_alone, 0, GIVE_UPS);
	tcase_add_test(cases, frozen_commits_on_prepared);
	tcase_add_test(cases, frozen_refuses_a_senseless_prepared);
	tcase_add_test(cases, last_byte_of_one_flight_commits);
	tcase_add_test(cases, doubt_ends_by_the_promised_process);
	tcase_add_loop_test(cases, doubt_is_not_ended_by_others, 0, 2);
	tcase_add_loop_test(cases, doubt_asks, 0, 2);
	tcase_add_loop_test(cases, end_is_final, 0, 3);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
