/* SPDX-License-Identifier: ISC */
/*
 * test_itinerary.c - is a chain of moves believed only if all of it fits?
 */
#include "test_itinerary_hosts.h"

#include "bytes/sha256.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/** Let it make so many moves, and prepare another. */
static void travel(unsigned moves)
{
	for (unsigned i = 0; i < moves; i++) {
		prepare(place(i), place(i + 1));
		go(place(i));
	}
	prepare(place(moves), place(moves + 1));
}

static void check(const char *words)
{
	judged(psu_itinerary_check(&itinerary, &next), words);
}

static void verify(const char *words)
{
	judged(psu_itinerary_verify(&itinerary, peers, publics[A]), words);
}

START_TEST(newest_are_kept)
{
	struct psu_statement link;
	struct psu_digest digest;

	for (unsigned moves = 1; moves <= 3 * PSU_LINKS_MAX; moves++) {
		prepare(place(moves - 1), place(moves));
		go(place(moves - 1));
		ck_assert_uint_eq(itinerary.count,
						  moves < PSU_LINKS_MAX ? moves : PSU_LINKS_MAX);
		for (unsigned i = 0; i < itinerary.count; i++) {
			ck_assert(psu_seal_read(itinerary.links[i], &link));
			ck_assert_uint_eq(link.generation, moves - i);
		}
	}
	psu_itinerary_previous(&itinerary, &digest);
	psu_sha256(itinerary.links[0], PSU_SEALED_LEN, &link.previous);
	ck_assert(psu_digest_equal(&digest, &link.previous));
}
END_TEST

START_TEST(good_ones)
{
	travel((unsigned)_i);
	check(NULL);
	verify(NULL);
}
END_TEST

/* ---- a statement and its newest link */

START_TEST(statement_does_not_fit)
{
	struct psu_statement good;

	travel((unsigned)_i);
	good = next;
	next.links++;
	check("number of links");
	next.links -= 2;
	check("number of links");
	next = good;
	next.generation = 0;
	check("number of links");
	next.generation = good.generation + PSU_LINKS_MAX;
	check(_i < PSU_LINKS_MAX ? "number of links" : "generation before");
	next = good;
	for (unsigned bit = 0; bit < 8 * sizeof(next.previous); bit++) {
		next.previous.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		check(_i ? "name the move" : "is the first");
		next = good;
	}
	if (!_i)
		return;
	next.thread.bytes[0]++;
	check("another thread");
	next = good;
	next.source = host(D);
	check("another host");
	next.source = good.destination;
	check("another host");
}
END_TEST

/** The newest link is what the statement names, and yet no move. */
START_TEST(newest_is_no_move)
{
	/* in the end of a thread, and in what is not even a statement: each byte
	 * of what that begins with, and the last */
	for (unsigned at = 0; at < 37; at++) {
		hosts_setup();
		prepare(A, B);
		next.kind = at < 36 ? PSU_KIND_MOVE : PSU_KIND_END;
		go(A);
		if (at < 36)
			itinerary.links[0][at < 35 ? at : PSU_STATEMENT_LEN - 1] ^= 0x40;
		next.kind = PSU_KIND_MOVE;
		prepare(B, C);
		check("no move");
	}
}
END_TEST

/** Nobody moves a thread to where it is. */
START_TEST(from_a_host_to_itself)
{
	prepare(A, B);
	go(A);
	prepare(B, B);
	check(NULL); /* of a statement itself: psu_seal_verify() */
	go(B);
	verify("is no move");
	prepare(B, C);
	check("no move");
	go(B);
	verify("no move");
}
END_TEST

/* ---- the whole of it */

START_TEST(every_flipped_bit)
{
	travel(4);
	for (unsigned bit = 0; bit < 8 * 4 * PSU_SEALED_LEN; bit++) {
		uint8_t *link = itinerary.links[bit / 8 / PSU_SEALED_LEN];
		uint8_t *byte = &link[bit / 8 % PSU_SEALED_LEN];

		*byte ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(psu_itinerary_verify(&itinerary, peers, publics[A]),
						 PSU_THREAD_E_ITINERARY_INVALID);
		*byte ^= (uint8_t)(1u << bit % 8);
	}
	verify(NULL);
}
END_TEST

/** One of the moves, of which the later ones know, is signed by another. */
START_TEST(signed_by_another)
{
	unsigned at = (unsigned)_i;

	for (unsigned i = 0; i < 4; i++) {
		prepare(place(i), place(i + 1));
		go(i == at % 4 ? at < 4 ? D : place(i + 1) : place(i));
	}
	verify("not signed with a key");
}
END_TEST

START_TEST(over_an_unknown_host)
{
	prepare(A, D);
	go(A);
	verify(NULL); /* where it went is no matter of keys */
	prepare(D, B);
	go(D);
	verify("not signed with a key");
}
END_TEST

START_TEST(retired_key)
{
	char words[200], key[64];

	prepare(A, B);
	go(A);
	prepare(B, C);
	go(B_BEFORE);
	prepare(C, B);
	go(C);
	prepare(B, A);
	go(B);
	verify("link 3 of 4");

	sodium_bin2base64(key, sizeof(key), publics[B_BEFORE], PSU_SIGN_PUBLIC_LEN,
					  sodium_base64_VARIANT_ORIGINAL);
	snprintf(words, sizeof(words), "verify-only=%s", key);
	read_peers(words);
	verify(NULL);

	/* another host's does not count */
	peers->retired[0].identity = host(C);
	verify("link 3 of 4");
	peers->retired[0].identity = host(A);
	verify("link 3 of 4");
}
END_TEST

START_TEST(own_retired_key)
{
	travel(4);
	verify(NULL);
	judged(psu_itinerary_verify(&itinerary, peers, publics[D]),
		   "not signed with a key");
	peers->retired = calloc(1, sizeof(*peers->retired));
	peers->retired_count = 1;
	peers->retired[0].identity = host(A);
	memcpy(peers->retired[0].sign_public, publics[A], PSU_SIGN_PUBLIC_LEN);
	judged(psu_itinerary_verify(&itinerary, peers, publics[D]), NULL);
}
END_TEST

/** Every signature is good, and one thing is not as in a journey. */
START_TEST(links_do_not_fit)
{
	static const struct {
		size_t at;
		size_t len;
		const char *words;
	} cases[] = {
#define CASE(field, words)                                                     \
	{offsetof(struct psu_statement, field),                                    \
	 sizeof(((struct psu_statement *)0)->field), words}
		CASE(kind, "is no move"),
		CASE(links, "number of links"),
		CASE(previous, "move before it"),
		CASE(thread, "another thread"),
		CASE(generation, "generation before"),
#undef CASE
	};

	for (unsigned move = 1; move < 4; move++) {
		memset(&itinerary, 0, sizeof(itinerary));
		next = (struct psu_statement){.kind = PSU_KIND_MOVE, .thread = {{1}}};
		for (unsigned i = 0; i < 4; i++) {
			struct psu_statement kept;

			prepare(place(i), place(i + 1));
			kept = next;
			if (i == move)
				((uint8_t *)&next)[cases[_i].at] ^= 3;
			go(place(i));
			next = kept;
		}
		/* of the newest nobody knows better, but how many came along */
		verify(_i == 4 && move == 3 ? "number of links" : cases[_i].words);
	}
}
END_TEST

START_TEST(one_is_left_out)
{
	unsigned at = (unsigned)_i;

	travel(6);
	memmove(itinerary.links[at], itinerary.links[at + 1],
			(5 - at) * sizeof(itinerary.links[0]));
	itinerary.count = 5;
	/* what is left ends without the newest, and that only home can know */
	verify(at == 0 ? NULL : at == 5 ? "lacks those" : "move before it");
}
END_TEST

START_TEST(oldest_have_gone)
{
	travel(2 * PSU_LINKS_MAX);
	verify(NULL);
	itinerary.count--;
	verify("lacks those before it");
}
END_TEST

START_TEST(nowhere_yet)
{
	verify(NULL);
	prepare(A, B);
	next.previous.bytes[0] = 1;
	go(A);
	verify("is the first");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("itinerary");
	TCase *tests = tcase_create("itinerary");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, hosts_setup, hosts_teardown);
	tcase_add_test(tests, newest_are_kept);
	tcase_add_loop_test(tests, good_ones, 0, 2 * PSU_LINKS_MAX + 2);
	tcase_add_loop_test(tests, statement_does_not_fit, 0, PSU_LINKS_MAX + 3);
	tcase_add_test(tests, newest_is_no_move);
	tcase_add_test(tests, from_a_host_to_itself);
	tcase_add_test(tests, every_flipped_bit);
	tcase_add_loop_test(tests, signed_by_another, 0, 8);
	tcase_add_test(tests, over_an_unknown_host);
	tcase_add_test(tests, retired_key);
	tcase_add_test(tests, own_retired_key);
	tcase_add_loop_test(tests, links_do_not_fit, 0, 5);
	tcase_add_loop_test(tests, one_is_left_out, 0, 6);
	tcase_add_test(tests, oldest_have_gone);
	tcase_add_test(tests, nowhere_yet);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
