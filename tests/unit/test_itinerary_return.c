/* SPDX-License-Identifier: ISC */
/*
 * test_itinerary_return.c - does a thread come back, or is it said to be, by a
 * way that others had it go?
 */
#include "test_itinerary_hosts.h"

#include <string.h>

static struct psu_made_move left;

/** What a host remembers of the move that was the last. */
static void leave(void)
{
	left.generation = next.generation;
	psu_itinerary_previous(&itinerary, &left.digest);
}

static void verify_return(const char *words)
{
	ck_assert_int_eq(psu_itinerary_check(&itinerary, &next), 0);
	judged(psu_itinerary_verify_return(&itinerary, &next, &left, peers,
									   publics[A]),
		   words);
}

/** The same of all moves but the last, as told on the way. */
static void verify_onward(const char *words)
{
	judged(psu_itinerary_verify_onward(&itinerary, &left, peers, publics[A]),
		   words);
}

/** It leaves a as move number @at + 1, and comes back after @moves more. */
static void go_round(unsigned at, unsigned moves, enum signer signer)
{
	memset(&itinerary, 0, sizeof(itinerary));
	next = (struct psu_statement){.kind = PSU_KIND_MOVE, .thread = {{1}}};
	for (unsigned i = 0; i < at + moves; i++) {
		prepare(place(i), place(i + 1));
		go(i == at + 1 ? signer : place(i));
		if (i == at)
			leave();
	}
	prepare(place(at + moves), A);
}

START_TEST(good_returns)
{
	for (unsigned at = 0; at < 3 * PSU_LINKS_MAX; at += 3) {
		go_round(at, (unsigned)_i, B);
		verify_return(NULL);
		if (_i > 1)
			verify_onward(NULL);
	}
}
END_TEST

/** The first who had it then is not who signed. */
START_TEST(return_over_a_forged_move)
{
	go_round((unsigned)_i, 2, D);
	verify_return("not signed with a key");
	verify_onward("not signed with a key");
	go_round((unsigned)_i, PSU_LINKS_MAX + 1, D);
	verify_return("not signed with a key");
	verify_onward("not signed with a key");
	go_round((unsigned)_i, PSU_LINKS_MAX + 2, D);
	verify_return(NULL); /* it did not come along */
	verify_onward(NULL);
}
END_TEST

/** All is signed as it should be, and it is another journey. */
START_TEST(return_of_another_journey)
{
	unsigned moves = (unsigned)_i;

	go_round(3, moves, B);
	left.digest.bytes[31] ^= 1;
	if (moves <= PSU_LINKS_MAX + 1)
		verify_return("latest one that is known");
	else
		verify_return(NULL); /* too long ago to be told */
	if (moves <= PSU_LINKS_MAX + 1)
		verify_onward("latest one that is known");
	else
		verify_onward(NULL);
	left.generation = next.generation;
	verify_return("latest one that is known");
	verify_onward("latest one that is known");
}
END_TEST

/** What is known already leads nowhere, nor does what is no move. */
START_TEST(onward_is_no_news)
{
	go_round(3, (unsigned)_i, B);
	leave();
	left.generation--;
	verify_onward("latest one that is known");
	itinerary.links[0][0] ^= 1;
	verify_onward("is no move");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("itinerary_return");
	TCase *tests = tcase_create("return");

	tcase_add_checked_fixture(tests, hosts_setup, hosts_teardown);
	tcase_add_loop_test(tests, good_returns, 1, 2 * PSU_LINKS_MAX);
	tcase_add_loop_test(tests, return_over_a_forged_move, 0, 2 * PSU_LINKS_MAX);
	tcase_add_loop_test(tests, return_of_another_journey, 1, PSU_LINKS_MAX + 4);
	tcase_add_loop_test(tests, onward_is_no_news, 1, PSU_LINKS_MAX + 4);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
