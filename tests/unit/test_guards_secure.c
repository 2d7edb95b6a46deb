/* SPDX-License-Identifier: ISC */
/*
 * test_guards_secure.c - who starts a program that has more rights than he
 * does not choose its guards
 */
#include "run_suite.h"

#include "start/start.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((visibility("hidden"))) void psu_guards_take(long *stack);

/** The initial stack of a program, with a good descriptor in its environment.
 * @secure  what the kernel says of it (AT_SECURE) */
static void take(long secure, unsigned char random[PSU_GUARDS_LEN])
{
	static const unsigned char chosen[PSU_GUARDS_HANDED_LEN] =
		"AAAAAAAABBBBBBBB";
	char variable[64];
	int fd = memfd_create("test", 0);
	long
		stack[] =
			{
				1,		   (long)"program",
				0,		   (long)variable,
				0, /* argc, argv, environment */
				AT_SECURE, secure,
				AT_RANDOM, (long)random,
				AT_NULL,   0,
			};
	ck_assert_int_eq(write(fd, chosen, sizeof(chosen)), sizeof(chosen));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	snprintf(variable, sizeof(variable), PSU_GUARDS_VARIABLE "=%d", fd);
	psu_guards_take(stack);
}

START_TEST(more_rights)
{
	unsigned char random[PSU_GUARDS_LEN] = "0123456789abcde";
	unsigned char before[PSU_GUARDS_LEN];

	memcpy(before, random, sizeof(before));
	take(1, random);
	ck_assert_mem_eq(random, before, sizeof(before));
	ck_assert_int_eq(psu_guards_handed.found, 0);
}
END_TEST

START_TEST(same_rights)
{
	unsigned char random[PSU_GUARDS_LEN] = "0123456789abcde";

	take(0, random);
	ck_assert_mem_eq(random, "AAAAAAAABBBBBBBB", sizeof(random));
	ck_assert_int_eq(psu_guards_handed.found, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guards, more rights");
	TCase *cases = tcase_create("rights");

	tcase_add_test(cases, more_rights);
	tcase_add_test(cases, same_rights);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
