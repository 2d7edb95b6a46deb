/* SPDX-License-Identifier: ISC */
/*
 * test_limits.c - deadlines that the program sets, and what cannot be set
 */
#include "run_suite.h"

#include "net/limits.h"
#include "net/socket.h"

#include <string.h>

static const struct {
	const char *name;
	enum psu_thread_wait wait;
	int ms;
} waits[] = {
#define ROW(name, number, ms, sentence) {#name, PSU_THREAD_WAIT_##name, ms},
	PSU_THREAD_WAITS(ROW)};

#define COUNT ((int)(sizeof(waits) / sizeof(*waits)))

/** Numbers have no gaps, so that no wait is without a default. */
START_TEST(defaults)
{
	ck_assert_int_eq(waits[_i].wait, _i + 1);
	ck_assert_int_eq(psu_limit_ms(waits[_i].wait), waits[_i].ms);
	ck_assert_int_ge(waits[_i].ms, 1);
}
END_TEST

/** Each its own, and at both ends of what is allowed. */
START_TEST(set)
{
	ck_assert_int_eq(psu_thread_set_deadline(waits[_i].wait, 1), 0);
	for (int other = 0; other < COUNT; other++)
		ck_assert_int_eq(psu_limit_ms(waits[other].wait),
						 other == _i ? 1 : waits[other].ms);
	ck_assert_int_eq(
		psu_thread_set_deadline(waits[_i].wait, PSU_THREAD_DEADLINE_MAX_MS), 0);
	ck_assert_int_eq(psu_limit_ms(waits[_i].wait), PSU_THREAD_DEADLINE_MAX_MS);
}
END_TEST

static void refuse(int wait, unsigned ms, const char *word)
{
	int code = psu_thread_set_deadline((enum psu_thread_wait)wait, ms);

	ck_assert_int_eq(code, PSU_THREAD_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(psu_thread_errmsg(), word));
	for (int i = 0; i < COUNT; i++)
		ck_assert_int_eq(psu_limit_ms(waits[i].wait), waits[i].ms);
}

START_TEST(refused)
{
	refuse(PSU_THREAD_WAIT_ANSWER, 0, "0 ms");
	refuse(PSU_THREAD_WAIT_ANSWER, PSU_THREAD_DEADLINE_MAX_MS + 1, "86400001");
	refuse(0, 1000, "0 is no wait");
	refuse(-1, 1000, "-1 is no wait");
	refuse(COUNT + 1, 1000, "is no wait");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("limits");
	TCase *limits = tcase_create("limits");

	tcase_add_loop_test(limits, defaults, 0, COUNT);
	tcase_add_loop_test(limits, set, 0, COUNT);
	tcase_add_test(limits, refused);
	suite_add_tcase(suite, limits);
	return run_suite(suite);
}
