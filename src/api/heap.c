/* SPDX-License-Identifier: ISC */
/*
 * heap.c - psu_thread_malloc() and its kin: a thread's own heap, or malloc()'s
 *
 * An address tells which: no malloc() of this process has memory where slots
 * lie.  Refused, and left as it is: what is no block of the calling thread.
 */
#include "heap/heap.h"
#include "journey/traveller.h"
#include "state/state.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** The calling thread's heap, which is made when it is first asked for.  NULL:
 * no memory. */
static struct psu_heap *take_heap(struct psu_traveller *self)
{
	if (!self->heap)
		self->heap = psu_heap_init(psu_slot_heap_low(&self->slot),
								   psu_slot_heap_high(&self->slot));
	return self->heap;
}

/** @block was asked for with @len bytes. */
static void *check(void *block, size_t len)
{
	const struct psu_slot *slot = &psu_local.self->slot;

	if (block)
		return block;
	psu_error_set(PSU_THREAD_E_HEAP_FULL,
				  "no %zu bytes are left in the thread's heap of %" PRIu64
				  " MiB: ask for a longer slot, with PSU_THREAD_SLOT=1G or by "
				  "attribute, or free memory of the host",
				  len,
				  (psu_slot_heap_high(slot) - psu_slot_heap_low(slot)) >> 20);
	errno = ENOMEM;
	return NULL;
}

/** Whether it is a block of the calling thread's own heap; says if not. */
static bool is_block(const void *block, const char *what)
{
	static const char *const faults[] = {
		[PSU_HEAP_FREED] = "it is free already, or was never a block",
		[PSU_HEAP_INSIDE] = "it is not where a block begins",
	};
	const struct psu_traveller *self = psu_local.self;
	const char *fault = "it belongs to another thread";

	if (self && self->heap &&
		(uint64_t)block - psu_slot_heap_low(&self->slot) <
			psu_slot_heap_high(&self->slot) - psu_slot_heap_low(&self->slot))
		fault = faults[psu_heap_judge(self->heap, block)];
	if (!fault)
		return true;
	psu_error_set(PSU_THREAD_E_HEAP_MISUSED,
				  "cannot %s %p: %s: look for who has freed it, or passes what "
				  "psu_thread_malloc did not return",
				  what, block, fault);
	return false;
}

void *psu_thread_malloc(size_t len)
{
	struct psu_heap *heap;

	if (!psu_local.self)
		return malloc(len);
	heap = take_heap(psu_local.self);
	return check(heap ? psu_heap_alloc(heap, len) : NULL, len);
}

void *psu_thread_calloc(size_t count, size_t len)
{
	struct psu_heap *heap;
	size_t whole;

	if (!psu_local.self)
		return calloc(count, len);
	if (__builtin_mul_overflow(count, len, &whole))
		return check(NULL, SIZE_MAX);
	heap = take_heap(psu_local.self);
	return check(heap ? psu_heap_alloc_zeroed(heap, whole) : NULL, whole);
}

void *psu_thread_aligned_alloc(size_t alignment, size_t len)
{
	struct psu_heap *heap;

	if (!alignment || alignment & (alignment - 1)) {
		errno = EINVAL;
		return NULL;
	}
	if (!psu_local.self)
		return aligned_alloc(alignment, len);
	heap = take_heap(psu_local.self);
	return check(heap ? psu_heap_alloc_aligned(heap, alignment, len) : NULL,
				 len);
}

void *psu_thread_realloc(void *block, size_t len)
{
	if (!block)
		return psu_thread_malloc(len);
	if (!psu_slot_window_holds(block))
		return realloc(block, len ? len : 1);
	if (!is_block(block, "resize")) {
		errno = EINVAL;
		return NULL;
	}
	return check(psu_heap_resize(psu_local.self->heap, block, len), len);
}

void psu_thread_free(void *block)
{
	int saved_errno = errno;

	if (!psu_slot_window_holds(block))
		free(block);
	else if (is_block(block, "free"))
		psu_heap_free(psu_local.self->heap, block);
	errno = saved_errno;
}

size_t psu_thread_usable_size(const void *block)
{
	if (!psu_slot_window_holds(block))
		return malloc_usable_size((void *)(uintptr_t)block);
	return is_block(block, "measure")
			   ? psu_heap_usable_len(psu_local.self->heap, block)
			   : 0;
}

/* ---- text */

char *psu_thread_strndup(const char *text, size_t len)
{
	size_t text_len = strnlen(text, len);
	char *copy = psu_thread_malloc(text_len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, text_len);
	copy[text_len] = '\0';
	return copy;
}

char *psu_thread_strdup(const char *text)
{
	return psu_thread_strndup(text, SIZE_MAX);
}

int psu_thread_vasprintf(char **text_out, const char *format, va_list arguments)
{
	va_list again;
	int len;

	*text_out = NULL;
	va_copy(again, arguments);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len >= 0)
		*text_out = psu_thread_malloc((size_t)len + 1);
	return *text_out ? vsnprintf(*text_out, (size_t)len + 1, format, arguments)
					 : -1;
}

int psu_thread_asprintf(char **text_out, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = psu_thread_vasprintf(text_out, format, arguments);
	va_end(arguments);
	return len;
}
