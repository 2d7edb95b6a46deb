/* SPDX-License-Identifier: ISC */
/*
 * test_depart_check.c - is whatever keeps a thread on its host found?
 */
#include "run_suite.h"

#include "journey/depart.h"

#include <pthread.h>
#include <string.h>

static struct psu_manifest manifest; /* too large for a stack */
static struct psu_traveller traveller;
static __thread int local;

/* In the place of libstdc++'s: the Itanium ABI's two words. */
static struct {
	void *caught;
	unsigned uncaught_count;
} exceptions;

void *__cxa_get_globals_fast(void);
void *__cxa_get_globals_fast(void)
{
	return &exceptions;
}

static void make(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	ck_assert_int_eq(psu_manifest_make(&manifest), 0);
	memset(&traveller, 0, sizeof(traveller));
	traveller.slot.addr = psu_slot_addr(3, 5);
	traveller.slot.len = PSU_SLOT_LEN;
	traveller.slot.stack_len = PSU_SLOT_STACK_LEN;
	traveller.registers.rsp = psu_slot_stack_low(&traveller.slot);
	local = 1;
}

static void check(int code, const char *part)
{
	ck_assert_int_eq(psu_depart_check(&traveller, &manifest), code);
	ck_assert_msg(strstr(psu_error_sentence(), part) != NULL, "%s",
				  psu_error_sentence());
}

START_TEST(nothing)
{
	check(0, "");
}
END_TEST

START_TEST(stack)
{
	traveller.registers.rsp = psu_slot_stack_high(&traveller.slot) - 8;
	check(0, "");
	traveller.registers.rsp += 8;
	check(PSU_THREAD_E_STACK_OUTSIDE_SLOT, "0x");
	traveller.registers.rsp = psu_slot_stack_low(&traveller.slot) - 8;
	check(PSU_THREAD_E_STACK_OUTSIDE_SLOT, "0x");
}
END_TEST

START_TEST(robust_mutexes)
{
	const int protocols[] = {PTHREAD_PRIO_INHERIT, PTHREAD_PRIO_NONE,
							 PTHREAD_PRIO_INHERIT};
	pthread_mutex_t mutexes[3];
	pthread_mutexattr_t attributes;
	char count[] = "(0)";

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	for (int i = 0; i < 3; i++) {
		pthread_mutexattr_setprotocol(&attributes, protocols[i]);
		pthread_mutex_init(&mutexes[i], &attributes);
		pthread_mutex_lock(&mutexes[i]);
		count[1]++;
		check(PSU_THREAD_E_ROBUST_MUTEX_HELD, count);
	}
	for (int i = 0; i < 3; i++)
		pthread_mutex_unlock(&mutexes[i]);
	check(0, "");
	pthread_mutexattr_destroy(&attributes);
}
END_TEST

START_TEST(exceptions_in_flight)
{
	exceptions.caught = &exceptions;
	check(PSU_THREAD_E_EXCEPTION_IN_FLIGHT, "being handled");
	exceptions.caught = NULL;
	exceptions.uncaught_count = 1;
	check(PSU_THREAD_E_EXCEPTION_IN_FLIGHT, "in flight");
	exceptions.uncaught_count = 0;
	check(0, "");
}
END_TEST

/** Take an object of the list for one that was loaded later. */
static void forget_object(size_t at)
{
	manifest.objects[at].load_addr ^= 1;
	manifest.load_count--;
}

START_TEST(late_locals)
{
	/* libc and others of the system: theirs stay anyway */
	for (size_t i = 1; i < manifest.count; i++)
		forget_object(i);
	check(0, "");
	/* this program, which has */
	forget_object(0);
	check(PSU_THREAD_E_TLS_DYNAMIC, "thread-locals");
	/* as if nothing had been loaded */
	manifest.load_count += manifest.count;
	check(0, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("depart_check");
	TCase *tcase = tcase_create("depart_check");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, nothing);
	tcase_add_test(tcase, stack);
	tcase_add_test(tcase, robust_mutexes);
	tcase_add_test(tcase, exceptions_in_flight);
	tcase_add_test(tcase, late_locals);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
