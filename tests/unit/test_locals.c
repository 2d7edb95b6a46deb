/* SPDX-License-Identifier: ISC */
/*
 * test_locals.c - which thread-locals travel; chains of cleanup buffers;
 * signal masks
 *
 * A static program, as those are that move.
 */
#include "run_suite.h"

#include "state/locals.h"
#include "state/state.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- cleanup buffers */

/** From one buffer to the next: each is aligned to 16. */
#define BUFFER_LEN ((sizeof(__pthread_unwind_buf_t) + 15) / 16 * 16)
#define BASE 0x1234

/** A stack with room for four buffers; their links are its to set. */
static __thread uint64_t buffers[4 * BUFFER_LEN / 8]
	__attribute__((aligned(16)));

static uint64_t buffer(size_t number)
{
	return (uint64_t)buffers + number * BUFFER_LEN;
}

static uint64_t *link_of(size_t number)
{
	return (uint64_t *)(buffer(number) +
						offsetof(__pthread_unwind_buf_t, __pad));
}

static int relink(uint64_t head)
{
	return psu_locals_relink(head, buffer(0), buffer(4), BASE);
}

START_TEST(last_link_points_home)
{
	*link_of(3) = 0x9999;
	*link_of(1) = buffer(3);
	ck_assert_int_eq(relink(buffer(1)), 0);
	ck_assert_uint_eq(*link_of(3), BASE);
	ck_assert_uint_eq(*link_of(1), buffer(3));
	ck_assert_int_eq(relink(0), 0);

	/* elsewhere begins at the stack's end */
	*link_of(0) = buffer(4);
	ck_assert_int_eq(relink(buffer(0)), 0);
	ck_assert_uint_eq(*link_of(0), BASE);
	*link_of(0) = buffer(0) - 8;
	ck_assert_int_eq(relink(buffer(0)), 0);
	ck_assert_uint_eq(*link_of(0), BASE);
}
END_TEST

START_TEST(hostile_links)
{
	const uint64_t bad[] = {
		buffer(0) - 16,
		buffer(0) - 8,
		buffer(0) - 1,
		buffer(3) + 8,
		buffer(3) + 16,
		buffer(4),
		1,
		UINT64_MAX - 7,
		buffer(1) + 4,
		buffer(1) + 1,
		UINT64_MAX & ~UINT64_C(0xfff),
	};

	/* as the head; and, where it lies in the stack, as a link */
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(relink(bad[i]), PSU_THREAD_E_STATE_INVALID);
		*link_of(0) = bad[i];
		ck_assert_int_eq(relink(buffer(0)),
						 bad[i] >= buffer(0) && bad[i] < buffer(4)
							 ? PSU_THREAD_E_STATE_INVALID
							 : 0);
	}
	/* no end: to itself, and in a circle of all */
	*link_of(2) = buffer(2);
	ck_assert_int_eq(relink(buffer(2)), PSU_THREAD_E_STATE_INVALID);
	for (size_t i = 0; i < 4; i++)
		*link_of(i) = buffer((i + 1) % 4);
	ck_assert_int_eq(relink(buffer(0)), PSU_THREAD_E_STATE_INVALID);
	*link_of(3) = 0;
	ck_assert_int_eq(relink(buffer(0)), 0);
}
END_TEST

static void do_nothing(void *unused)
{
	(void)unused;
}

START_TEST(head_is_libc_s)
{
	uint64_t outside = psu_locals_cleanup_head(), inside;

	pthread_cleanup_push(do_nothing, NULL);
	inside = psu_locals_cleanup_head();
	ck_assert_uint_ne(inside, outside);
	psu_locals_set_cleanup_head(outside);
	ck_assert_uint_eq(psu_locals_cleanup_head(), outside);
	psu_locals_set_cleanup_head(inside);
	ck_assert_uint_eq(psu_locals_cleanup_head(), inside);
	pthread_cleanup_pop(0);
	ck_assert_uint_eq(psu_locals_cleanup_head(), outside);
}
END_TEST

/* ---- thread-locals and masks */

static __thread int initialised = 77;

START_TEST(only_the_programs_locals)
{
	static struct psu_manifest manifest;
	uint64_t all = 0;
	size_t len;

	ck_assert_int_eq(psu_manifest_make(&manifest), 0);
	psu_locals_init(&manifest);
	len = psu_locals_len();
	psu_locals_init(&manifest);
	ck_assert_uint_eq(psu_locals_len(), len);
	for (size_t i = 0; i < manifest.count; i++)
		all += manifest.objects[i].tls_len;
	ck_assert_uint_lt(psu_locals_len(), all);
	ck_assert(psu_locals_travel(&initialised));
	ck_assert(psu_locals_travel(&buffers));
	ck_assert(psu_locals_travel((char *)&buffers + sizeof(buffers) - 1));
	ck_assert(!psu_locals_travel(&psu_state_tls_data_end));
	ck_assert(!psu_locals_travel(&psu_state_tls_bss_end));
	ck_assert(!psu_locals_travel(&psu_local));
	ck_assert(!psu_locals_travel(&errno));
	ck_assert(!psu_locals_travel(psu_state_thread_pointer()));
	ck_assert(!psu_locals_travel(psu_state_thread_pointer() - UINT32_MAX));
}
END_TEST

START_TEST(locals_are_kept_and_come_back)
{
	static struct psu_manifest manifest;
	uint8_t *kept;

	ck_assert_int_eq(psu_manifest_make(&manifest), 0);
	psu_locals_init(&manifest);
	kept = malloc(psu_locals_len());
	memset(&buffers, 5, sizeof(buffers));
	psu_locals_save(kept);
	memset(&buffers, 0, sizeof(buffers));
	initialised = errno = 78;
	psu_locals_restore(kept);
	ck_assert_int_eq(initialised, 77);
	ck_assert_uint_eq(((uint8_t *)&buffers)[sizeof(buffers) - 1], 5);
	ck_assert_int_eq(errno, 78);
	free(kept);
}
END_TEST

START_TEST(masks_are_packed)
{
	for (int signal = 1; signal <= 64; signal++) {
		sigset_t mask, again;

		/* two are libc's own: nobody can block them */
		sigemptyset(&mask);
		if (sigaddset(&mask, signal) != 0)
			continue;
		ck_assert_uint_eq(psu_locals_pack_mask(&mask), UINT64_C(1)
														   << (signal - 1));
		psu_locals_unpack_mask(UINT64_C(1) << (signal - 1), &again);
		for (int i = 1; i <= 64; i++)
			ck_assert_int_eq(sigismember(&again, i), i == signal);
		psu_locals_unpack_mask(~(UINT64_C(1) << (signal - 1)), &again);
		ck_assert_int_eq(sigismember(&again, signal), 0);
		ck_assert_int_eq(sigismember(&again, signal % 31 + 1), 1);
	}
}
END_TEST

static void silence(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
}

int main(void)
{
	Suite *suite = suite_create("locals");
	TCase *tcase = tcase_create("locals");

	tcase_add_unchecked_fixture(tcase, silence, NULL);
	tcase_add_test(tcase, last_link_points_home);
	tcase_add_test(tcase, hostile_links);
	tcase_add_test(tcase, head_is_libc_s);
	tcase_add_test(tcase, only_the_programs_locals);
	tcase_add_test(tcase, locals_are_kept_and_come_back);
	tcase_add_test(tcase, masks_are_packed);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
