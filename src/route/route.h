/* SPDX-License-Identifier: ISC */
/*
 * route.h - malloc() for code that does not know this library
 *
 * libpsu_thread_malloc.so stands before libc in a dynamic program: its malloc()
 * and its strdup() are the ones that all objects call.  A call is judged by
 * where it returns to:
 *
 *     a migratable thread on its travelling      its own heap, which travels
 *     stack, in the program or a library that
 *     is none of those below
 *
 *     libc, the loader, this library and what    libc's heap, which stays
 *     it is made of, objects that were loaded
 *     later; all other threads; a thread on
 *     its home stack
 *
 * So what libc allocates for itself (a FILE, a stream's buffer, a list of
 * destructors) is never in memory that leaves.  free() and realloc() go by the
 * block's address, whoever calls them.
 */
#ifndef PSU_ROUTE_H
#define PSU_ROUTE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <wchar.h>

/** Whom the function that says this returns to. */
#define PSU_ROUTE_CALLER __builtin_return_address(0)

/**
 * Whether what the function that returns to @caller allocates is to travel.
 * Takes no lock and allocates nothing.  Called on the stack that @caller runs
 * on.
 */
bool psu_route_travels(const void *caller);

/* By which glibc has its own heap, whatever stands before its malloc(). */
void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *block, size_t len);
void *__libc_memalign(size_t alignment, size_t len);
void __libc_free(void *block);

/**
 * The function of that name in the next object, which is libc.
 *
 * @known  NULL, or what a call before has found
 */
void *psu_route_original(const char *name, void *_Atomic *known);

/** To whoever links it the function is libc's: its name there. */
#define PSU_ROUTE_AS(name) __asm__(#name) __attribute__((visibility("default")))

/* ---- route_malloc.c: each as libc's, but for where the memory lies */

void *psu_route_malloc(size_t len) PSU_ROUTE_AS(malloc);
void *psu_route_calloc(size_t count, size_t len) PSU_ROUTE_AS(calloc);
void *psu_route_realloc(void *block, size_t len) PSU_ROUTE_AS(realloc);
void *psu_route_reallocarray(void *block, size_t count, size_t len)
	PSU_ROUTE_AS(reallocarray);
void psu_route_free(void *block) PSU_ROUTE_AS(free);
void *psu_route_memalign(size_t alignment, size_t len) PSU_ROUTE_AS(memalign);
void *psu_route_aligned_alloc(size_t alignment, size_t len)
	PSU_ROUTE_AS(aligned_alloc);
int psu_route_posix_memalign(void **block_out, size_t alignment, size_t len)
	PSU_ROUTE_AS(posix_memalign);
void *psu_route_valloc(size_t len) PSU_ROUTE_AS(valloc);
void *psu_route_pvalloc(size_t len) PSU_ROUTE_AS(pvalloc);
size_t psu_route_usable_size(void *block) PSU_ROUTE_AS(malloc_usable_size);

/* ---- route_gifts.c: what of libc gives memory to its caller; ditto */

char *psu_route_strdup(const char *text) PSU_ROUTE_AS(strdup);
char *psu_route_strndup(const char *text, size_t len) PSU_ROUTE_AS(strndup);
wchar_t *psu_route_wcsdup(const wchar_t *text) PSU_ROUTE_AS(wcsdup);
int psu_route_asprintf(char **text_out, const char *format, ...)
	PSU_ROUTE_AS(asprintf) __attribute__((format(printf, 2, 3)));
int psu_route_vasprintf(char **text_out, const char *format, va_list arguments)
	PSU_ROUTE_AS(vasprintf) __attribute__((format(printf, 2, 0)));
ssize_t psu_route_getdelim(char **line, size_t *len, int end, FILE *file)
	PSU_ROUTE_AS(getdelim);
ssize_t psu_route_getline(char **line, size_t *len, FILE *file)
	PSU_ROUTE_AS(getline);
char *psu_route_realpath(const char *path, char *resolved)
	PSU_ROUTE_AS(realpath);
char *psu_route_canonicalize(const char *path)
	PSU_ROUTE_AS(canonicalize_file_name);
char *psu_route_getcwd(char *path, size_t len) PSU_ROUTE_AS(getcwd);
char *psu_route_current_dir(void) PSU_ROUTE_AS(get_current_dir_name);
char *psu_route_tempnam(const char *directory, const char *prefix)
	PSU_ROUTE_AS(tempnam);

/* By these names headers of glibc call them, some of them with a flag that
 * asks for checks. */
char *psu_route_strdup_too(const char *text) PSU_ROUTE_AS(__strdup);
char *psu_route_strndup_too(const char *text, size_t len)
	PSU_ROUTE_AS(__strndup);
ssize_t psu_route_getdelim_too(char **line, size_t *len, int end, FILE *file)
	PSU_ROUTE_AS(__getdelim);
int psu_route_asprintf_checked(char **text_out, int flag, const char *format,
							   ...) PSU_ROUTE_AS(__asprintf_chk)
	__attribute__((format(printf, 3, 4)));
int psu_route_vasprintf_checked(char **text_out, int flag, const char *format,
								va_list arguments) PSU_ROUTE_AS(__vasprintf_chk)
	__attribute__((format(printf, 3, 0)));

#endif
