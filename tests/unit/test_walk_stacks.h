/* SPDX-License-Identifier: ISC */
/*
 * test_walk_stacks.h - stacks of many shapes, frozen for the walker
 *
 * A builder runs on a travelling stack of its own, calls down in its own way,
 * and ends in a capture that walks the live stack and leaves it for good.
 * What is left is a dead stack, whose bytes a test may corrupt and walk again.
 */
#ifndef TEST_WALK_STACKS_H
#define TEST_WALK_STACKS_H

#include "walk/walk.h"

#include <stddef.h>

/** The test's own: what psu_state_capture() hands to its work. */
struct psu_traveller {
	const struct psu_manifest *manifest;
	char *stack; /* where to map it, NULL for anywhere; then, where it lies,
					with a page without access on each side */
	size_t stack_len;
	unsigned depth;				  /* calls that a recursive builder makes */
	size_t pad;					  /* bytes that the recursion begins with */
	void (*code)(void (*)(void)); /* calls its argument */
	/* what the capture has left */
	struct psu_registers registers;
	struct psu_stack_bounds bounds;
	int rc; /* of the walk of the live stack */
	struct psu_chain chain;
};

typedef void *stack_builder(void *thread);

/* thread's function calls psu_thread_migrate: two frames and the entry */
stack_builder build_direct;
/* @depth calls deeper, optimised or not at all */
stack_builder build_recursion;
stack_builder build_plain_recursion;
/* every frame of another size, by alloca() and variable arrays */
stack_builder build_variable;
/* over-aligned locals: the CFA is found by an expression */
stack_builder build_realigned;
/* below a comparison in libc's qsort */
stack_builder build_in_qsort;
/* below libc's pthread_once, once more with qsort above it */
stack_builder build_in_once;
stack_builder build_in_once_in_qsort;
/* below a qsort that OpenSSL has called */
stack_builder build_in_sk_sort;
/* the call is its function's last instruction */
stack_builder build_noreturn;
/* below @code */
stack_builder build_in_code;

/** Code of this program without any unwind table; calls its argument. */
void code_without_table(void (*callee)(void));

#define TEST_STACK_LEN ((size_t)16 << 20)

/** This program's. */
extern struct psu_manifest stack_manifest;
void stack_manifest_make(void);

/** Map the stack, run the builder on it, keep its walk. */
void stack_freeze(struct psu_traveller *thread, stack_builder *builder);
struct psu_traveller stack_make(stack_builder *builder, unsigned depth);

/** Walk a frozen stack. */
int stack_walk(const struct psu_traveller *thread, struct psu_chain *chain_out);
/** Assert that a chain has no gaps and ends at the library's entry. */
void stack_check(const struct psu_traveller *thread,
				 const struct psu_chain *chain);
void stack_free(struct psu_traveller *thread);

#endif
