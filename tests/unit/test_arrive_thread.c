/* SPDX-License-Identifier: ISC */
/*
 * test_arrive_thread.c - a real thread of host a, at rest
 */
#include "test_arrive_thread.h"

#include "journey/process.h"
#include "state/locals.h"
#include "state/sanitizer.h"

#include <pthread.h>
#include <string.h>

struct thread_at_rest thread;
static struct psu_slot slot;

/** On the home stack, once the registers are kept. */
static int keep_and_leave(struct psu_traveller *unused)
{
	struct psu_image *image = &thread.image;
	uint64_t high = psu_slot_stack_high(&slot);
	uint64_t low = image->registers.rsp;
	const struct psu_stack_bounds bounds = {low, high};

	(void)unused;
	psu_sanitizer_unmark(low, high);
	if (high - low <= STACK_LEN_MAX && psu_locals_len() <= STACK_LEN_MAX &&
		psu_walk_stack(&psu_process_get()->manifest, &image->registers, &bounds,
					   &image->chain) == 0) {
		image->stack = (struct psu_span){thread.stack, high - low};
		memcpy(thread.stack, (void *)low, high - low);
		psu_locals_save(thread.locals);
		image->locals = (struct psu_span){thread.locals, psu_locals_len()};
		image->thread_pointer = (uint64_t)psu_state_thread_pointer();
	}
	psu_state_leave(NULL);
}

/** In the place of psu_thread_migrate(). */
static __attribute__((noinline)) int migrate(void)
{
	return psu_state_capture(&thread.image.registers, NULL, keep_and_leave);
}

/** What the thread does; behind the capture it is resumed, and ends.  Its
 * stack is longer than a sealed statement. */
static __attribute__((noinline)) void *user(void *unused)
{
	volatile char mine[2 * PSU_SEALED_LEN] = {[7] = 5};

	(void)unused;
	return migrate() == 0 && mine[7] == 5 ? NULL : (void *)1;
}

static void *live(void *unused)
{
	(void)unused;
	return psu_state_enter((void *)psu_slot_stack_high(&slot), user, NULL);
}

void make_thread(void)
{
	static uint32_t slots; /* an earlier one may still be running */
	pthread_attr_t attributes;
	pthread_t pthread;

	memset(&thread, 0, sizeof(thread));
	ck_assert_int_eq(psu_slot_map(psu_slot_addr(0, slots++), PSU_SLOT_LEN,
								  PSU_SLOT_STACK_LEN, &slot),
					 0);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, (void *)psu_slot_home_low(&slot),
						  PSU_SLOT_HOME_LEN);
	ck_assert_int_eq(pthread_create(&pthread, &attributes, live, NULL), 0);
	pthread_attr_destroy(&attributes);
	pthread_join(pthread, NULL);
	thread.image.kind = PSU_KIND_MOVE;
	thread.image.home.incarnation.bytes[0] = 1;
	strcpy(thread.image.home.name, "a");
	strcpy(thread.image.name, "traveller");
	ck_assert_ptr_nonnull(thread.image.stack.bytes);
	thread.slot_addr = slot.addr;
	psu_slot_unmap(&slot);
}
