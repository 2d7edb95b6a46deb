/* SPDX-License-Identifier: ISC */
/*
 * test_handover_home.c - what a home believes, and takes back
 */
#include "test_handover.h"

#define BUSY PSU_THREAD_E_BUSY
#define REPLAYED PSU_THREAD_E_REPLAYED

/** Home in @state; a move of @generation is the latest that it knows. */
static struct psu_home home_in(enum psu_home_state state, uint64_t generation)
{
	struct psu_home home;

	psu_home_born(&home);
	if (generation > 0)
		psu_home_left(&home, generation);
	if (state != PSU_HOME_AWAY && generation > 0)
		psu_home_returned(&home, generation);
	if (state == PSU_HOME_LEAVING)
		psu_home_leaves(&home);
	if (state == PSU_HOME_ENDED)
		psu_home_ended(&home);
	ck_assert_int_eq(home.state, state);
	ck_assert_uint_eq(home.generation, generation);
	return home;
}

START_TEST(only_what_is_later_may_return)
{
	const struct {
		enum psu_home_state state;
		int older, same, later;
	} rows[] = {
		{PSU_HOME_HERE, REPLAYED, REPLAYED, BUSY},
		{PSU_HOME_LEAVING, REPLAYED, REPLAYED, BUSY},
		{PSU_HOME_AWAY, REPLAYED, REPLAYED, 0},
		{PSU_HOME_ENDED, REPLAYED, REPLAYED, REPLAYED},
	};
	const struct psu_home home = home_in(rows[_i].state, 5);

	ck_assert_int_eq(psu_home_may_return(&home, 0), rows[_i].older);
	ck_assert_int_eq(psu_home_may_return(&home, 4), rows[_i].older);
	ck_assert_int_eq(psu_home_may_return(&home, 5), rows[_i].same);
	ck_assert_int_eq(psu_home_may_return(&home, 6), rows[_i].later);
	ck_assert_int_eq(psu_home_may_return(&home, UINT64_MAX), rows[_i].later);
}
END_TEST

START_TEST(only_later_places_are_news)
{
	struct psu_home home = home_in(PSU_HOME_AWAY, 1);

	ck_assert(psu_home_located(&home, 3));
	ck_assert(!psu_home_located(&home, 2));
	ck_assert(!psu_home_located(&home, 3));
	ck_assert_uint_eq(home.generation, 3);
	ck_assert_int_eq(home.state, PSU_HOME_AWAY);
	ck_assert_int_eq(psu_home_may_return(&home, 3), REPLAYED);
	ck_assert_int_eq(psu_home_may_return(&home, 4), 0);
}
END_TEST

START_TEST(late_places_after_the_return_are_none)
{
	struct psu_home home = home_in(PSU_HOME_HERE, 3);

	ck_assert(!psu_home_located(&home, 2));
	ck_assert_int_eq(home.state, PSU_HOME_HERE);
	ck_assert(psu_home_left(&home, 4));
	ck_assert_int_eq(psu_home_may_return(&home, 5), 0);
}
END_TEST

/* Others have to do with the move after home's own, at the earliest. */
START_TEST(nobody_knows_more_than_home)
{
	struct psu_home home = home_in(PSU_HOME_HERE, 3);

	ck_assert(!psu_home_located(&home, 9));
	psu_home_leaves(&home);
	ck_assert(!psu_home_located(&home, 4));
	ck_assert(psu_home_located(&home, 5));
	ck_assert(!psu_home_left(&home, 4));
	ck_assert_uint_eq(home.generation, 5);
	psu_home_returned(&home, 6);
	psu_home_leaves(&home);
	ck_assert(psu_home_left(&home, 7));
	ck_assert(!psu_home_located(&home, 7));
	ck_assert(psu_home_located(&home, 8));
}
END_TEST

/* What was said meanwhile proves false. */
START_TEST(it_stays)
{
	struct psu_home home = home_in(PSU_HOME_LEAVING, 3);

	ck_assert(psu_home_located(&home, UINT64_MAX));
	psu_home_stayed(&home);
	ck_assert_int_eq(home.state, PSU_HOME_HERE);
	ck_assert_uint_eq(home.generation, 3);
	psu_home_leaves(&home);
	ck_assert(psu_home_left(&home, 4));
}
END_TEST

/* What is said before home has offered it is about an earlier journey. */
START_TEST(nobody_has_it_before_the_offer)
{
	struct psu_home home = home_in(PSU_HOME_LEAVING, 3);

	ck_assert(psu_home_located(&home, 9));
	psu_home_offers(&home);
	ck_assert_int_eq(home.state, PSU_HOME_LEAVING);
	ck_assert(psu_home_located(&home, 5));
	ck_assert(!psu_home_left(&home, 4));
	ck_assert_uint_eq(home.generation, 5);
}
END_TEST

/* The thread moves on, and ends, before home has heard of its own move. */
START_TEST(a_place_does_not_end_the_doubt)
{
	struct psu_home home = home_in(PSU_HOME_LEAVING, 0);

	ck_assert(psu_home_located(&home, 2));
	ck_assert_int_eq(home.state, PSU_HOME_LEAVING);
	ck_assert_int_eq(psu_home_may_return(&home, 3), BUSY);
	ck_assert(!psu_home_left(&home, 1));
	ck_assert_uint_eq(home.generation, 2);
	ck_assert_int_eq(psu_home_may_return(&home, 2), REPLAYED);
	ck_assert_int_eq(psu_home_may_return(&home, 3), 0);
}
END_TEST

START_TEST(an_end_is_taken_once)
{
	struct psu_home home = home_in(PSU_HOME_AWAY, 1);

	ck_assert_int_eq(psu_home_may_return(&home, 2), 0);
	psu_home_ended(&home);
	ck_assert_int_eq(psu_home_may_return(&home, 2), REPLAYED);
	ck_assert(!psu_home_located(&home, 9));
	ck_assert_uint_eq(home.generation, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover_home");
	TCase *cases = tcase_create("home");

	tcase_add_loop_test(cases, only_what_is_later_may_return, 0, 4);
	tcase_add_test(cases, only_later_places_are_news);
	tcase_add_test(cases, late_places_after_the_return_are_none);
	tcase_add_test(cases, nobody_knows_more_than_home);
	tcase_add_test(cases, it_stays);
	tcase_add_test(cases, nobody_has_it_before_the_offer);
	tcase_add_test(cases, a_place_does_not_end_the_doubt);
	tcase_add_test(cases, an_end_is_taken_once);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
