/* SPDX-License-Identifier: ISC */
/*
 * test_arrive_thread.h - a real thread of host a, at rest
 */
#ifndef TEST_ARRIVE_THREAD_H
#define TEST_ARRIVE_THREAD_H

#include "run_suite.h"

#include "image/image.h"
#include "slot/slot.h"

#define STACK_LEN_MAX 8192

struct thread_at_rest {
	uint64_t slot_addr; /* of zone 0 */
	struct psu_image image;
	uint8_t stack[STACK_LEN_MAX];
	uint8_t locals[STACK_LEN_MAX];
};

extern struct thread_at_rest thread;

/** Run a thread up to the call that would move it; keep all it is.  Its slot
 * is another one each time, and free afterwards. */
void make_thread(void);

#endif
