/* SPDX-License-Identifier: ISC */
/*
 * route_malloc.c - libc's malloc() and its kin, to the caller's heap
 *
 * In: calls of all objects of the process, from before the first constructor
 * on.  What a thread's own heap refuses, psu_thread_heap.h says.
 */
#include "route/route.h"
#include "slot/slot.h"

#include <errno.h>
#include <psu_thread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void *allocate(const void *caller, size_t len)
{
	return psu_route_travels(caller) ? psu_thread_malloc(len)
									 : __libc_malloc(len);
}

void *psu_route_malloc(size_t len)
{
	return allocate(PSU_ROUTE_CALLER, len);
}

void *psu_route_calloc(size_t count, size_t len)
{
	return psu_route_travels(PSU_ROUTE_CALLER) ? psu_thread_calloc(count, len)
											   : __libc_calloc(count, len);
}

void psu_route_free(void *block)
{
	if (psu_slot_window_holds(block))
		psu_thread_free(block);
	else
		__libc_free(block);
}

void *psu_route_realloc(void *block, size_t len)
{
	if (!block)
		return allocate(PSU_ROUTE_CALLER, len);
	if (!psu_slot_window_holds(block))
		return __libc_realloc(block, len);
	if (len)
		return psu_thread_realloc(block, len);
	psu_thread_free(block);
	return NULL;
}

/** Not every sanitizer has one of its own. */
void *psu_route_reallocarray(void *block, size_t count, size_t len)
{
	size_t whole;

	if (__builtin_mul_overflow(count, len, &whole)) {
		errno = ENOMEM;
		return NULL;
	}
	if (!block && psu_route_travels(PSU_ROUTE_CALLER))
		return psu_thread_malloc(whole);
	return realloc(block, whole);
}

size_t psu_route_usable_size(void *block)
{
	static void *_Atomic known;
	size_t (*original)(void *);

	if (psu_slot_window_holds(block))
		return psu_thread_usable_size(block);
	original = psu_route_original("malloc_usable_size", &known);
	return original(block);
}

/* ---- aligned */

static bool is_power(size_t alignment)
{
	return alignment && !(alignment & (alignment - 1));
}

/** libc's memalign() rounds an odd alignment up. */
static void *align(const void *caller, size_t alignment, size_t len)
{
	if (!psu_route_travels(caller))
		return __libc_memalign(alignment, len);
	while (!is_power(alignment) && alignment <= SIZE_MAX / 2)
		alignment += alignment ? alignment & -alignment : 1;
	return psu_thread_aligned_alloc(alignment, len);
}

void *psu_route_memalign(size_t alignment, size_t len)
{
	return align(PSU_ROUTE_CALLER, alignment, len);
}

void *psu_route_aligned_alloc(size_t alignment, size_t len)
{
	return align(PSU_ROUTE_CALLER, alignment, len);
}

int psu_route_posix_memalign(void **block_out, size_t alignment, size_t len)
{
	int saved_errno = errno;
	void *block;

	if (!is_power(alignment) || alignment % sizeof(void *))
		return EINVAL;
	block = align(PSU_ROUTE_CALLER, alignment, len);
	errno = saved_errno;
	if (!block)
		return ENOMEM;
	*block_out = block;
	return 0;
}

void *psu_route_valloc(size_t len)
{
	return align(PSU_ROUTE_CALLER, (size_t)getpagesize(), len);
}

void *psu_route_pvalloc(size_t len)
{
	size_t page_len = (size_t)getpagesize(), whole;

	if (!__builtin_add_overflow(len, page_len - 1, &whole))
		return align(PSU_ROUTE_CALLER, page_len, whole & -page_len);
	errno = ENOMEM;
	return NULL;
}
