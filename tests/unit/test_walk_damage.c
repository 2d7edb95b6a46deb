/* SPDX-License-Identifier: ISC */
/*
 * test_walk_damage.c - does a damaged stack unwind to anything but an error,
 * its own chain or another whole one?
 *
 * The stack lies between pages without access, so that a read outside its
 * bounds is a fault.  TEST_SEED chooses the damage.
 */
#include "test_walk_stacks.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_LEN ((uint64_t)4096)
#define DAMAGE_ROUNDS 20000

extern const char psu_state_entered[] __attribute__((visibility("hidden")));

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/** A value as an attacker would choose it. */
static uint64_t evil_value(const struct psu_traveller *thread)
{
	uint64_t len = thread->bounds.high - thread->bounds.low;
	const struct psu_object *object = &stack_manifest.objects[0];
	const struct psu_segment *segment =
		&object->segments[next_random() % object->segment_count];

	switch (next_random() % 8) {
	case 0:
		return next_random();
	case 1:
		return next_random() % 256 - 128;
	case 2: /* where a word straddles the end, or just not */
		return thread->bounds.high - 16 + next_random() % 24;
	case 3:
		return thread->bounds.low - 64 + next_random() % 128;
	case 4: /* any honest return address */
		return object->load_addr +
			   thread->chain.frames[next_random() % thread->chain.count]
				   .return_offset;
	case 5:
		return segment->start + next_random() % (segment->end - segment->start);
	case 6:
		return (uint64_t)psu_state_entered;
	default:
		return thread->bounds.low + (next_random() % len & ~(uint64_t)7);
	}
}

static void damage(struct psu_traveller *thread)
{
	uint64_t *words = (uint64_t *)thread->bounds.low;
	size_t count = (thread->bounds.high - thread->bounds.low) / 8;
	uint64_t *registers[] = {
		&thread->registers.rbx, &thread->registers.rbp, &thread->registers.r12,
		&thread->registers.r13, &thread->registers.r14, &thread->registers.r15,
	};
	/* now and then everything */
	size_t hits = next_random() % 50 ? 1 + next_random() % 8 : 4 * count;

	for (size_t i = 0; i < hits; i++) {
		size_t at = next_random() % count;

		if (next_random() % 4 == 0)
			*registers[next_random() % 6] = evil_value(thread);
		else if (next_random() % 4 == 0)
			words[at] ^= (uint64_t)1 << next_random() % 64;
		else
			words[at] = evil_value(thread);
	}
}

/** Freeze a stack whose rsp is the second word of a page, and take access
 * away from the pages below: reads outside the bounds then fault. */
static struct psu_traveller freeze_fenced(stack_builder *builder,
										  unsigned depth)
{
	struct psu_traveller thread = stack_make(builder, depth);
	uint64_t low = thread.bounds.low;

	thread.pad = (low - 8) % PAGE_LEN;
	stack_free(&thread);
	stack_freeze(&thread, builder);
	ck_assert_int_eq(thread.rc, 0);
	low = thread.bounds.low & ~(PAGE_LEN - 1);
	ck_assert_int_eq(
		mprotect(thread.stack, low - (uint64_t)thread.stack, PROT_NONE), 0);
	return thread;
}

static void check_damage(stack_builder *builder, unsigned depth)
{
	struct psu_traveller thread = freeze_fenced(builder, depth);
	struct psu_registers registers = thread.registers;
	size_t len = thread.bounds.high - thread.bounds.low;
	void *stack = (void *)thread.bounds.low;
	void *saved = memcpy(malloc(len), stack, len);
	size_t equal_count = 0, other_count = 0;

	for (int i = 0; i < DAMAGE_ROUNDS; i++) {
		struct psu_chain chain;
		int rc;

		damage(&thread);
		rc = stack_walk(&thread, &chain);
		if (!rc) {
			stack_check(&thread, &chain);
			if (psu_chain_equal(&chain, &thread.chain))
				equal_count++;
			else
				other_count++;
			psu_chain_free(&chain);
		} else {
			ck_assert(rc == PSU_THREAD_E_FRAME_UNKNOWN ||
					  rc == PSU_THREAD_E_FRAME_FOREIGN);
		}
		memcpy(stack, saved, len);
		thread.registers = registers;
	}
	/* all three outcomes must have been met, else the damage is no test */
	ck_assert_uint_gt(equal_count, 0);
	ck_assert_uint_gt(other_count, 0);
	ck_assert_uint_lt(equal_count + other_count, DAMAGE_ROUNDS);
	free(saved);
	stack_free(&thread);
}

START_TEST(test_damage)
{
	const char *seed = getenv("TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) | 1 : 20240229;
	printf("test_walk_damage: TEST_SEED=%llu\n",
		   (unsigned long long)random_state);
	check_damage(build_recursion, 12);
	check_damage(build_plain_recursion, 12);
	check_damage(build_variable, 12);
	check_damage(build_realigned, 12);
}
END_TEST

static Suite *damage_suite(void)
{
	Suite *suite = suite_create("walk_damage");
	TCase *tcase = tcase_create("damage");

	tcase_add_unchecked_fixture(tcase, stack_manifest_make, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_damage);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(damage_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
