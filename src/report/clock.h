/* SPDX-License-Identifier: ISC */
/*
 * clock.h - the clock of all waits, CLOCK_MONOTONIC, and deadlines by it
 */
#ifndef PSU_CLOCK_H
#define PSU_CLOCK_H

#include <stdint.h>

/** A deadline that never comes: for a server's wait for work. */
#define PSU_NEVER INT64_MAX

/** Milliseconds of the clock, and microseconds. */
int64_t psu_clock_now_ms(void);
int64_t psu_clock_now_us(void);
/** The point @ms milliseconds from now, in milliseconds. */
int64_t psu_clock_deadline(int64_t ms);

#endif
