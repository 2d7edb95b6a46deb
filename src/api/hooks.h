/* SPDX-License-Identifier: ISC */
/*
 * hooks.h - call the program's own functions when a thread moves
 *
 * All run in the moving thread, on its travelling stack, as the program's code
 * does: psu_thread_migrate() calls them before and behind the move.
 */
#ifndef PSU_HOOKS_H
#define PSU_HOOKS_H

/** The calling thread is about to leave for @host. */
void psu_hooks_departure(const char *host);
/** It has come here. */
void psu_hooks_arrival(void);
/** It goes on here and is not at @host, because of @code. */
void psu_hooks_failed(const char *host, int code);

#endif
