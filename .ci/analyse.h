/* SPDX-License-Identifier: ISC */
/*
 * analyse.h - for analysers only, which look at one file at a time
 *
 * That psu_error_set() returns the code it is given is not to be seen in its
 * prototype; without it they follow failures as if they were successes.
 */
#ifndef ANALYSE_H
#define ANALYSE_H

#include "report/report.h"

#define psu_error_set(code, ...)                                               \
	((void)psu_error_set(code, __VA_ARGS__), (code))
#define psu_error_keep(code, ...)                                              \
	((void)psu_error_keep(code, __VA_ARGS__), (code))

#endif
