/* SPDX-License-Identifier: ISC */
/*
 * test_walk.c - does every honest stack unwind to its own chain, and is
 * every other one refused?
 */
#include "test_walk_stacks.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_LEN ((uint64_t)4096)

extern const char psu_state_entered[] __attribute__((visibility("hidden")));

/** The live and the dead stack must give the same, whole chain. */
static void check_builder(stack_builder *builder, unsigned depth,
						  size_t frame_count)
{
	struct psu_traveller thread = stack_make(builder, depth);
	struct psu_chain again;

	ck_assert_msg(thread.rc == 0, "%s", psu_error_sentence());
	ck_assert_uint_eq(thread.chain.count, frame_count);
	stack_check(&thread, &thread.chain);
	ck_assert_uint_eq(thread.chain.frames[frame_count - 1].frame_len, 0);
	ck_assert_int_eq(stack_walk(&thread, &again), 0);
	ck_assert(psu_chain_equal(&thread.chain, &again));
	psu_chain_free(&again);
	stack_free(&thread);
}

START_TEST(test_one_frame)
{
	check_builder(build_direct, 0, 3);
}
END_TEST

START_TEST(test_recursion)
{
	static const unsigned depths[] = {0, 1, 100, 10000};

	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		check_builder(build_recursion, depths[i], depths[i] + 4);
		check_builder(build_plain_recursion, depths[i], depths[i] + 4);
	}
}
END_TEST

START_TEST(test_variable_frames)
{
	check_builder(build_variable, 200, 204);
	check_builder(build_realigned, 100, 104);
}
END_TEST

START_TEST(test_call_at_the_end)
{
	check_builder(build_noreturn, 0, 5);
}
END_TEST

START_TEST(test_in_qsort)
{
	struct psu_traveller thread = stack_make(build_in_qsort, 0);

	/* how many frames of libc's there are is libc's affair */
	ck_assert_msg(thread.rc == 0, "%s", psu_error_sentence());
	ck_assert_uint_gt(thread.chain.count, 4);
	stack_check(&thread, &thread.chain);
	stack_free(&thread);
}
END_TEST

START_TEST(test_too_many_frames)
{
	struct psu_traveller thread = {
		.manifest = &stack_manifest,
		.stack_len = (size_t)256 << 20,
		.depth = PSU_CHAIN_FRAMES_MAX - 4,
	};

	stack_freeze(&thread, build_recursion);
	ck_assert_int_eq(thread.rc, 0);
	ck_assert_uint_eq(thread.chain.count, PSU_CHAIN_FRAMES_MAX);
	stack_free(&thread);
	thread.depth = PSU_CHAIN_FRAMES_MAX - 3;
	stack_freeze(&thread, build_recursion);
	ck_assert_int_eq(thread.rc, PSU_THREAD_E_FRAME_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "one frame too many"));
}
END_TEST

START_TEST(test_chains_differ)
{
	struct psu_traveller a = stack_make(build_recursion, 5);
	struct psu_chain b = a.chain;
	struct psu_frame *frames = malloc(b.count * sizeof(*frames));

	b.frames = memcpy(frames, a.chain.frames, b.count * sizeof(*frames));
	ck_assert(psu_chain_equal(&a.chain, &b));
	frames[3].frame_len ^= 8;
	ck_assert(!psu_chain_equal(&a.chain, &b));
	frames[3].frame_len ^= 8;
	frames[3].return_offset ^= 1;
	ck_assert(!psu_chain_equal(&a.chain, &b));
	frames[3].return_offset ^= 1;
	frames[3].object ^= 1;
	ck_assert(!psu_chain_equal(&a.chain, &b));
	frames[3].object ^= 1;
	b.count--;
	ck_assert(!psu_chain_equal(&a.chain, &b));
	psu_chain_free(&b);
	ck_assert_ptr_null(b.frames);
	stack_free(&a);
}
END_TEST

static void *walk_often(void *context)
{
	const struct psu_traveller *thread = context;
	bool equal = true;

	for (int i = 0; i < 200; i++) {
		struct psu_chain chain;

		if (stack_walk(thread, &chain) != 0)
			return NULL;
		equal = equal && psu_chain_equal(&chain, &thread->chain);
		psu_chain_free(&chain);
	}
	return equal ? context : NULL;
}

START_TEST(test_many_walkers)
{
	struct psu_traveller stacks[8];
	pthread_t walkers[8];
	void *result;

	for (unsigned i = 0; i < 8; i++)
		stacks[i] = stack_make(i % 2 ? build_variable : build_realigned,
							   20 + i);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(
			pthread_create(&walkers[i], NULL, walk_often, &stacks[i]), 0);
	for (unsigned i = 0; i < 8; i++) {
		pthread_join(walkers[i], &result);
		ck_assert_ptr_eq(result, &stacks[i]);
		stack_free(&stacks[i]);
	}
}
END_TEST

/* ---- what is refused */

static void check_refused(const struct psu_traveller *thread, int code,
						  const char *part)
{
	struct psu_chain chain = {0};

	ck_assert_int_eq(stack_walk(thread, &chain), code);
	ck_assert_msg(strstr(psu_error_sentence(), part) != NULL, "%s",
				  psu_error_sentence());
	ck_assert_ptr_null(chain.frames);
}

START_TEST(test_no_table)
{
	struct psu_traveller thread = {
		.manifest = &stack_manifest,
		.stack_len = TEST_STACK_LEN,
		.code = code_without_table,
	};

	stack_freeze(&thread, build_in_code);
	check_refused(&thread, PSU_THREAD_E_FRAME_UNKNOWN, "frame 1");
	check_refused(&thread, PSU_THREAD_E_FRAME_UNKNOWN, "no unwind table");
	stack_free(&thread);
}
END_TEST

static void check_foreign(stack_builder *builder)
{
	struct psu_traveller thread = {
		.manifest = &stack_manifest,
		.stack_len = TEST_STACK_LEN,
	};

	stack_freeze(&thread, builder);
	check_refused(&thread, PSU_THREAD_E_FRAME_FOREIGN, "+0x");
	check_refused(&thread, PSU_THREAD_E_FRAME_FOREIGN, "callback");
	stack_free(&thread);
}

START_TEST(test_foreign_frames)
{
	check_foreign(build_in_once);
	check_foreign(build_in_once_in_qsort);
	check_foreign(build_in_sk_sort);
}
END_TEST

START_TEST(test_generated_code)
{
	/* sub $8, %rsp; call *%rdi; add $8, %rsp; ret */
	static const uint8_t bytes[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd7,
									0x48, 0x83, 0xc4, 0x08, 0xc3};
	void *page = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE | PROT_EXEC,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct psu_traveller thread = {
		.manifest = &stack_manifest,
		.stack_len = TEST_STACK_LEN,
	};

	ck_assert_ptr_ne(page, MAP_FAILED);
	memcpy(page, bytes, sizeof(bytes));
	memcpy(&thread.code, &page, sizeof(page));
	stack_freeze(&thread, build_in_code);
	check_refused(&thread, PSU_THREAD_E_FRAME_FOREIGN, "frame 1 ");
	stack_free(&thread);
}
END_TEST

/** Put @value in the place of a return address of a deep stack. */
static void check_return_address(uint64_t value, int code, const char *part)
{
	struct psu_traveller thread = stack_make(build_recursion, 100);
	uint64_t addr = thread.bounds.low;

	for (size_t i = 0; i < 50; i++)
		addr += thread.chain.frames[i].frame_len;
	memcpy((void *)(addr - 8), &value, sizeof(value));
	check_refused(&thread, code, part);
	check_refused(&thread, code, "frame 50");
	stack_free(&thread);
}

START_TEST(test_return_addresses)
{
	static char variable;
	static const char constant[8];
	const int foreign = PSU_THREAD_E_FRAME_FOREIGN;

	check_return_address(0, foreign, "outside the program");
	check_return_address(UINT64_MAX, foreign, "outside the program");
	check_return_address((uint64_t)&foreign, foreign, "outside the program");
	check_return_address((uint64_t)&variable, foreign, "outside the program");
	check_return_address((uint64_t)constant, foreign, "outside the program");
	/* the program's code, but not behind a call */
	check_return_address((uint64_t)psu_state_resume_point,
						 PSU_THREAD_E_FRAME_UNKNOWN, "entered by a call");
}
END_TEST

START_TEST(test_bounds)
{
	struct psu_traveller thread = stack_make(build_recursion, 100);
	uint64_t low = thread.bounds.low, high = thread.bounds.high;
	struct psu_chain chain;

	/* whatever is cut off above, the end is missed */
	for (uint64_t top = low; top < high; top++) {
		thread.bounds.high = top;
		ck_assert_int_eq(stack_walk(&thread, &chain),
						 PSU_THREAD_E_FRAME_UNKNOWN);
	}
	thread.bounds.high = low - 8;
	check_refused(&thread, PSU_THREAD_E_FRAME_UNKNOWN, "stack pointer");
	thread.bounds.high = high + ((uint64_t)1 << 32);
	check_refused(&thread, PSU_THREAD_E_FRAME_UNKNOWN, "stack pointer");
	thread.bounds.high = high;
	thread.registers.rsp += 8;
	check_refused(&thread, PSU_THREAD_E_FRAME_UNKNOWN, "stack pointer");
	thread.registers.rsp = thread.bounds.low = low + 4;
	check_refused(&thread, PSU_THREAD_E_FRAME_UNKNOWN, "stack pointer");
	stack_free(&thread);
}
END_TEST

START_TEST(test_frame_in_constants)
{
	/* what a frame with a frame pointer looks like, in readable memory that
	 * lies above the stack and ends the chain */
	static const void *const frame[] = {NULL, psu_state_entered};
	struct psu_traveller thread = {
		.manifest = &stack_manifest,
		.stack = (char *)0x200000,
		.stack_len = (size_t)1 << 20,
		.depth = 3,
	};

	stack_freeze(&thread, build_variable);
	ck_assert_int_eq(thread.rc, 0);
	ck_assert_uint_gt((uint64_t)frame, thread.bounds.high);
	thread.registers.rbp = (uint64_t)frame;
	/* whether the frame above saved rbp is the compiler's choice */
	for (uint64_t at = thread.bounds.low; at < thread.bounds.high; at += 8)
		if (*(uint64_t *)at > at && *(uint64_t *)at < thread.bounds.high)
			*(uint64_t *)at = (uint64_t)frame;
	/* of a PIE the loader writes such constants: they are not read at all */
	check_refused(&thread, PSU_THREAD_E_FRAME_UNKNOWN,
				  psu_manifest_is_static() ? "outside the thread"
										   : "does not unwind");
	stack_free(&thread);
}
END_TEST

static Suite *walk_suite(void)
{
	Suite *suite = suite_create("walk");
	TCase *honest = tcase_create("honest");
	TCase *refused = tcase_create("refused");

	tcase_add_unchecked_fixture(honest, stack_manifest_make, NULL);
	tcase_add_test(honest, test_one_frame);
	tcase_add_test(honest, test_recursion);
	tcase_add_test(honest, test_variable_frames);
	tcase_add_test(honest, test_call_at_the_end);
	tcase_add_test(honest, test_in_qsort);
	tcase_add_test(honest, test_too_many_frames);
	tcase_add_test(honest, test_chains_differ);
	tcase_add_test(honest, test_many_walkers);
	suite_add_tcase(suite, honest);
	tcase_add_unchecked_fixture(refused, stack_manifest_make, NULL);
	tcase_add_test(refused, test_no_table);
	tcase_add_test(refused, test_foreign_frames);
	tcase_add_test(refused, test_generated_code);
	tcase_add_test(refused, test_return_addresses);
	tcase_add_test(refused, test_bounds);
	tcase_add_test(refused, test_frame_in_constants);
	suite_add_tcase(suite, refused);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(walk_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
