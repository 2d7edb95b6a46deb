/* SPDX-License-Identifier: ISC */
/*
 * check.h - what the planted words of check.c point to
 */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

/** A global, since what these hold is not found. */
extern void *volatile target;

/** What makes target point to memory of that kind; NULL: there is none such. */
void (*find_target(const char *name))(void);

#endif
