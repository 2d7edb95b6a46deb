/* SPDX-License-Identifier: ISC */
/*
 * sanitizer.h - live with AddressSanitizer and valgrind, if they watch
 *
 * AddressSanitizer knows one stack for each thread, and marks bytes around
 * variables on it that nobody may touch.  A migratable thread has two stacks,
 * and the library reads one of them as a whole.  And it has functions called
 * at exit before the guards are taken over, whose addresses are mangled with
 * the old ones.  Valgrind must be told where stacks lie, or it takes a switch
 * for a very large frame.  In other programs these calls do nothing.
 */
#ifndef PSU_SANITIZER_H
#define PSU_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Before the program restarts: it must look for leaks only when told to, and
 * keep variables on the stack itself, by $ASAN_OPTIONS. */
void psu_sanitizer_prepare_restart(void);

/** Before anything that may be instrumented runs.  @restarted: it has been,
 * and the guards are taken over; it is told to look for leaks at exit. */
void psu_sanitizer_begin(bool restarted);

/** [low, low + len) has pointers to memory that is in use: no leaks. */
void psu_sanitizer_scan(const void *low, size_t len);

/** [low, high) is a stack, for valgrind; it gives it a number. */
unsigned psu_sanitizer_add_stack(uint64_t low, uint64_t high);
void psu_sanitizer_remove_stack(unsigned number);

/** The calling thread works on the stack [low, high) from now on.  Said on
 * either stack, just before or after the switch. */
void psu_sanitizer_switch(uint64_t low, uint64_t high);

/** Whether malloc() is one of theirs, whatever else stands before libc. */
bool psu_sanitizer_has_malloc(void);

/** All of [low, high) may be read and written; nothing there is marked. */
void psu_sanitizer_unmark(uint64_t low, uint64_t high);

#endif
