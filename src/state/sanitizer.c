/* SPDX-License-Identifier: ISC */
/*
 * sanitizer.c - calls into AddressSanitizer's run time, if it is there, and
 * requests to valgrind, which are instructions that do nothing elsewhere
 */
#include "state/sanitizer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if HAVE_VALGRIND_MEMCHECK_H
#include <valgrind/memcheck.h>
#endif

/* sanitizer/common_interface_defs.h, asan_interface.h, lsan_interface.h */
void __asan_init(void) __attribute__((weak));
void __lsan_do_leak_check(void) __attribute__((weak));
void __lsan_register_root_region(const void *low, size_t len)
	__attribute__((weak));
void __sanitizer_start_switch_fiber(void **fake_stack, const void *low,
									size_t len) __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **low_out,
									 size_t *len_out) __attribute__((weak));
void __asan_unpoison_memory_region(const void *low, size_t len)
	__attribute__((weak));

#define OUR_OPTIONS ":leak_check_at_exit=0:detect_stack_use_after_return=0"

void psu_sanitizer_prepare_restart(void)
{
	const char *given = getenv("ASAN_OPTIONS");
	char *options;

	if (!__asan_init ||
		asprintf(&options, "%s" OUR_OPTIONS, given ? given : "") < 0)
		return;
	setenv("ASAN_OPTIONS", options, 1);
	free(options);
}

void psu_sanitizer_begin(bool restarted)
{
	char *options, *ours;

	if (__asan_init)
		__asan_init();
	if (!restarted || !__asan_init)
		return;
	if (__lsan_do_leak_check)
		atexit(__lsan_do_leak_check);
	/* they were for this process, and are read: not for its children */
	options = getenv("ASAN_OPTIONS");
	ours = options ? strstr(options, OUR_OPTIONS) : NULL;
	if (ours)
		*ours = '\0';
}

void psu_sanitizer_scan(const void *low, size_t len)
{
	if (__lsan_register_root_region)
		__lsan_register_root_region(low, len);
}

#if HAVE_VALGRIND_MEMCHECK_H
unsigned psu_sanitizer_add_stack(uint64_t low, uint64_t high)
{
	return VALGRIND_STACK_REGISTER(low, high - 1);
}

void psu_sanitizer_remove_stack(unsigned number)
{
	VALGRIND_STACK_DEREGISTER(number);
}

static void make_defined(uint64_t low, uint64_t high)
{
	VALGRIND_MAKE_MEM_DEFINED(low, high - low);
}

static bool is_under_valgrind(void)
{
	return RUNNING_ON_VALGRIND;
}
#else
unsigned psu_sanitizer_add_stack(uint64_t low, uint64_t high)
{
	(void)low;
	(void)high;
	return 0;
}

void psu_sanitizer_remove_stack(unsigned number)
{
	(void)number;
}

static void make_defined(uint64_t low, uint64_t high)
{
	(void)low;
	(void)high;
}

static bool is_under_valgrind(void)
{
	return false;
}
#endif

bool psu_sanitizer_has_malloc(void)
{
	return __lsan_do_leak_check || is_under_valgrind();
}

void psu_sanitizer_switch(uint64_t low, uint64_t high)
{
	if (!__sanitizer_start_switch_fiber || !__sanitizer_finish_switch_fiber)
		return;
	/* without a fake stack: frames that travel cannot lie in it */
	__sanitizer_start_switch_fiber(NULL, (const void *)low, high - low);
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}

void psu_sanitizer_unmark(uint64_t low, uint64_t high)
{
	make_defined(low, high);
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region((const void *)low, high - low);
}
