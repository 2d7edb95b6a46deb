/* SPDX-License-Identifier: ISC */
/*
 * hazards.h - what this process is, that no thread of it could ever leave
 *
 * Such a program is refused in setup, by its own code and with a remedy:
 * where a compiler keeps part of a stack somewhere else, a thread would lose
 * it; where stacks are executable, slots would be; and a thread-local that
 * lies behind the library's marks would stay behind in silence.
 */
#ifndef PSU_HAZARDS_H
#define PSU_HAZARDS_H

#include "report/report.h"

#include <stdbool.h>

/** Whether ThreadSanitizer is in the program: until its own constructor has
 * run, libc's functions lead nowhere. */
bool psu_hazards_thread_sanitizer(void);

/**
 * Look at this process and at the calling thread.
 *
 * Returns 0, SHADOW_STACK, SAFE_STACK, SPLIT_STACK, THREAD_SANITIZER,
 * EXECUTABLE_STACK, TLS_LAYOUT.
 */
PSU_MUST_CHECK int psu_hazards_check(void);

/**
 * Look for thread-locals of the program behind the marks that end what
 * travels, by the symbol table of its file (layout.c).  Where there is none,
 * as in a stripped program, nothing can be said and it is let pass.
 *
 * Returns 0 or TLS_LAYOUT.
 */
PSU_MUST_CHECK int psu_layout_check(void);

#endif
