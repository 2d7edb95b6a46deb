/* SPDX-License-Identifier: ISC */
/*
 * test_walk_stacks.c - stacks of many shapes, frozen for the walker
 */
#include "test_walk_stacks.h"

#include "state/sanitizer.h"

#include <alloca.h>
#include <check.h>
#include <openssl/stack.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_LEN ((size_t)4096)
#define NEVER_INLINE __attribute__((noinline))
#if defined(__clang__)
#define NEVER_OPTIMISED __attribute__((noinline, optnone))
#else
#define NEVER_OPTIMISED __attribute__((noinline, optimize("O0")))
#endif

/* neither a tail call nor a loop: the caller's frame stays */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

extern const char psu_state_entered[] __attribute__((visibility("hidden")));

struct psu_manifest stack_manifest;
static struct psu_traveller *current;

static int walk_and_leave(struct psu_traveller *thread)
{
	thread->bounds.low = thread->registers.rsp;
	thread->bounds.high = (uint64_t)thread->stack + thread->stack_len;
	psu_sanitizer_unmark(thread->bounds.low, thread->bounds.high);
	thread->rc = psu_walk_stack(thread->manifest, &thread->registers,
								&thread->bounds, &thread->chain);
	psu_state_leave(NULL);
}

/** In the place of psu_thread_migrate. */
static NEVER_INLINE void migrate(void)
{
	psu_state_capture(&current->registers, current, walk_and_leave);
	KEEP_FRAME();
}

void *build_direct(void *thread)
{
	current = thread;
	migrate();
	KEEP_FRAME();
	return NULL;
}

static NEVER_INLINE void recurse(unsigned depth)
{
	if (depth)
		recurse(depth - 1);
	else
		migrate();
	KEEP_FRAME();
}

void *build_recursion(void *thread)
{
	char *pad;

	current = thread;
	pad = alloca(current->pad + 1);
	__asm__ volatile("" ::"r"(pad) : "memory");
	recurse(current->depth);
	KEEP_FRAME();
	return NULL;
}

static NEVER_OPTIMISED void recurse_plainly(unsigned depth)
{
	if (depth)
		recurse_plainly(depth - 1);
	else
		migrate();
}

void *build_plain_recursion(void *thread)
{
	current = thread;
	recurse_plainly(current->depth);
	KEEP_FRAME();
	return NULL;
}

static NEVER_INLINE void recurse_variably(unsigned depth)
{
	char array[depth * 24 + 1];
	char *more = alloca(depth % 7 * 40 + 1);

	memset(array, (int)depth, sizeof(array));
	__asm__ volatile("" ::"r"(array), "r"(more) : "memory");
	if (depth)
		recurse_variably(depth - 1);
	else
		migrate();
	KEEP_FRAME();
}

void *build_variable(void *thread)
{
	current = thread;
	recurse_variably(current->depth);
	KEEP_FRAME();
	return NULL;
}

static NEVER_INLINE void recurse_realigned(unsigned depth)
{
	char array[depth + 1];
	char aligned[128] __attribute__((aligned(128)));

	__asm__ volatile("" ::"r"(array), "r"(aligned) : "memory");
	if (depth)
		recurse_realigned(depth - 1);
	else
		migrate();
	KEEP_FRAME();
}

void *build_realigned(void *thread)
{
	current = thread;
	recurse_realigned(current->depth);
	KEEP_FRAME();
	return NULL;
}

static int compare_and_migrate(const void *a, const void *b)
{
	migrate();
	KEEP_FRAME();
	return *(const char *)a - *(const char *)b;
}

void *build_in_qsort(void *thread)
{
	char letters[] = "qsort";

	current = thread;
	qsort(letters, sizeof(letters) - 1, 1, compare_and_migrate);
	KEEP_FRAME();
	return NULL;
}

/** Below a function of another library than the program's. */
void *build_in_once(void *thread)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	current = thread;
	once = (pthread_once_t)PTHREAD_ONCE_INIT;
	pthread_once(&once, migrate);
	KEEP_FRAME();
	return NULL;
}

static int compare_below_once(const void *a, const void *b)
{
	build_in_once(current);
	KEEP_FRAME();
	return *(const char *)a - *(const char *)b;
}

void *build_in_once_in_qsort(void *thread)
{
	char letters[] = "qsort";

	current = thread;
	qsort(letters, sizeof(letters) - 1, 1, compare_below_once);
	KEEP_FRAME();
	return NULL;
}

/** OpenSSL calls libc's qsort, which calls back. */
void *build_in_sk_sort(void *thread)
{
	OPENSSL_STACK *stack = OPENSSL_sk_new(compare_and_migrate);

	current = thread;
	OPENSSL_sk_push(stack, "a");
	OPENSSL_sk_push(stack, "b");
	OPENSSL_sk_sort(stack);
	KEEP_FRAME();
	return NULL;
}

static NEVER_INLINE __attribute__((noreturn)) void never_return(void)
{
	migrate();
	abort();
}

static NEVER_INLINE void call_never_return(unsigned depth)
{
	if (depth > 1000)
		return;
	never_return();
}

void *build_noreturn(void *thread)
{
	current = thread;
	call_never_return(current->depth);
	KEEP_FRAME();
	return NULL;
}

void *build_in_code(void *thread)
{
	current = thread;
	current->code(migrate);
	KEEP_FRAME();
	return NULL;
}

__asm__(".pushsection .text\n"
		".globl code_without_table\n"
		".type code_without_table, @function\n"
		"code_without_table:\n"
		"	sub $8, %rsp\n"
		"	call *%rdi\n"
		"	add $8, %rsp\n"
		"	ret\n"
		".size code_without_table, . - code_without_table\n"
		".popsection\n");

void stack_manifest_make(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	ck_assert_int_eq(psu_manifest_make(&stack_manifest), 0);
}

void stack_freeze(struct psu_traveller *thread, stack_builder *builder)
{
	size_t len = thread->stack_len;
	char *map = mmap(thread->stack, len + 2 * PAGE_LEN, PROT_NONE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
						 (thread->stack ? MAP_FIXED_NOREPLACE : 0),
					 -1, 0);

	if (map == MAP_FAILED ||
		mprotect(map + PAGE_LEN, len, PROT_READ | PROT_WRITE) != 0)
		abort();
	thread->stack = map + PAGE_LEN;
	psu_state_enter(thread->stack + len, builder, thread);
}

struct psu_traveller stack_make(stack_builder *builder, unsigned depth)
{
	struct psu_traveller thread = {
		.manifest = &stack_manifest,
		.stack_len = TEST_STACK_LEN,
		.depth = depth,
	};

	stack_freeze(&thread, builder);
	return thread;
}

int stack_walk(const struct psu_traveller *thread, struct psu_chain *chain_out)
{
	return psu_walk_stack(thread->manifest, &thread->registers, &thread->bounds,
						  chain_out);
}

void stack_check(const struct psu_traveller *thread,
				 const struct psu_chain *chain)
{
	uint64_t len = 0;
	const struct psu_frame *last = &chain->frames[chain->count - 1];

	for (size_t i = 0; i < chain->count; i++)
		len += chain->frames[i].frame_len;
	ck_assert_uint_eq(len, thread->bounds.high - thread->bounds.low);
	ck_assert_uint_eq(last->return_offset +
						  stack_manifest.objects[last->object].load_addr,
					  (uint64_t)psu_state_entered);
}

void stack_free(struct psu_traveller *thread)
{
	psu_chain_free(&thread->chain);
	munmap(thread->stack - PAGE_LEN, thread->stack_len + 2 * PAGE_LEN);
	thread->stack = NULL;
}
