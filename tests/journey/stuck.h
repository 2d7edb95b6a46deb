/* SPDX-License-Identifier: ISC */
/*
 * stuck.h - threads that cannot leave from where they are
 *
 * One driver for several programs, each with a table of its own.  A thread
 * gets into a predicament, tries to move from there, which must be refused,
 * gets out of it, and moves: that must succeed.
 */
#ifndef TEST_STUCK_H
#define TEST_STUCK_H

#ifdef __cplusplus
extern "C" {
#endif

/** How to get into it; calls stuck_try() and comes back. */
struct stuck_predicament {
	const char *name;
	void (*enter)(void);
};

/** Each program's own; a NULL name ends it. */
extern const struct stuck_predicament stuck_table[];

/** Try to move; says "Refused" or "Moved all the same".  The second call, and
 * each one behind it, does nothing: callbacks are called more than once. */
void stuck_try(void);

#ifdef __cplusplus
}
#endif

#endif
