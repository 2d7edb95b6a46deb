/* SPDX-License-Identifier: ISC */
/*
 * test_handover.c - every transition of both sides of a move, one by one
 *
 * tests/simulate/ shows that they work together; here each limit, each late,
 * repeated or foreign message has a test of its own.
 */
#include "handover/handover.h"

#include <psu_thread.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct psu_id ME = {.bytes = {1}};
static const struct psu_id OTHER = {.bytes = {2}};
static const struct psu_id NONE = {.bytes = {0}};
static const struct psu_id MOVE = {.bytes = {0xaa}};
static const struct psu_id THREAD = {.bytes = {0xbb}};
static const struct psu_digest PEER = {.bytes = {0xc1}};
static const struct psu_digest STRANGER = {.bytes = {0xc2}};
#define TOKEN 7777u

/* ---- the source */

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
		unsigned actions =
			feed(&source, give_ups[_i].kind, &ME, give_ups[_i].code);

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
		ck_assert_uint_eq(feed(&dead, PSU_SOURCE_DEAD, &ME, 0),
						  PSU_SOURCE_END);
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
	unsigned again =
		one_flight ? PSU_SOURCE_SEND_CANCEL : PSU_SOURCE_SEND_COMMIT;

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
	static const enum psu_source_state finals[] = {PSU_SOURCE_RUNNING_AT,
												   PSU_SOURCE_NOT_MIGRATED,
												   PSU_SOURCE_LOST_WITH};

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

/* ---- the destination */

static struct psu_dest dest; /* too large for a stack */

static void begin_dest(void)
{
	psu_dest_init(&dest, &ME);
}

static struct psu_id numbered(size_t number)
{
	return (struct psu_id){
		.bytes = {0xdd, (uint8_t)(number >> 8), (uint8_t)number}};
}

static struct psu_dest_answer offer(const struct psu_id *migration,
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

static struct psu_dest_request request(const struct psu_id *incarnation)
{
	return (struct psu_dest_request){.migration = MOVE,
									 .incarnation = *incarnation,
									 .peer = PEER,
									 .token = TOKEN};
}

static void check_answer(struct psu_dest_answer answer,
						 enum psu_dest_action say, const char *flags, int code)
{
	ck_assert_int_eq(answer.say, say);
	ck_assert(answer.receive == (strchr(flags, 'r') != NULL));
	ck_assert(answer.start == (strchr(flags, 's') != NULL));
	ck_assert(answer.discard == (strchr(flags, 'd') != NULL));
	ck_assert_int_eq(answer.code, code);
	ck_assert_uint_eq(answer.token, say == PSU_DEST_SAY_PREPARED ? TOKEN : 0);
}

/** A table in which MOVE is in @state; 0: not in it. */
static void dest_in(enum psu_dest_state state)
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
	check_answer(psu_dest_ready(&dest, &MOVE, TOKEN), PSU_DEST_SAY_PREPARED,
				 "", 0);
	if (state == PSU_DEST_PREPARED)
		return;
	check_answer(psu_dest_commit(&dest, &ask), PSU_DEST_SAY_RUNNING, "s", 0);
	if (state == PSU_DEST_FORGOTTEN)
		check_answer(psu_dest_forget(&dest, &ask), PSU_DEST_SAY_NOTHING, "",
					 0);
}

static enum psu_dest_state state_of(const struct psu_id *migration)
{
	for (size_t i = 0; i < dest.count; i++)
		if (psu_id_equal(&dest.records[i].migration, migration))
			return dest.records[i].state;
	return 0;
}

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
static struct psu_dest_answer call_commit(void)
{
	struct psu_dest_request ask = request(&ME);

	return psu_dest_commit(&dest, &ask);
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
static struct psu_dest_answer call_cancel(void)
{
	struct psu_dest_request ask = request(&ME);

	return psu_dest_cancel(&dest, &ask);
}
static struct psu_dest_answer call_early_cancel(void)
{
	struct psu_dest_request ask = request(&NONE);

	return psu_dest_cancel(&dest, &ask);
}
static struct psu_dest_answer call_forget(void)
{
	struct psu_dest_request ask = request(&ME);

	return psu_dest_forget(&dest, &ask);
}

#define NO 0
#define ARR PSU_DEST_ARRIVING
#define PRE PSU_DEST_PREPARED
#define RUN PSU_DEST_RUNNING
#define ABO PSU_DEST_ABORTED
#define FOR PSU_DEST_FORGOTTEN
#define EXPIRED PSU_THREAD_E_RESERVATION_EXPIRED
#define CANCELLED PSU_THREAD_E_CANCELLED

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
	struct psu_dest_offer statement = {.migration = MOVE,
									   .thread = THREAD,
									   .generation = 6,
									   .peer = STRANGER};
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

		ck_assert_int_eq(state_of(&id), i < 3	? states[i]
										: i < 5 ? NO
												: ARR);
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

static TCase *source_cases(void)
{
	TCase *cases = tcase_create("source");

	tcase_add_loop_test(cases, frozen_goes_on_alone, 0, GIVE_UPS);
	tcase_add_test(cases, frozen_commits_on_prepared);
	tcase_add_test(cases, frozen_refuses_a_senseless_prepared);
	tcase_add_test(cases, last_byte_of_one_flight_commits);
	tcase_add_test(cases, doubt_ends_by_the_promised_process);
	tcase_add_loop_test(cases, doubt_is_not_ended_by_others, 0, 2);
	tcase_add_loop_test(cases, doubt_asks, 0, 2);
	tcase_add_loop_test(cases, end_is_final, 0, 3);
	return cases;
}

static TCase *dest_cases(void)
{
	TCase *cases = tcase_create("dest");

	tcase_add_loop_test(cases, transition, 0, TRANSITIONS);
	tcase_add_test(cases, one_flight_starts_when_ready);
	tcase_add_test(cases, cancelled_before_its_offer_comes);
	tcase_add_loop_test(cases, another_process_is_not_spoken_for, 0, 6);
	tcase_add_loop_test(cases, a_peer_touches_its_own_moves_only, 0, 5);
	tcase_add_loop_test(cases, generations_grow, 0, 3);
	tcase_add_loop_test(cases, a_peer_has_its_quota, 0, 2);
	tcase_add_test(cases, a_process_has_its_limit);
	tcase_add_test(cases, spent_records_make_room);
	tcase_add_test(cases, others_spent_records_stay);
	tcase_add_test(cases, gone_peer_leaves_what_lives);
	tcase_add_test(cases, acknowledged_by_forget);
	return cases;
}

int main(void)
{
	Suite *suite = suite_create("handover");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, source_cases());
	suite_add_tcase(suite, dest_cases());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
