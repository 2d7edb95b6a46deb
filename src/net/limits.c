/* SPDX-License-Identifier: ISC */
/*
 * limits.c - the deadlines that the program can set
 */
#include "net/limits.h"
#include "report/report.h"

#define DEFAULT(name, number, ms, sentence) [number] = (ms),

/* numbered from 1 */
static _Atomic int deadlines[] = {PSU_THREAD_WAITS(DEFAULT)};

int psu_limit_ms(enum psu_thread_wait wait)
{
	return deadlines[wait];
}

int psu_thread_set_deadline(enum psu_thread_wait wait, unsigned ms)
{
	if (wait < 1 || wait >= sizeof(deadlines) / sizeof(*deadlines))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "%d is no wait of the library: pass one of "
							 "PSU_THREAD_WAITS",
							 (int)wait);
	if (ms < 1 || ms > PSU_THREAD_DEADLINE_MAX_MS)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "a deadline of %u ms cannot be set: pass 1 to %u",
							 ms, PSU_THREAD_DEADLINE_MAX_MS);
	deadlines[wait] = (int)ms;
	return 0;
}
