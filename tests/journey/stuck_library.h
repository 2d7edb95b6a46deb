/* SPDX-License-Identifier: ISC */
/*
 * stuck_library.h - what the library has that stuck_shared.c loads
 */
#ifndef TEST_STUCK_LIBRARY_H
#define TEST_STUCK_LIBRARY_H

/** Call back. */
typedef void stuck_call_back_fn(void (*callback)(void));
/** How often the calling thread has called this. */
typedef int stuck_count_fn(void);

extern stuck_call_back_fn stuck_call_back;
extern stuck_count_fn stuck_count;

#endif
