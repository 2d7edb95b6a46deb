/* SPDX-License-Identifier: ISC */
/*
 * stuck_bare.h - a library of the program's that has no unwind tables
 */
#ifndef TEST_STUCK_BARE_H
#define TEST_STUCK_BARE_H

/** Call back. */
void stuck_in_bare(void (*callback)(void));

#endif
