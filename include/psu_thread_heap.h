/* SPDX-License-Identifier: ISC */
/*
 * psu_thread_heap.h - memory that travels with its thread
 *
 * The part of psu_thread.h, which includes it, that stands in for malloc() and
 * its kin.  A migratable thread that calls these gets memory of its own heap,
 * which goes along when the thread moves, at the same addresses; anybody else
 * gets malloc()'s, and what was malloc()'s stays so when it is resized.
 * psu_thread_free() takes both.  One thread's heap is that thread's alone: no
 * other may resize or free a block of it, nor write to one while the thread
 * moves.  None of these may be called by a signal handler.
 */
#ifndef PSU_THREAD_HEAP_H
#define PSU_THREAD_HEAP_H

#include <psu_thread.h>
#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * As malloc(), calloc(), realloc() and aligned_alloc().  Blocks are aligned to
 * 16 bytes; those of more than 8 KiB begin a page.
 *
 * @len        bytes; 0: a block that can be freed
 * @alignment  a power of two
 * @block      of this thread's heap, or malloc()'s; NULL: a new one
 *
 * Return the block; it is the caller's, for psu_thread_free().  NULL, with
 * errno: ENOMEM, if the heap is full (HEAP_FULL: ask for a longer slot, by
 * PSU_THREAD_SLOT or psu_thread_attr) or the system has no memory; EINVAL, if
 * the alignment is none, or @block is not this thread's, is freed already, or
 * is no block (HEAP_MISUSED), and is left as it is.
 */
PSU_THREAD_EXPORT void *psu_thread_malloc(size_t len);
PSU_THREAD_EXPORT void *psu_thread_calloc(size_t count, size_t len);
PSU_THREAD_EXPORT void *psu_thread_realloc(void *block, size_t len);
PSU_THREAD_EXPORT void *psu_thread_aligned_alloc(size_t alignment, size_t len);

/** As free(); NULL is none.  What is not a block of this thread, or freed
 * already, stays as it is, and the log says so (HEAP_MISUSED). */
PSU_THREAD_EXPORT void psu_thread_free(void *block);

/** Bytes that a block has room for; 0 for NULL and for what is none. */
PSU_THREAD_EXPORT size_t psu_thread_usable_size(const void *block);

/** As strdup(), strndup(), asprintf() and vasprintf(), in such memory.  The
 * latter two return the length and write the block, or return -1 and NULL. */
PSU_THREAD_EXPORT char *psu_thread_strdup(const char *text);
PSU_THREAD_EXPORT char *psu_thread_strndup(const char *text, size_t len);
PSU_THREAD_EXPORT int psu_thread_asprintf(char **text_out, const char *format,
										  ...)
	__attribute__((format(printf, 2, 3)));
PSU_THREAD_EXPORT int psu_thread_vasprintf(char **text_out, const char *format,
										   va_list arguments)
	__attribute__((format(printf, 2, 0)));

#ifdef __cplusplus
}
#endif

#endif
