/* SPDX-License-Identifier: ISC */
/*
 * test_outbox.c - which letters wait for which home, and in which order
 */
#include "run_suite.h"

#include "journey/outbox.h"
#include "net/limits.h"

#include <stdlib.h>

static struct psu_outbox outbox;
static const struct psu_id home_a = {{1}}, home_b = {{2}};

static void setup(void)
{
	outbox = (struct psu_outbox){.oldest = NULL};
}

/** A letter to home @home about thread @thread, of @len bytes beyond itself. */
static struct psu_letter *letter(uint8_t home, uint16_t thread,
								 uint64_t generation, size_t len)
{
	struct psu_letter *made = calloc(1, sizeof(*made));

	made->kind = len ? PSU_LETTER_END : PSU_LETTER_LOCATION;
	made->home.incarnation.bytes[0] = home;
	made->thread.bytes[0] = (uint8_t)thread;
	made->thread.bytes[1] = (uint8_t)(thread >> 8);
	made->generation = generation;
	made->head = len ? malloc(len) : NULL;
	made->head_len = len;
	return made;
}

static void put(uint8_t home, uint16_t thread, uint64_t generation)
{
	ck_assert_ptr_null(
		psu_outbox_put(&outbox, letter(home, thread, generation, 0)));
}

/** The next letter for @home is about that thread and generation; 0: none. */
static void expect_next(const struct psu_id *home, uint16_t thread,
						uint64_t generation)
{
	struct psu_letter *next = psu_outbox_take(&outbox, home, 0);

	if (thread == 0) {
		ck_assert_ptr_null(next);
		return;
	}
	ck_assert_ptr_nonnull(next);
	ck_assert_uint_eq(next->thread.bytes[0], thread);
	ck_assert_uint_eq(next->generation, generation);
	psu_letter_free(next);
}

START_TEST(oldest_first_each_home)
{
	put(1, 1, 2);
	put(2, 2, 2);
	put(1, 3, 2);
	expect_next(&home_a, 1, 2);
	expect_next(&home_a, 3, 2);
	expect_next(&home_a, 0, 0);
	expect_next(&home_b, 2, 2);
	ck_assert_uint_eq(outbox.count, 0);
	ck_assert_uint_eq(outbox.len, 0);
}
END_TEST

START_TEST(latest_of_a_thread)
{
	put(1, 1, 2);
	put(1, 2, 2);
	put(1, 1, 5);
	put(1, 1, 4);
	expect_next(&home_a, 2, 2);
	expect_next(&home_a, 1, 5);
	expect_next(&home_a, 0, 0);
}
END_TEST

START_TEST(back_as_the_oldest)
{
	struct psu_letter *taken;

	put(1, 1, 2);
	put(1, 2, 2);
	taken = psu_outbox_take(&outbox, &home_a, 0);
	ck_assert_ptr_null(psu_outbox_put_back(&outbox, taken));
	expect_next(&home_a, 1, 2);

	/* unless a later one has come meanwhile */
	taken = psu_outbox_take(&outbox, &home_a, 0);
	put(1, 2, 3);
	ck_assert_ptr_null(psu_outbox_put_back(&outbox, taken));
	expect_next(&home_a, 2, 3);
	expect_next(&home_a, 0, 0);
}
END_TEST

START_TEST(not_before_it_is_due)
{
	struct psu_letter *late = letter(1, 1, 2, 0);

	late->due_ms = 100;
	ck_assert_int_eq(psu_outbox_due(&outbox, &home_a), INT64_MAX);
	psu_outbox_put(&outbox, late);
	ck_assert_int_eq(psu_outbox_due(&outbox, &home_a), 100);
	ck_assert_int_eq(psu_outbox_due(&outbox, &home_b), INT64_MAX);
	put(1, 2, 2);
	ck_assert_int_eq(psu_outbox_due(&outbox, &home_a), 0);
	expect_next(&home_a, 2, 2);
	ck_assert_ptr_null(psu_outbox_take(&outbox, &home_a, 99));
	ck_assert_ptr_eq(psu_outbox_take(&outbox, &home_a, 100), late);
	psu_letter_free(late);
}
END_TEST

START_TEST(oldest_makes_room)
{
	struct psu_letter *gone;

	for (uint16_t i = 1; i <= PSU_OUTBOX_MAX; i++)
		put(1, i, 2);
	gone = psu_outbox_put(&outbox, letter(2, 2000, 2, 0));
	ck_assert_ptr_nonnull(gone);
	ck_assert_uint_eq(gone->thread.bytes[0], 1);
	ck_assert_ptr_null(gone->next);
	psu_letter_free(gone);
	ck_assert_uint_eq(outbox.count, PSU_OUTBOX_MAX);
}
END_TEST

START_TEST(bytes_make_room)
{
	size_t half = PSU_OUTBOX_LEN_MAX / 2;
	struct psu_letter *gone;

	ck_assert_ptr_null(psu_outbox_put(&outbox, letter(1, 1, 2, 100)));
	ck_assert_ptr_null(psu_outbox_put(&outbox, letter(1, 2, 2, half)));
	gone = psu_outbox_put(&outbox, letter(1, 3, 2, half));
	ck_assert_ptr_nonnull(gone);
	ck_assert_uint_eq(gone->thread.bytes[0], 1);
	ck_assert_ptr_nonnull(gone->next);
	ck_assert_uint_eq(gone->next->thread.bytes[0], 2);
	psu_letter_free(gone->next);
	psu_letter_free(gone);
	expect_next(&home_a, 3, 2);

	/* one that is too large alone goes itself */
	gone = psu_outbox_put(&outbox, letter(1, 1, 2, PSU_OUTBOX_LEN_MAX));
	ck_assert_ptr_nonnull(gone);
	psu_letter_free(gone);
	ck_assert_uint_eq(outbox.len, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *tests = tcase_create("outbox");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, oldest_first_each_home);
	tcase_add_test(tests, latest_of_a_thread);
	tcase_add_test(tests, back_as_the_oldest);
	tcase_add_test(tests, not_before_it_is_due);
	tcase_add_test(tests, oldest_makes_room);
	tcase_add_test(tests, bytes_make_room);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
