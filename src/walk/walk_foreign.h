/* SPDX-License-Identifier: ISC */
/*
 * walk_foreign.h - frames that are not the program's own
 *
 * A function of libc or of another library below the program's may hold a
 * lock, a descriptor or memory that would stay behind.  Three are known to
 * hold none while they call back: qsort (of up to 1,024 bytes), qsort_r and
 * bsearch.
 */
#ifndef PSU_WALK_FOREIGN_H
#define PSU_WALK_FOREIGN_H

#include "start/manifest.h"

/** Where psu_thread_migrate() and psu_thread_check() begin; no such functions
 * in programs that do not have them linked. */
extern const char psu_migrate_begin[]
	__attribute__((weak, visibility("hidden")));
extern const char psu_check_begin[] __attribute__((weak, visibility("hidden")));

/** Whether the call that returns to @return_addr, in @object, is not in the
 * program's own code. */
bool psu_walk_is_foreign(const struct psu_object *object, uint64_t return_addr);

/** Whether code of the object, which is foreign, only stands before libc's own
 * functions: what these hold is what counts. */
bool psu_walk_is_wrapper(const struct psu_object *object);

/**
 * Whether the function that begins at @function_addr may be moved out of
 * while it calls back.
 *
 * @manifest  tells whether the program has shared objects to look it up in
 */
bool psu_walk_holds_nothing(const struct psu_manifest *manifest,
							uint64_t function_addr);

#endif
