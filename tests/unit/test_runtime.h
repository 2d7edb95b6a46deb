/* SPDX-License-Identifier: ISC */
/*
 * test_runtime.h - what the tests of runtime/ begin with: a directory of
 * their own, and incarnations by number
 */
#ifndef TEST_RUNTIME_H
#define TEST_RUNTIME_H

#include "run_suite.h"

#include "runtime/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64]; /* of this test, named by PSU_THREAD_RUNTIME */
static const struct psu_digest host = {{1, 2, 3}};

static struct psu_id make_id(unsigned char number)
{
	return (struct psu_id){{0xab, number}};
}

static void make_dir(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	strcpy(dir, "/tmp/test_runtime.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	setenv("PSU_THREAD_RUNTIME", dir, 1);
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static struct psu_runtime *open_runtime(unsigned char number)
{
	struct psu_id id = make_id(number);
	struct psu_runtime *runtime = NULL;

	ck_assert_msg(psu_runtime_open(&host, &id, &runtime) == 0, "%s",
				  psu_error_sentence());
	return runtime;
}

static void add_case(Suite *suite, const char *name, const TTest *const *tests)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, make_dir, remove_dir);
	tcase_set_timeout(tcase, 60);
	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
	suite_add_tcase(suite, tcase);
}

#endif
